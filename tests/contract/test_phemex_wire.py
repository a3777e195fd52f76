"""The unmodified ccxt client against the mock's Phemex: what it sends is understood, what it hears is the venue's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt
import pytest
import requests

from tests.contract.phemex_stage import BTC, ETH, Stage, phemex_stage

pytestmark = pytest.mark.contract

FIXTURES = Path(__file__).resolve().parents[2] / "../shared/fixtures/phemex/ccxt_static"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with phemex_stage() as stage:
        yield stage


@pytest.fixture
def client(stage: Stage) -> Iterator[Any]:
    """The client of the first account, which is left flat and without orders."""
    client = stage.client()
    yield client
    stage.admin("faults", method="DELETE")
    for symbol in (BTC, ETH):
        client.cancel_all_orders(symbol)
        # ccxt misspells the word for waiting orders in its own form of this (trigger=True), so they would stay.
        client.cancel_all_orders(symbol, {"untriggered": True})
    for position in client.fetch_positions():
        if position["contracts"]:
            side = "sell" if position["side"] == "long" else "buy"
            client.create_order(position["symbol"], "market", side, position["contracts"], None, {"reduceOnly": True})


# --- the market -------------------------------------------------------------------------------------


def test_markets_carry_the_rules_of_the_venue(client: Any) -> None:
    market = client.load_markets()[BTC]
    assert market["id"] == "BTCUSDT"
    assert (market["precision"]["amount"], market["precision"]["price"]) == (0.001, 0.1)
    assert market["limits"]["leverage"]["max"] == 100
    assert (market["linear"], market["settle"]) == (True, "USDT")
    assert client.fetch_currencies()["USDT"]["precision"] == 1e-8


def test_prices_books_bars_and_trades_are_read(stage: Stage, client: Any) -> None:
    stage.admin("trade", coin="BTC", side="buy", price="50010", size="0.1")
    ticker = client.fetch_ticker(BTC)
    assert ticker["last"] == 50_010
    assert set(client.fetch_tickers()) == {BTC, ETH}
    book = client.fetch_order_book(BTC)
    assert book["bids"][0] == [49_990, 5]
    assert book["asks"][0][0] == 50_010
    (trade, *_) = client.fetch_trades(BTC)
    assert (trade["side"], trade["price"], trade["amount"]) == ("buy", 50_010, 0.1)
    for bars in (
        client.fetch_ohlcv(BTC, "1m", limit=5),
        client.fetch_ohlcv(BTC, "1m", since=client.milliseconds() - 120_000),
    ):
        assert bars[-1][4] == 50_010
    assert client.fetch_funding_rate(BTC)["markPrice"] == 50_000
    assert client.fetch_funding_rate_history(BTC) == []
    served = requests.get(f"{stage.rest}/public/time", timeout=5).json()["data"]["serverTime"]
    assert abs(served - time.time() * 1000) < 60_000


def test_market_data_refuses_in_an_envelope_of_its_own(stage: Stage) -> None:
    answer = requests.get(f"{stage.rest}/md/v2/orderbook?symbol=NONEUSDT", timeout=5).json()
    assert answer == {"error": {"code": 6001, "message": "invalid argument"}, "id": 0, "result": None}
    path = "/exchange/public/md/v2/kline/list"
    missing = requests.get(f"{stage.rest}{path}?symbol=BTCUSDT&resolution=60&from=1", timeout=5).json()
    assert (missing["code"], missing["msg"]) == (412, "Missing parameter - to")
    many = requests.get(f"{stage.rest}{path}?symbol=BTCUSDT&resolution=60&from=0&to=9000000", timeout=5).json()
    assert many["code"] == 30_018


# --- orders -----------------------------------------------------------------------------------------


def test_an_order_lives_from_placing_over_changing_to_its_end(client: Any) -> None:
    placed = client.create_order(BTC, "limit", "buy", 0.01, 49_000, {"clientOrderId": "mine-1"})
    assert (placed["info"]["ordStatus"], placed["info"]["execStatus"]) == ("Created", "PendingNew")
    (resting,) = client.fetch_open_orders(BTC)
    assert (resting["id"], resting["clientOrderId"], resting["info"]["ordStatus"]) == (placed["id"], "mine-1", "New")
    changed = client.edit_order(placed["id"], BTC, "limit", "buy", 0.02, 48_000)
    assert (changed["id"], changed["amount"], changed["price"]) == (placed["id"], 0.02, 48_000)
    assert client.fetch_order(placed["id"], BTC)["amount"] == 0.02
    assert client.fetch_order(None, BTC, {"clientOrderId": "mine-1"})["id"] == placed["id"]
    assert client.cancel_order(None, BTC, {"clientOrderId": "mine-1"})["id"] == placed["id"]
    assert client.fetch_order(placed["id"], BTC)["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(placed["id"], BTC)


def test_without_live_orders_there_is_an_error_instead_of_an_empty_list(stage: Stage, client: Any) -> None:
    answer = stage.signed("GET", "/g-orders/activeList", "symbol=BTCUSDT").json()
    assert answer == {"code": 10_002, "msg": "OM_ORDER_NOT_FOUND", "data": None}
    assert client.fetch_open_orders(BTC) == []


def test_a_market_order_is_filled_and_shows_in_trades_positions_and_money(client: Any) -> None:
    before = client.fetch_balance()["USDT"]["total"]
    placed = client.create_order(BTC, "market", "buy", 0.1)
    assert client.fetch_order(placed["id"], BTC)["status"] == "closed"
    trade = client.fetch_my_trades(BTC)[-1]
    assert (trade["price"], trade["amount"], trade["fee"]["rate"]) == (50_010, 0.1, 0.0006)
    # The list of trades names neither the order nor the whole execution; the other history does.
    (row, *_) = client.privateGetApiDataGFuturesTrades({"currency": "USDT"})["data"]
    assert (row["orderID"], row["execStatus"], row["clOrdID"]) == (
        placed["id"],
        "TakerFill",
        placed["info"]["clOrdID"],
    )
    assert row["execID"].replace("-", "").endswith(trade["id"])
    (position,) = client.fetch_positions([BTC])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.1, 50_010)
    assert Decimal(position["info"]["valueRv"]) == Decimal(5_001)
    (dearer,) = client.fetch_positions([BTC], {"method": "privateGetGAccountsPositions"})
    assert Decimal(dearer["info"]["unRealisedPnlRv"]) == Decimal(-1)
    spent = Decimal(str(before)) - Decimal(str(client.fetch_balance()["USDT"]["total"]))
    assert abs(spent - Decimal("3.0006")) < Decimal("1e-6")
    assert client.fetch_closed_orders(BTC)[-1]["status"] == "closed"


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ((BTC, "limit", "buy", 100, 49_000), ccxt.InsufficientFunds),
        ((BTC, "limit", "sell", 0.01, 51_000, {"reduceOnly": True}), ccxt.InvalidOrder),
        ((ETH, "limit", "buy", 0.01, 50), ccxt.InvalidOrder),
        ((BTC, "limit", "buy", 0.01, 49_000, {"timeInForce": "Whenever"}), ccxt.InvalidOrder),
        ((BTC, "limit", "buy", 0.01, 49_000, {"posSide": "Long"}), ccxt.ExchangeError),
        ((BTC, "limit", "buy", 0.01, 49_000, {"clOrdID": "x" * 41}), ccxt.BadRequest),
        ((BTC, "market", "sell", 0.1, None, {"triggerPrice": 51_000, "triggerDirection": "down"}), ccxt.InvalidOrder),
    ],
)
def test_a_refusal_has_the_code_of_the_venue(client: Any, order: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        client.create_order(*order)
    assert client.fetch_open_orders(BTC) == []


def test_a_client_order_id_is_given_once(client: Any) -> None:
    client.create_order(BTC, "limit", "buy", 0.01, 49_000, {"clientOrderId": "twice"})
    with pytest.raises(ccxt.DuplicateOrderId):
        client.create_order(BTC, "limit", "buy", 0.01, 49_000, {"clientOrderId": "twice"})
    assert len(client.fetch_open_orders(BTC)) == 1


def test_what_the_matching_engine_refuses_was_accepted_first(client: Any) -> None:
    """Trap 0.6: only the time in force makes an order a maker; a raw postOnly goes unheard."""
    refused = client.create_order(BTC, "limit", "buy", 0.01, 50_010, {"timeInForce": "PostOnly"})
    assert refused["info"]["ordStatus"] == "Created"
    assert client.fetch_order(refused["id"], BTC)["status"] == "rejected"
    taken = client.create_order(BTC, "limit", "buy", 0.01, 50_010, {"postOnly": True})
    assert taken["info"]["timeInForce"] == "GoodTillCancel"
    assert client.fetch_order(taken["id"], BTC)["status"] == "closed"
    for tif in ("ImmediateOrCancel", "FillOrKill"):
        missed = client.create_order(BTC, "limit", "buy", 0.01, 49_000, {"timeInForce": tif})
        assert client.fetch_order(missed["id"], BTC)["status"] == "canceled"


def test_triggers_wait_and_say_which_way(client: Any) -> None:
    client.create_order(BTC, "market", "buy", 0.1)
    stop = client.create_order(
        BTC, "market", "sell", 0.1, None, {"triggerPrice": 49_000, "triggerDirection": "down", "reduceOnly": True}
    )
    limit = client.create_order(
        BTC, "limit", "sell", 0.1, 52_000, {"triggerPrice": 51_000, "triggerDirection": "up", "reduceOnly": True}
    )
    told = [(row["info"]["orderType"], row["info"]["stopDirection"]) for row in (stop, limit)]
    assert told == [("Stop", "Falling"), ("LimitIfTouched", "Rising")]
    live = {row["id"]: row["info"] for row in client.fetch_open_orders(BTC)}
    assert {row["ordStatus"] for row in live.values()} == {"Untriggered"}
    # The venue says that nothing is left of an order that only waits.
    assert {row["leavesQtyRq"] for row in live.values()} == {"0"}
    assert client.cancel_all_orders(BTC)[0]["info"]["data"] == 0
    assert client.cancel_all_orders(BTC, {"untriggered": True})[0]["info"]["data"] == 2


def test_a_stop_loss_price_is_no_order_of_its_own(client: Any) -> None:
    """Trap 0.6: what looks like a stop goes out as a market order with a stop attached."""
    client.create_order(BTC, "market", "buy", 0.1)
    row = client.create_order(BTC, "market", "sell", 0.1, None, {"stopLossPrice": 51_000})
    assert row["info"]["orderType"] == "Market"
    assert client.fetch_order(row["id"], BTC)["status"] == "closed"


def test_leverage_below_zero_is_cross_and_one_way_is_the_mode(client: Any) -> None:
    client.set_leverage(-5, BTC)
    assert client.fetch_positions([BTC])[0]["leverage"] == 5
    client.set_position_mode(False, BTC)
    with pytest.raises(ccxt.ExchangeError):
        client.set_position_mode(True, BTC)
    with pytest.raises(ccxt.InvalidOrder):
        client.privatePutGPositionsLeverage({"symbol": "BTCUSDT", "leverageRr": "-2.5"})
    client.set_leverage(-20, BTC)


def test_an_account_trades_with_itself_unless_it_says_otherwise(client: Any) -> None:
    client.create_order(BTC, "limit", "buy", 0.01, 49_995)
    careful = client.create_order(BTC, "limit", "sell", 0.01, 49_995, {"stpInstruction": "CancelTaker"})
    assert client.fetch_order(careful["id"], BTC)["status"] == "canceled"
    client.create_order(BTC, "limit", "sell", 0.01, 49_995)
    own = client.privateGetApiDataGFuturesTrades({"currency": "USDT", "limit": 2})["data"]
    assert {row["side"] for row in own} == {"Buy", "Sell"}
    assert {row["execPriceRp"] for row in own} == {"49995"}
    assert client.fetch_positions([BTC])[0]["contracts"] == 0


def test_an_isolated_position_has_a_margin_of_its_own(client: Any) -> None:
    client.set_leverage(10, ETH)
    client.create_order(ETH, "market", "buy", 1)
    (position,) = client.fetch_positions([ETH])
    assert (position["marginMode"], position["leverage"]) == ("isolated", 10)
    before = client.fetch_balance()["USDT"]["total"]
    client.create_order(ETH, "market", "sell", 1, None, {"reduceOnly": True})
    after = client.fetch_balance()["USDT"]["total"]
    # Bought at 3001 and sold at 2999, with the taker's fee on the sale.
    assert round(before - after, 6) == round(2 + 2_999 * 0.0006, 6)
    client.set_leverage(-20, ETH)


def test_bulk_cancels_say_for_each_order_what_became_of_it(client: Any) -> None:
    placed = client.create_order(BTC, "limit", "buy", 0.01, 49_000)
    names = f"{placed['id']},nobody"
    rows = client.privateDeleteGOrders({"symbol": "BTCUSDT", "orderID": names, "posSide": "Merged"})["data"]
    assert [row["bizError"] for row in rows] == [0, 10_002]


def test_spot_wallets_are_there_and_empty(client: Any) -> None:
    assert client.fetch_balance({"type": "spot", "currency": "USDT"})["USDT"]["total"] == 0


# --- who signs, how often, and what goes wrong --------------------------------------------------------


def test_signatures_are_over_the_path_without_the_servers_prefix(stage: Stage) -> None:
    path, query = "/g-accounts/accountPositions", "currency=USDT"
    assert stage.signed("GET", path, query).json()["code"] == 0
    prefixed = stage.signed("GET", path, query, signed_path=f"/phemex{path}")
    assert (prefixed.status_code, prefixed.json()["msg"]) == (401, "API Signature verification failed.")
    late = stage.signed("GET", path, query, expiry=int(time.time()) - 5)
    assert (late.status_code, late.json()["msg"]) == (401, "Request expired")
    unknown = stage.signed("GET", path, query, key="nobody")
    assert "Failed to find api-key nobody" in unknown.json()["msg"]


def test_wrong_secrets_are_told_apart_by_the_client(stage: Stage) -> None:
    client = stage.client()
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()


def test_every_answer_says_what_is_left_of_the_group(stage: Stage) -> None:
    answer = stage.signed("GET", "/g-accounts/positions", "currency=USDT")
    again = stage.signed("GET", "/g-accounts/positions", "currency=USDT")
    left = [int(one.headers["x-ratelimit-remaining-Contract"]) for one in (answer, again)]
    # A new minute may begin between the two.
    assert left[0] - left[1] in (25, left[0] - 475)
    assert answer.headers["x-ratelimit-capacity-Contract"] == "500"
    others = stage.signed("GET", "/api-data/g-futures/orders", "currency=USDT")
    assert others.headers["x-ratelimit-capacity"] == "100"


def test_too_many_requests_are_refused_with_the_time_to_come_back() -> None:
    with phemex_stage() as stage:
        answers = [stage.signed("GET", "/g-accounts/positions", "currency=USDT") for _ in range(42)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert refused[0].json() == {"code": "39995", "msg": "Too many requests."}
        assert 0 < int(refused[0].headers["x-ratelimit-retry-after-Contract"]) <= 60


def test_the_trading_engine_refuses_within_an_answer_that_looks_like_success(stage: Stage, client: Any) -> None:
    """Section 2.5: code 0 outside, bizError within. ccxt takes it for a success; whoever sends orders must not."""
    stage.admin("faults", kind="reject", value="no more risk", count=1, action="create")
    row = client.create_order(BTC, "limit", "buy", 0.01, 49_000)
    assert (row["info"]["bizError"], row["info"]["ordStatus"]) == (11_082, "Rejected")
    assert client.fetch_open_orders(BTC) == []


def test_faults_break_what_the_client_hears(stage: Stage, client: Any) -> None:
    client.load_markets()
    stage.admin("faults", kind="error_5xx", value=503, count=1, path="/g-orders")
    with pytest.raises(ccxt.ExchangeNotAvailable):
        client.create_order(BTC, "limit", "buy", 0.01, 49_000)
    stage.admin("faults", kind="accept_then_drop", count=1, path="/g-orders")
    with pytest.raises(ccxt.NetworkError):
        client.create_order(BTC, "limit", "buy", 0.01, 49_000, {"clientOrderId": "unheard"})
    assert client.fetch_order(None, BTC, {"clientOrderId": "unheard"})["status"] == "open"
    stage.admin("faults", kind="rate_limit", count=1, action="cancel")
    with pytest.raises(ccxt.RateLimitExceeded):
        client.cancel_order(None, BTC, {"clientOrderId": "unheard"})


# --- recorded answers ---------------------------------------------------------------------------------


def _kind(value: object) -> str:
    """Return what kind of JSON value this is; recordings write numbers as text, so both count as one."""
    return "scalar" if isinstance(value, str | int | float) and not isinstance(value, bool) else type(value).__name__


@pytest.mark.skipif(not FIXTURES.exists(), reason="the shared fixtures are not here")
def test_an_accepted_order_has_the_fields_of_a_recorded_one(client: Any) -> None:
    client.create_order(BTC, "market", "buy", 0.1)
    for case in json.loads((FIXTURES / "create_order.json").read_text())["cases"]:
        recorded = case["httpResponse"]["data"]
        conditional = recorded["ordStatus"] == "Untriggered"
        rising = recorded["stopDirection"] == "Rising"
        parameters = {"triggerPrice": 51_000, "triggerDirection": "up"} if conditional else {}
        side = "sell" if rising or not conditional else "buy"
        if conditional and not rising:
            parameters = {"triggerPrice": 49_000, "triggerDirection": "down"}
        kind, price = ("market", None) if conditional else ("limit", 52_000)
        ours = client.create_order(BTC, kind, side, 0.1, price, parameters)["info"]
        assert set(recorded) <= set(ours)
        assert {name: _kind(ours[name]) for name in recorded} == {name: _kind(recorded[name]) for name in recorded}
        same = ("orderType", "ordStatus", "execStatus", "stopDirection", "trigger", "timeInForce", "displayQtyRq")
        compared = same if conditional else same[:3]
        assert [ours[name] for name in compared] == [recorded[name] for name in compared]
        # Real values are text on the wire, times and codes are not.
        assert isinstance(ours["priceRp"], str)
        assert isinstance(ours["actionTimeNs"], int)
