"""The unmodified ccxt client trades at the mock's Binance: every request it sends is answered as it expects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

from tests.contract.binance_ccxt import client, settings
from tests.contract.suite.scene import VenueScene, served
from tests.contract.suite.venues.binance import VENUE

pytestmark = pytest.mark.contract

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


@pytest.fixture(scope="module")
def scene() -> Iterator[VenueScene]:
    with served(VENUE) as scene:
        yield scene


@pytest.fixture(scope="module")
def ready(scene: VenueScene) -> Any:
    """Return a ccxt client that has read the market's rules."""
    exchange = client(scene)
    exchange.load_markets()
    return exchange


@pytest.fixture
def bot(scene: VenueScene, ready: Any) -> Any:
    """Return the client with an account of the test's own."""
    ready.apiKey, ready.secret = scene.open_account().credentials.signer_key.split(":")
    return ready


def test_the_market_is_read_as_at_the_venue(scene: VenueScene, bot: Any) -> None:
    market = bot.market(BTC)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
    assert (market["limits"]["cost"]["min"], market["contract"], market["linear"]) == (100.0, True, True)
    book = bot.fetch_order_book(BTC)
    assert (book["bids"][0][0], book["asks"][0][0]) == (49_990.0, 50_010.0)
    assert book["nonce"]
    scene.trade("buy", "50010", "0.01")
    assert bot.fetch_trades(BTC)[-1]["price"] == 50_010.0
    assert bot.fetch_ohlcv(BTC)[-1][4] == 50_010.0
    assert bot.fetch_ticker(BTC)["last"] == 50_010.0
    assert set(bot.fetch_tickers()) == {BTC, ETH}
    assert bot.fetch_bids_asks([BTC])[BTC]["bid"] == 49_990.0
    assert bot.fetch_funding_rate(BTC)["markPrice"] == 50_000.0
    assert bot.fetch_funding_rate_history(BTC) == []
    assert bot.fetch_open_interest(BTC)["openInterestAmount"] is not None
    assert abs(bot.fetch_time() - bot.milliseconds()) < 60_000


def test_settings_of_the_account(bot: Any) -> None:
    assert bot.fetch_balance()["USDT"] == {"free": 100_000.0, "used": 0.0, "total": 100_000.0}
    assert bot.set_leverage(10, BTC)["leverage"] == 10
    assert bot.fetch_leverage(BTC)["longLeverage"] == 10
    assert bot.fetch_leverage_tiers([BTC])[BTC][0]["maxLeverage"] == 125
    assert bot.fetch_position_mode()["hedged"] is False
    assert bot.fetch_trading_fee(BTC)["taker"] == 0.0005
    # The venue refuses what changes nothing; ccxt has classes for it.
    with pytest.raises(ccxt.MarginModeAlreadySet):
        bot.set_margin_mode("cross", BTC)
    with pytest.raises(ccxt.OperationRejected):
        bot.set_position_mode(False, BTC)
    with pytest.raises(ccxt.BadRequest):
        bot.set_leverage(126, BTC)


def test_isolated_margin(bot: Any) -> None:
    bot.set_margin_mode("isolated", BTC)
    bot.set_leverage(10, BTC)
    assert bot.fetch_leverage(BTC)["marginMode"] == "isolated"
    bot.create_order(BTC, "market", "buy", 0.01)
    (position,) = bot.fetch_positions()
    assert position["marginMode"] == "isolated"
    before = position["collateral"]
    bot.add_margin(BTC, 20)
    (position,) = bot.fetch_positions()
    assert position["collateral"] == pytest.approx(before + 20)
    account = bot.fapiPrivateV3GetAccount()
    assert float(account["totalWalletBalance"]) - float(account["totalCrossWalletBalance"]) == pytest.approx(
        float(account["positions"][0]["isolatedWallet"])
    )
    with pytest.raises(ccxt.ExchangeError, match="-4048"):
        bot.set_margin_mode("cross", BTC)


def test_an_order_rests_is_amended_in_place_and_cancelled(bot: Any) -> None:
    placed = bot.create_order(BTC, "limit", "buy", 0.01, 49_000)
    assert (placed["status"], placed["price"], placed["amount"]) == ("open", 49_000.0, 0.01)
    assert placed["clientOrderId"].startswith("x-")
    assert bot.fetch_order(placed["id"], BTC)["status"] == "open"
    by_name = bot.fetch_order(None, BTC, {"origClientOrderId": placed["clientOrderId"]})
    assert by_name["id"] == placed["id"]
    changed = bot.edit_order(placed["id"], BTC, "limit", "buy", 0.02, 49_100)
    assert (changed["id"], changed["amount"], changed["price"]) == (placed["id"], 0.02, 49_100.0)
    with pytest.raises(ccxt.ExchangeError, match="-5027"):
        bot.edit_order(placed["id"], BTC, "limit", "buy", 0.02, 49_100)
    assert [order["id"] for order in bot.fetch_open_orders(BTC)] == [placed["id"]]
    assert bot.cancel_order(placed["id"], BTC)["status"] == "canceled"
    assert bot.fetch_order(placed["id"], BTC)["status"] == "canceled"
    assert bot.fetch_open_orders() == []


def test_kinds_of_orders_and_what_becomes_of_them(bot: Any) -> None:
    market = bot.create_order(BTC, "market", "buy", 0.01)
    assert (market["status"], market["average"], market["filled"]) == ("closed", 50_010.0, 0.01)
    for tif in ("IOC", "FOK"):
        missed = bot.create_order(BTC, "limit", "buy", 0.01, 49_000, {"timeInForce": tif})
        assert (missed["status"], missed["filled"]) == ("expired", 0.0)
    rests = bot.create_order(BTC, "limit", "buy", 0.01, 49_000, {"postOnly": True})
    assert (rests["timeInForce"], rests["status"]) == ("GTX", "open") or rests["postOnly"]
    with pytest.raises(ccxt.OrderNotFillable):
        bot.create_order(BTC, "limit", "buy", 0.01, 50_100, {"postOnly": True})
    closed = bot.create_order(BTC, "market", "sell", 5, None, {"reduceOnly": True})
    # Cut to the position, as the venue does.
    assert (closed["status"], closed["filled"]) == ("closed", 0.01)
    assert bot.fetch_positions() == []
    trades = bot.fetch_my_trades(BTC)
    assert [(trade["side"], trade["amount"], trade["takerOrMaker"]) for trade in trades] == [
        ("buy", 0.01, "taker"),
        ("sell", 0.01, "taker"),
    ]
    assert trades[0]["fee"] == {"cost": 0.25005, "currency": "USDT"}
    assert {row["type"] for row in bot.fetch_ledger()} >= {"commission"}
    assert len(bot.fetch_orders(BTC)) == 5


def test_who_ends_when_an_account_would_trade_with_itself(bot: Any) -> None:
    ended = {"EXPIRE_MAKER": ("expired", "open"), "EXPIRE_TAKER": ("open", "expired"), "EXPIRE_BOTH": ("expired",) * 2}
    for mode, statuses in ended.items():
        rests = bot.create_order(BTC, "limit", "sell", 0.01, 50_005)
        takes = bot.create_order(BTC, "limit", "buy", 0.01, 50_005, {"selfTradePreventionMode": mode})
        assert takes["info"]["selfTradePreventionMode"] == mode
        found = tuple(bot.fetch_order(order["id"], BTC)["info"]["status"] for order in (rests, takes))
        words = {"expired": "EXPIRED_IN_MATCH", "open": "NEW"}
        assert found == tuple(words[status] for status in statuses)
        bot.cancel_all_orders(BTC)
    assert bot.fetch_positions() == []


def test_an_order_lives_until_its_date(bot: Any) -> None:
    soon = {"timeInForce": "GTD", "goodTillDate": bot.milliseconds() + 10_000}
    with pytest.raises(ccxt.ExchangeError, match="-4186"):
        bot.create_order(BTC, "limit", "buy", 0.01, 49_000, soon)
    until = bot.milliseconds() + 700_000
    order = bot.create_order(BTC, "limit", "buy", 0.01, 49_000, {"timeInForce": "GTD", "goodTillDate": until})
    assert order["info"]["goodTillDate"] == until // 1_000 * 1_000


def test_a_position_is_told_with_its_worth(bot: Any) -> None:
    bot.create_order(BTC, "market", "sell", 0.02)
    (position,) = bot.fetch_positions()
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("short", 0.02, 49_990.0)
    assert (position["markPrice"], position["unrealizedPnl"]) == (50_000.0, -0.2)
    account = bot.fapiPrivateV3GetAccount()
    wallet, profit = float(account["totalWalletBalance"]), float(account["totalUnrealizedProfit"])
    assert float(account["totalMarginBalance"]) == pytest.approx(wallet + profit)
    assert float(account["positions"][0]["notional"]) == -1_000.0


def test_conditional_orders_live_on_the_algo_endpoints(scene: VenueScene, bot: Any) -> None:
    """Stops and their kin never go to /order: ccxt sends them to /algoOrder, and reads them back with trigger=True."""
    bot.create_order(BTC, "market", "buy", 0.01)
    reduce = {"reduceOnly": True}
    stop = bot.create_order(BTC, "market", "sell", 0.01, None, {"stopLossPrice": 45_000, **reduce})
    profit = bot.create_order(BTC, "limit", "sell", 0.01, 56_000, {"takeProfitPrice": 55_000, **reduce})
    trail = bot.create_order(BTC, "market", "sell", 0.01, None, {"trailingPercent": 1, **reduce})
    waiting = bot.fetch_open_orders(BTC, None, None, {"trigger": True})
    assert {order["id"] for order in waiting} == {stop["id"], profit["id"], trail["id"]}
    assert bot.fetch_open_orders(BTC) == []
    assert bot.fetch_order(stop["id"], BTC, {"trigger": True})["triggerPrice"] == 45_000.0
    bot.cancel_order(stop["id"], BTC, {"trigger": True})
    with pytest.raises(ccxt.OrderNotFound):
        bot.cancel_order(stop["id"], BTC, {"trigger": True})
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        bot.create_order(BTC, "market", "sell", 0.01, None, {"stopLossPrice": 51_000, **reduce})
    with scene.mark_at(55_100):
        released = [order for order in bot.fetch_open_orders(BTC) if order["price"] == 56_000.0]
        assert len(released) == 1
        done = bot.fapiPrivateGetAlgoOrder({"algoId": profit["id"]})
    assert (done["algoStatus"], done["actualOrderId"]) == ("TRIGGERED", released[0]["id"])
    bot.cancel_all_orders(BTC)
    bot.cancel_all_orders(BTC, {"trigger": True})
    assert bot.fetch_open_orders(BTC, None, None, {"trigger": True}) == []


def test_a_batch_is_answered_item_by_item(bot: Any) -> None:
    def wanted(amount: float, price: float) -> dict[str, Any]:
        return {"symbol": BTC, "type": "limit", "side": "buy", "amount": amount, "price": price}

    mixed = bot.create_orders([wanted(0.01, 49_000), wanted(0.001, 49_000), wanted(0.01, 49_001)])
    # The venue answers in the order of the request; ccxt sorts by time, and a refused order has none.
    assert [order["status"] for order in mixed] == ["rejected", "open", "open"]
    assert mixed[0]["info"]["code"] == -4164
    ids = [order["id"] for order in mixed if order["id"]]
    changed = bot.edit_orders(
        [{"id": i, "symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": 48_000} for i in ids]
    )
    assert [order["price"] for order in changed] == [48_000.0, 48_000.0]
    gone = bot.fapiPrivateDeleteBatchOrders({"symbol": "BTCUSDT", "orderidlist": [*ids, "1"]})
    assert [order.get("status", order.get("code")) for order in gone] == ["CANCELED", "CANCELED", -2011]
    # ccxt's own cancel_orders drops what failed: it has no symbol.
    assert bot.cancel_orders([*ids, "1"], BTC) == []
    # ccxt sends six without a word; the venue takes five.
    with pytest.raises(ccxt.ExchangeError, match="-4082"):
        bot.create_orders([wanted(0.01, 49_000 + i) for i in range(6)])
    assert bot.fetch_open_orders() == []


@pytest.mark.parametrize(
    ("error", "code", "act"),
    [
        (ccxt.InsufficientFunds, "-2019", lambda bot: bot.create_order(BTC, "limit", "buy", 1_000, 49_000)),
        (ccxt.InvalidOrder, "-4164", lambda bot: bot.create_order(BTC, "limit", "buy", 0.001, 49_000)),
        (
            ccxt.InvalidOrder,
            "-2022",
            lambda bot: bot.create_order(ETH, "market", "sell", 1, None, {"reduceOnly": True}),
        ),
        (ccxt.OrderNotFound, "-2011", lambda bot: bot.cancel_order("1", BTC)),
        (ccxt.OrderNotFound, "-2013", lambda bot: bot.fetch_order("1", BTC)),
        (ccxt.BadRequest, "-1111", lambda bot: _raw(bot, price="49000.05")),
        (ccxt.BadSymbol, "-1121", lambda bot: _raw(bot, symbol="NOSUCHUSDT")),
        (ccxt.ExchangeError, "-4016", lambda bot: _raw(bot, price="60000")),
        (ccxt.ExchangeError, "-4120", lambda bot: _raw(bot, type="STOP_MARKET", stopPrice="45000")),
        (ccxt.InvalidNonce, "-1021", lambda bot: _raw(bot, timestamp=1_000_000)),
        (ccxt.BadRequest, "-1102", lambda bot: bot.fapiPrivatePostOrder({"symbol": "BTCUSDT"})),
    ],
)
def test_refusals_become_the_class_ccxt_has_for_them(bot: Any, error: type[Exception], code: str, act: Any) -> None:
    with pytest.raises(error, match=code):
        act(bot)
    assert bot.fetch_open_orders() == []


def test_a_client_order_id_is_used_once_while_it_lives(bot: Any) -> None:
    first = bot.create_order(BTC, "limit", "buy", 0.01, 49_000, {"newClientOrderId": "mine"})
    with pytest.raises(ccxt.InvalidOrder, match="-4116"):
        bot.create_order(BTC, "limit", "buy", 0.01, 48_000, {"newClientOrderId": "mine"})
    assert [order["id"] for order in bot.fetch_open_orders()] == [first["id"]]
    with pytest.raises(ccxt.ExchangeError, match="-4115"):
        bot.create_order(BTC, "limit", "buy", 0.01, 48_000, {"newClientOrderId": "x" * 37})


def test_who_signs_wrong_is_refused(scene: VenueScene, bot: Any) -> None:
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        client(scene, "nobody", "secret").fetch_balance()
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        client(scene, bot.apiKey, "another").fetch_balance()


def test_without_ccxt_s_own_table_a_lack_of_margin_has_no_class(scene: VenueScene, bot: Any) -> None:
    """ccxt finds the futures errors by the start of the URL (wire.md 0.2); `prepared` merges the table in."""
    raw = ccxt.binanceusdm(settings(scene, bot.apiKey, bot.secret))
    raw.has["fetchCurrencies"] = False
    with pytest.raises(ccxt.ExchangeError) as caught:
        raw.create_order(BTC, "limit", "buy", 1_000, 49_000)
    assert not isinstance(caught.value, ccxt.InsufficientFunds)


def test_the_countdown_cancels_one_symbol(scene: VenueScene, bot: Any) -> None:
    for symbol, price in ((BTC, 49_000), (ETH, 2_900)):
        bot.create_order(symbol, "limit", "buy", 0.1, price)
    assert bot.fapiPrivatePostCountdownCancelAll({"symbol": "BTCUSDT", "countdownTime": 60_000}) == {
        "symbol": "BTCUSDT",
        "countdownTime": "60000",
    }
    bot.fapiPrivatePostCountdownCancelAll({"symbol": "BTCUSDT", "countdownTime": 0})
    bot.fapiPrivatePostCountdownCancelAll({"symbol": "BTCUSDT", "countdownTime": 1})
    for _ in range(200):
        if len(left := bot.fetch_open_orders()) == 1:
            break
    assert [order["symbol"] for order in left] == [ETH]
    with pytest.raises(ccxt.NotSupported):
        bot.cancel_all_orders_after(5_000)


def _raw(bot: Any, **changes: object) -> None:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    bot.fapiPrivatePostOrder({**order, "price": "49000", **changes})
