"""The unmodified ccxt client against the mock's Bybit: requests are understood, answers have the venue's shape."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import ccxt
import pytest
import requests

from tests.contract.bybit_world import ALICE, BOB, BTC, ETH, Trader, World, bybit_world

pytestmark = pytest.mark.contract


@pytest.fixture
def world() -> Iterator[World]:
    with bybit_world(limits=False) as running:
        yield running


@pytest.fixture
def alice(world: World) -> Any:
    client = world.ccxt()
    client.load_markets()
    return client


# --- the market ---------------------------------------------------------------------------------------------------


def test_the_market_is_read_with_its_rules_books_bars_and_rates(world: World) -> None:
    client = world.ccxt(None)
    markets = client.load_markets()
    assert set(markets) == {BTC, ETH}
    assert markets[BTC]["precision"] == {"amount": 0.001, "price": 0.1}
    assert markets[BTC]["limits"]["cost"]["min"] == 5
    book = client.fetch_order_book(BTC)
    assert (book["bids"], book["asks"]) == ([[49990.0, 5.0]], [[50010.0, 5.0]])
    ticker = client.fetch_ticker(BTC)
    assert (ticker["bid"], ticker["ask"], ticker["markPrice"]) == (49990.0, 50010.0, 50000.0)
    world.admin("trade", coin="BTC", side="buy", price="50010", size="0.5")
    (trade,) = client.fetch_trades(BTC)
    assert (trade["side"], trade["price"], trade["amount"]) == ("buy", 50010.0, 0.5)
    *_, bar = client.fetch_ohlcv(BTC, "1m")
    assert (bar[2], bar[5]) == (50010.0, 0.5)
    assert client.fetch_funding_rate(BTC)["fundingRate"] is not None
    assert abs(client.fetch_time() - client.milliseconds()) < 5_000
    with pytest.raises(ccxt.BadRequest):
        client.publicGetV5MarketOrderbook({"category": "linear", "symbol": "NOPEUSDT"})
    with pytest.raises(ccxt.BadRequest):
        client.publicGetV5MarketKline({"category": "linear", "symbol": "BTCUSDT", "interval": "7"})


def test_a_client_without_any_options_but_addresses_and_a_key_can_begin(world: World) -> None:
    for trader in (None, ALICE):
        client = world.ccxt(trader, options={}, has={})
        assert set(client.load_markets()) == {BTC, ETH}
    assert client.fetch_currencies()["USDT"]["id"] == "USDT"
    (tier,) = client.fetch_market_leverage_tiers(BTC)
    assert (tier["maxLeverage"], tier["maintenanceMarginRate"]) == (100, 0.005)
    assert set(client.fetch_trading_fees()) == {BTC, ETH}
    assert client.fetch_open_interest(BTC)["openInterestAmount"] == 0
    *_, bar = client.fetch_mark_ohlcv(BTC, "1m")
    assert bar[4] == 50000.0
    assert client.fetch_status()["status"] == "ok"


# --- one order ----------------------------------------------------------------------------------------------------


def test_a_market_order_becomes_a_position_an_execution_and_money(world: World, alice: Any) -> None:
    order = alice.create_order(BTC, "market", "buy", 0.1)
    # The answer to create is an acknowledgement: an id, no state.
    assert order["id"]
    assert order["status"] is None
    (position,) = alice.fetch_positions([BTC])
    assert (position["contracts"], position["side"], position["entryPrice"]) == (0.1, "long", 50010.0)
    assert position["unrealizedPnl"] == -1.0
    (trade,) = alice.fetch_my_trades(BTC)
    fee = Decimal("0.1") * 50_010 * Decimal("0.00055")
    assert (trade["order"], trade["price"], trade["takerOrMaker"]) == (order["id"], 50010.0, "taker")
    assert Decimal(str(trade["fee"]["cost"])) == fee
    row = alice.fetch_balance()["info"]["result"]["list"][0]["coin"][0]
    assert Decimal(row["walletBalance"]) == 100_000 - fee
    assert Decimal(row["equity"]) == 100_000 - fee - 1
    (closed,) = alice.fetch_closed_orders(BTC)
    assert (closed["status"], closed["filled"], closed["average"], closed["type"]) == ("closed", 0.1, 50010.0, "market")
    alice.create_order(BTC, "market", "sell", 0.1, None, {"reduceOnly": True})
    assert alice.fetch_positions([BTC])[0]["contracts"] in (0, 0.0, None)
    ledger = alice.fetch_ledger("USDT")
    assert len(ledger) == 2
    assert sum(Decimal(row["info"]["change"]) for row in ledger) == Decimal(
        alice.fetch_balance()["info"]["result"]["list"][0]["coin"][0]["walletBalance"]
    ) - Decimal(100_000)


def test_a_limit_order_rests_is_found_by_both_names_changed_in_place_and_cancelled(alice: Any) -> None:
    order = alice.create_order(BTC, "limit", "buy", 0.1, 49000, {"clientOrderId": "mine-1"})
    (resting,) = alice.fetch_open_orders(BTC)
    assert (resting["id"], resting["clientOrderId"], resting["status"]) == (order["id"], "mine-1", "open")
    # wire.md 0.12: an order is found by `orderLinkId`; ccxt's word `clientOrderId` says nothing to the venue.
    (found,) = alice.fetch_open_orders(BTC, params={"orderLinkId": "mine-1"})
    assert found["id"] == order["id"]
    changed = alice.edit_order(order["id"], BTC, "limit", "buy", 0.2, 48900)
    assert changed["id"] == order["id"]
    (resting,) = alice.fetch_open_orders(BTC)
    assert (resting["amount"], resting["price"]) == (0.2, 48900.0)
    with pytest.raises(ccxt.BadRequest, match="remains unchanged"):
        alice.edit_order(order["id"], BTC, "limit", "buy", 0.2, 48900)
    with pytest.raises(ccxt.BadRequest, match="orderId or orderLinkId"):
        alice.cancel_order(None, BTC, {"clientOrderId": "mine-1"})
    alice.cancel_order(None, BTC, {"orderLinkId": "mine-1"})
    ended = alice.fetch_order(order["id"], BTC, {"acknowledged": True})
    assert (ended["status"], ended["info"]["cancelType"]) == ("canceled", "CancelByUser")
    with pytest.raises(ccxt.OrderNotFound):
        alice.cancel_order(order["id"], BTC)
    assert [row["id"] for row in alice.fetch_canceled_orders(BTC)] == [order["id"]]


@pytest.mark.parametrize(
    ("tif", "price", "reason"),
    [
        # wire.md 2.7: a post-only order that would trade is accepted, then cancelled. The reason is all there is.
        ("PostOnly", 50010, "EC_PostOnlyWillTakeLiquidity"),
        ("IOC", 49000, "EC_NoImmediateQtyToFill"),
        ("FOK", 49000, "EC_NoEnoughQtyToFill"),
    ],
)
def test_what_cannot_rest_is_accepted_and_then_cancelled(alice: Any, tif: str, price: float, reason: str) -> None:
    order = alice.create_order(BTC, "limit", "buy", 0.1, price, {"timeInForce": tif})
    assert alice.fetch_open_orders(BTC) == []
    ended = alice.fetch_order(order["id"], BTC, {"acknowledged": True})
    assert (ended["status"], ended["filled"]) == ("canceled", 0)
    assert ended["info"]["rejectReason"] == reason


def test_an_ioc_order_keeps_what_it_got_and_ends(world: World, alice: Any) -> None:
    order = alice.create_order(BTC, "limit", "buy", 6, 50010, {"timeInForce": "IOC"})
    row = alice.fetch_order(order["id"], BTC, {"acknowledged": True})["info"]
    assert (row["orderStatus"], row["cumExecQty"], row["leavesQty"]) == ("Cancelled", "5", "0")


def test_triggers_wait_by_direction_and_fire_on_the_mark(world: World, alice: Any) -> None:
    alice.create_order(BTC, "market", "buy", 0.1)
    stop = alice.create_order(BTC, "market", "sell", 0.1, None, {"stopLossPrice": 48000})
    take = alice.create_order(BTC, "limit", "sell", 0.1, 52000, {"takeProfitPrice": 52000})
    waiting = {row["id"]: row["info"] for row in alice.fetch_open_orders(BTC, params={"trigger": True})}
    assert {row["orderStatus"] for row in waiting.values()} == {"Untriggered"}
    assert [waiting[order["id"]]["triggerDirection"] for order in (stop, take)] == [2, 1]
    assert alice.fetch_open_orders(BTC, params={"orderFilter": "Order"}) == []
    moved = alice.edit_order(stop["id"], BTC, "market", "sell", None, None, {"triggerPrice": 48500})
    assert moved["id"] == stop["id"]
    params = {"triggerPrice": 49000, "triggerDirection": "ascending"}
    with pytest.raises(ccxt.InvalidOrder, match="110092"):
        alice.create_order(BTC, "market", "buy", 0.1, None, params)
    world.admin("quote", coin="BTC", side="buy", price="48400", size="1")
    world.admin("mark", coin="BTC", price="48450")
    fired = alice.fetch_order(stop["id"], BTC, {"acknowledged": True})
    assert (fired["status"], fired["filled"]) == ("closed", 0.1)
    assert alice.fetch_positions([BTC])[0]["contracts"] in (0, 0.0, None)


def test_stops_attached_to_an_order_and_to_a_position_exclude_each_other(world: World, alice: Any) -> None:
    alice.create_order(BTC, "market", "buy", 0.1, None, {"stopLoss": {"triggerPrice": 48000}})
    (attached,) = alice.fetch_open_orders(BTC, params={"trigger": True})
    assert (attached["info"]["stopOrderType"], attached["reduceOnly"]) == ("StopLoss", True)
    stops = {"category": "linear", "symbol": "BTCUSDT", "positionIdx": 0, "takeProfit": "53000", "stopLoss": "47000"}
    alice.privatePostV5PositionTradingStop(stops)
    kinds = sorted(row["info"]["stopOrderType"] for row in alice.fetch_open_orders(BTC, params={"trigger": True}))
    assert kinds == ["StopLoss", "StopLoss", "TakeProfit"]


def test_who_would_trade_with_itself_says_which_order_ends(world: World, alice: Any) -> None:
    def status(order: Any) -> tuple[str, str]:
        row = alice.fetch_order(order["id"], BTC, {"acknowledged": True})["info"]
        return row["orderStatus"], row["cancelType"]

    for smp, maker, taker in (
        ("CancelMaker", ("Cancelled", "CancelBySmp"), ("New", "UNKNOWN")),
        ("CancelTaker", ("New", "UNKNOWN"), ("Cancelled", "CancelBySmp")),
        ("CancelBoth", ("Cancelled", "CancelBySmp"), ("Cancelled", "CancelBySmp")),
        ("None", ("Filled", "UNKNOWN"), ("Filled", "UNKNOWN")),
    ):
        rests = alice.create_order(BTC, "limit", "buy", 0.1, 50000)
        arrives = alice.create_order(BTC, "limit", "sell", 0.1, 50000, {"smpType": smp})
        assert (status(rests), status(arrives)) == (maker, taker), smp
        alice.cancel_all_orders(BTC)
    # Both ends of a trade with oneself have a name of their own.
    fills = alice.fetch_my_trades(BTC)
    assert len({fill["id"] for fill in fills}) == len(fills) == 2
    with pytest.raises(ccxt.BadRequest, match="smpType"):
        alice.create_order(BTC, "limit", "sell", 0.1, 50000, {"smpType": "Whoever"})


# --- batches ------------------------------------------------------------------------------------------------------


def test_a_batch_tells_of_every_order_in_its_place(alice: Any) -> None:
    wanted = [
        {
            "symbol": BTC,
            "type": "limit",
            "side": "buy",
            "amount": 0.1,
            "price": 49000,
            "params": {"orderLinkId": "b-1"},
        },
        {
            "symbol": BTC,
            "type": "limit",
            "side": "buy",
            "amount": 0.1,
            "price": 49000,
            "params": {"orderLinkId": "b-1"},
        },
        {"symbol": ETH, "type": "limit", "side": "sell", "amount": 1, "price": 3100, "params": {"reduceOnly": True}},
        {"symbol": ETH, "type": "limit", "side": "sell", "amount": 1, "price": 3100},
    ]
    answers = alice.create_orders(wanted)
    assert [row["status"] for row in answers] == [None, "rejected", "rejected", None]
    assert [str(row["info"].get("code")) for row in answers] == ["None", "110072", "110017", "None"]
    ids = [answers[0]["id"], answers[3]["id"]]
    edited = alice.edit_orders(
        [
            {"id": ids[0], "symbol": BTC, "type": "limit", "side": "buy", "amount": 0.2, "price": 48000},
            {"id": str(uuid4()), "symbol": BTC, "type": "limit", "side": "buy", "amount": 0.2, "price": 48000},
        ]
    )
    assert [str(row["info"].get("code")) for row in edited] == ["None", "110001"]
    cancelled = alice.cancel_orders_for_symbols([{"id": ids[0], "symbol": BTC}, {"id": ids[1], "symbol": ETH}])
    assert sorted(row["id"] for row in cancelled) == sorted(ids)
    assert alice.fetch_open_orders(BTC) == alice.fetch_open_orders(ETH) == []
    with pytest.raises(ccxt.BadRequest, match="1 to 20"):
        alice.create_orders([dict(wanted[3]) for _ in range(21)])


def test_everything_is_cancelled_at_once_by_symbol_or_altogether(alice: Any) -> None:
    for symbol, price in ((BTC, 49000), (BTC, 48000), (ETH, 2900)):
        alice.create_order(symbol, "limit", "buy", 0.1, price)
    assert len(alice.cancel_all_orders(BTC)) == 2
    answer = alice.privatePostV5OrderCancelAll({"category": "linear", "settleCoin": "USDT"})
    assert len(answer["result"]["list"]) == 1
    assert alice.fetch_open_orders(ETH) == []


# --- settings -----------------------------------------------------------------------------------------------------


def test_settings_are_changed_and_sameness_is_refused_with_its_own_codes(alice: Any) -> None:
    alice.set_leverage(7, BTC)
    assert alice.fetch_leverage(BTC)["longLeverage"] == 7
    with pytest.raises(ccxt.BadRequest, match="110043"):
        alice.set_leverage(7, BTC)
    with pytest.raises(ccxt.BadRequest, match="110013"):
        alice.set_leverage(500, BTC)
    with pytest.raises(ccxt.MarginModeAlreadySet):
        alice.set_margin_mode("cross", BTC)
    with pytest.raises(ccxt.NoChange):
        alice.set_position_mode(False, BTC)
    assert alice.fetch_trading_fee(BTC)["taker"] == 0.00055


def test_the_margin_mode_is_the_whole_account_s(world: World, alice: Any) -> None:
    alice.set_leverage(10, BTC)
    alice.set_margin_mode("isolated", BTC)
    assert alice.privateGetV5AccountInfo()["result"]["marginMode"] == "ISOLATED_MARGIN"
    with pytest.raises(ccxt.MarginModeAlreadySet):
        alice.set_margin_mode("isolated", ETH)
    alice.create_order(BTC, "market", "buy", 0.1)
    with pytest.raises(ccxt.ExchangeError, match="open positions"):
        alice.set_margin_mode("cross", BTC)
    alice.set_leverage(5, BTC)
    (position,) = alice.fetch_positions([BTC])
    before = Decimal(position["info"]["positionBalance"])
    moved = {"category": "linear", "symbol": "BTCUSDT", "margin": "50"}
    row = alice.privatePostV5PositionAddMargin(moved)["result"]
    assert Decimal(row["positionBalance"]) == before + 50
    with pytest.raises(ccxt.BadRequest, match="isolated mode only"):
        alice.privatePostV5PositionAddMargin({**moved, "symbol": "ETHUSDT"})
    with pytest.raises(ccxt.BadRequest, match="margin invalid"):
        alice.privatePostV5PositionAddMargin({**moved, "margin": "lots"})
    # What is said of the margin of all positions together is left empty in this mode.
    assert alice.fetch_balance()["info"]["result"]["list"][0]["totalAvailableBalance"] == ""
    alice.create_order(BTC, "market", "sell", 0.1, None, {"reduceOnly": True})
    alice.set_margin_mode("cross", BTC)


def test_a_liquidation_is_told_as_one(world: World) -> None:
    carl = Trader("carl", "carl-key", "carl-secret")
    world.admin("accounts", address="carl", deposit="1000", api_key=carl.key, api_secret=carl.secret)
    client = world.ccxt(carl)
    client.load_markets()
    client.set_leverage(100, BTC)
    client.create_order(BTC, "market", "buy", 1.5)
    resting = client.create_order(BTC, "limit", "buy", 0.001, 45000)
    world.admin("mark", coin="BTC", price="49600")
    (bust,) = client.fetch_my_liquidations(BTC)
    assert (bust["info"]["execType"], bust["info"]["createType"]) == ("BustTrade", "CreateByLiq")
    ended = client.fetch_order(bust["info"]["orderId"], BTC, {"acknowledged": True})
    assert (ended["info"]["createType"], ended["status"]) == ("CreateByLiq", "closed")
    gone = client.fetch_order(resting["id"], BTC, {"acknowledged": True})
    assert gone["info"]["cancelType"] == "CancelAllBeforeLiq"
    ledger = client.fetch_ledger("USDT")
    wallet = client.fetch_balance()["info"]["result"]["list"][0]["coin"][0]["walletBalance"]
    assert Decimal(1000) + sum(Decimal(row["info"]["change"]) for row in ledger) == Decimal(wallet)


# --- refusals -----------------------------------------------------------------------------------------------------


def test_refusals_carry_the_codes_that_ccxt_knows(alice: Any) -> None:
    def order(
        kind: str = "limit", side: str = "buy", amount: float = 0.1, price: float | None = 49000, **more: Any
    ) -> None:
        alice.create_order(BTC, kind, side, amount, price, more)

    for error, code, attempt in (
        (ccxt.InsufficientFunds, "110007", lambda: order(amount=90)),
        (ccxt.InvalidOrder, "110094", lambda: order(amount=0.001, price=1000)),
        (ccxt.InvalidOrder, "110017", lambda: order(side="sell", price=51000, reduceOnly=True)),
        (ccxt.BadRequest, "10001", lambda: order(price=49000, positionIdx=1)),
        (ccxt.BadRequest, "10001", lambda: order(price=49000, orderLinkId="x" * 37)),
    ):
        with pytest.raises(error, match=code):
            attempt()
    assert alice.fetch_open_orders(BTC) == []
    order(clientOrderId="twice")
    with pytest.raises(ccxt.InvalidOrder, match="110072"):
        order(clientOrderId="twice")


def test_who_does_not_sign_as_the_venue_wants_it_is_turned_away(world: World, alice: Any) -> None:
    stranger = world.ccxt(Trader("nobody", "no-key", "no-secret"))
    liar = world.ccxt(Trader("alice", ALICE.key, BOB.secret))
    late = world.ccxt()
    late.nonce = lambda: late.milliseconds() - 6_000
    early = world.ccxt()
    early.nonce = lambda: early.milliseconds() + 6_000
    for client, error, code in (
        (stranger, ccxt.AuthenticationError, "10003"),
        (liar, ccxt.AuthenticationError, "10004"),
        (late, ccxt.InvalidNonce, "10002"),
        (early, ccxt.InvalidNonce, "10002"),
    ):
        with pytest.raises(error, match=code):
            client.privateGetV5AccountWalletBalance({"accountType": "UNIFIED"})
        with pytest.raises(error, match=code):
            client.privatePostV5OrderCreate({"category": "linear", "symbol": "BTCUSDT", "side": "Buy"})
    assert alice.fetch_positions([BTC])[0]["contracts"] in (0, 0.0, None)


# --- limits and faults --------------------------------------------------------------------------------------------


def test_an_endpoint_has_a_second_of_its_own_and_says_so_in_headers() -> None:
    with bybit_world() as world:
        alice = world.ccxt()
        alice.load_markets()
        order = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.1"}
        many = [{**order, "price": str(49_000 - step)} for step in range(18)]
        # Beyond the allowance a batch fails order by order: its first ten stand.
        answer = alice.privatePostV5OrderCreateBatch({"category": "linear", "request": many})
        codes = [row["code"] for row in answer["retExtInfo"]["list"]]
        assert codes == [0] * 10 + [10006] * 8
        headers = {name.lower(): value for name, value in alice.last_response_headers.items()}
        assert (headers["x-bapi-limit"], headers["x-bapi-limit-status"]) == ("10", "0")
        assert int(headers["x-bapi-limit-reset-timestamp"]) % 1000 == 0
        query = {"category": "linear", "symbol": "BTCUSDT"}
        assert len(alice.privateGetV5OrderRealtime(query)["result"]["list"]) == 10
        with pytest.raises(ccxt.RateLimitExceeded, match="10006"):
            _cancel_nothing(alice, 200)


def _cancel_nothing(client: Any, times: int) -> None:
    for _ in range(times):
        with contextlib.suppress(ccxt.OrderNotFound):
            client.cancel_order(None, BTC, {"orderLinkId": "none"})


def test_an_address_that_asks_too_often_is_shut_out_for_minutes() -> None:
    with bybit_world() as world, requests.Session() as session:
        url = f"{world.rest_url}/v5/market/time"
        statuses = [session.get(url, timeout=5).status_code for _ in range(1_300)]
        assert 403 in statuses
        assert set(statuses[statuses.index(403) :]) == {403}
        answer = session.get(url, timeout=5)
        assert "access too frequent" in answer.text
        with pytest.raises(ccxt.RateLimitExceeded):
            world.ccxt().fetch_time()


def test_faults_break_the_line_before_and_after_the_order(world: World, alice: Any) -> None:
    def place(link: str) -> Any:
        return alice.create_order(BTC, "limit", "buy", 0.1, 49000, {"clientOrderId": link})

    world.fault("reject", value="not today", count=1, path="/v5/order/create")
    with pytest.raises(ccxt.BadRequest, match="not today"):
        place("a")
    world.fault("error_5xx", value=502, count=1, action="create")
    with pytest.raises(ccxt.ExchangeNotAvailable):
        place("b")
    world.fault("rate_limit", count=1, action="create")
    with pytest.raises(ccxt.RateLimitExceeded):
        place("c")
    assert alice.fetch_open_orders(BTC) == []
    world.fault("accept_then_drop", count=1, action="create")
    with pytest.raises(ccxt.NetworkError):
        place("d")
    assert [row["clientOrderId"] for row in alice.fetch_open_orders(BTC)] == ["d"]
    world.fault("clock_skew_ms", value=60_000)
    with pytest.raises(ccxt.InvalidNonce):
        place("e")
    world.heal()
    place("f")


# --- shape --------------------------------------------------------------------------------------------------------


def test_funding_is_told_as_an_execution_and_in_the_log_with_the_same_amount(world: World, alice: Any) -> None:
    bob = world.ccxt(BOB)
    for client, side, amount in ((alice, "buy", 0.1), (bob, "sell", 0.2)):
        client.load_markets()
        client.create_order(BTC, "market", side, amount)
    world.mock.call(lambda exchange: exchange.pay_funding())
    for client, side, sign in ((alice, "Buy", 1), (bob, "Sell", -1)):
        (paid,) = client.fetch_funding_history(BTC)
        row = paid["info"]
        assert (row["execType"], row["side"]) == ("Funding", side)
        # The rate was above zero: who is long pays, and each side sees the rate with its own sign.
        assert Decimal(row["execFee"]) * sign > 0
        assert Decimal(row["feeRate"]) * sign > 0
        query = {"accountType": "UNIFIED", "category": "linear", "type": "SETTLEMENT"}
        (logged,) = client.privateGetV5AccountTransactionLog(query)["result"]["list"]
        assert Decimal(logged["funding"]) == Decimal(logged["change"]) == -Decimal(row["execFee"])
        assert row["execTime"] == logged["transactionTime"]
        # What ccxt calls trades leaves funding out.
        assert len(client.fetch_my_trades(BTC)) == 1
    (rate,) = alice.fetch_funding_rate_history(BTC)
    assert rate["fundingRate"] > 0
