"""The unmodified ccxt clients at the mock's Binance spot market, over HTTP and both kinds of socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ccxt
import pytest

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import venues_in_thread
from apps.exchanges.mock.venues import VENUES, mark_on_grid
from apps.exchanges.mock.wire.config import WireConfig
from moondev.domain.clock import LiveClock
from tests.contract.binance_ccxt import client, spot_client
from tests.contract.suite.scene import MARKS, SPECS, VenueScene
from tests.contract.suite.venues.binance import VENUE
from tests.contract.test_binance_wire_answers import differences
from tests.unit.apps.exchanges.venues.binance import recordings

pytestmark = pytest.mark.contract

BTC = "BTC/USDT"
LONGEST_SECONDS = 10.0


@pytest.fixture(scope="module")
def scene() -> Iterator[VenueScene]:
    """Serve futures and spot pairs of one engine, with quotes in the spot book of Bitcoin."""
    rules, clock = VENUES["binance"], LiveClock()
    specs = [rules.spec(spec, MARKS[spec.coin]) for spec in SPECS]
    pairs = rules.spot_pairs(SPECS, MARKS)
    marks = {spec.coin: mark_on_grid(spec, MARKS[spec.coin]) for spec in specs}
    marks |= {pair.coin: mark_on_grid(pair, MARKS[coin]) for coin, pair in pairs.items()}
    engine = Exchange([*specs, *pairs.values()], clock, marks, rules.engine())
    config = rules.wire_config(WireConfig(book_interval_ms=20, limits=False))
    with venues_in_thread({"binance": engine}, clock, config) as mock:
        scene = VenueScene(VENUE, mock)
        for side, price in (("buy", "49990"), ("sell", "50010")):
            scene.quote(side, price, "40", coin=BTC)
        yield scene


@pytest.fixture(scope="module")
def ready(scene: VenueScene) -> Any:
    exchange = spot_client(scene)
    exchange.load_markets()
    return exchange


@pytest.fixture
def bot(scene: VenueScene, ready: Any) -> Any:
    """Return a ccxt client with 50,000 dollars at the spot market and as much at the futures."""
    ready.apiKey, ready.secret = scene.open_account().credentials.signer_key.split(":")
    ready.transfer("USDT", 50_000, "linear", "spot")
    return ready


def test_the_market_is_read_as_at_the_venue(scene: VenueScene, bot: Any) -> None:
    market = bot.market(BTC)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.0001)
    assert (market["limits"]["cost"]["min"], market["spot"]) == (5.0, True)
    scene.trade("buy", "50010", "0.01", coin=BTC)
    assert bot.fetch_order_book(BTC)["bids"][0] == [49_990.0, 40.0]
    assert bot.fetch_trades(BTC)[-1]["price"] == 50_010.0
    assert bot.fetch_ohlcv(BTC)[-1][4] == 50_010.0
    assert (bot.fetch_ticker(BTC)["last"], bot.fetch_ticker(BTC)["bid"]) == (50_010.0, 49_990.0)
    assert set(bot.fetch_tickers()) == {BTC, "ETH/USDT"}
    assert bot.fetch_trading_fee(BTC)["taker"] == 0.001


def test_what_is_bought_is_held_and_what_rests_is_locked(bot: Any) -> None:
    order = bot.create_order(BTC, "limit", "buy", 0.01, 49_000)
    assert order["status"] == "open"
    assert bot.fetch_balance()["USDT"] == {"free": 49_510.0, "used": 490.0, "total": 50_000.0}
    # The venue replaces a spot order: another id, in the same breath.
    moved = bot.edit_order(order["id"], BTC, "limit", "buy", 0.02, 48_000)
    assert (moved["id"] == order["id"], moved["amount"], moved["price"]) == (False, 0.02, 48_000.0)
    assert [one["id"] for one in bot.fetch_open_orders(BTC)] == [moved["id"]]
    assert bot.cancel_order(moved["id"], BTC)["status"] == "canceled"
    bought = bot.create_order(BTC, "market", "buy", 0.02)
    assert (bought["status"], bought["average"], bought["filled"]) == ("closed", 50_010.0, 0.02)
    # The fee is taken from what is received.
    assert bought["fee"] == {"currency": "BTC", "cost": 0.00002, "rate": None} or bought["fees"]
    assert bot.fetch_balance()["BTC"]["total"] == pytest.approx(0.02 * 0.999)
    spent = bot.create_order(BTC, "market", "buy", None, None, {"cost": 500})
    assert 490 < spent["cost"] <= 505
    (first, *_) = bot.fetch_my_trades(BTC)
    assert (first["side"], first["fee"]["currency"], first["takerOrMaker"]) == ("buy", "BTC", "taker")
    assert bot.fetch_balance()["USDT"]["total"] == pytest.approx(50_000 - bought["cost"] - spent["cost"])


def test_orders_that_wait_for_a_price(scene: VenueScene, bot: Any) -> None:
    bot.create_order(BTC, "market", "buy", 0.02)
    stop = bot.create_order(BTC, "limit", "sell", 0.01, 44_000, {"stopLossPrice": 45_000})
    bot.create_order(BTC, "limit", "sell", 0.005, 56_000, {"takeProfitPrice": 55_000})
    waiting = bot.fetch_open_orders(BTC)
    assert [one["triggerPrice"] for one in waiting] == [45_000.0, 55_000.0]
    assert {one["info"]["isWorking"] for one in waiting} == {False}
    scene.admin("mark", coin=BTC, price=44_900)
    assert bot.fetch_order(stop["id"], BTC)["status"] == "closed"
    scene.admin("mark", coin=BTC, price=50_000)
    assert len(bot.cancel_all_orders(BTC)) == 1
    with pytest.raises(ccxt.OrderNotFound):
        bot.cancel_all_orders(BTC)


@pytest.mark.parametrize(
    ("error", "words", "act"),
    [
        (ccxt.InsufficientFunds, "insufficient balance", lambda bot: bot.create_order(BTC, "limit", "sell", 9, 51_000)),
        (ccxt.BadRequest, "NOTIONAL", lambda bot: bot.create_order(BTC, "limit", "buy", 0.0001, 40_000)),
        (ccxt.InvalidOrder, "PRICE_FILTER", lambda bot: _raw(bot, price="49000.001")),
        (ccxt.InvalidOrder, "LOT_SIZE", lambda bot: _raw(bot, quantity="0.00001")),
        (ccxt.InvalidOrder, "PERCENT_PRICE", lambda bot: _raw(bot, price="1")),
        (ccxt.OrderImmediatelyFillable, "match and take", lambda bot: _maker(bot, 50_100)),
        (ccxt.OrderNotFound, "-2011", lambda bot: bot.cancel_order("1", BTC)),
        (ccxt.OrderNotFound, "-2013", lambda bot: bot.fetch_order("1", BTC)),
        (ccxt.BadRequest, "-1102", lambda bot: bot.privatePostOrder({"symbol": "BTCUSDT"})),
        (ccxt.BadRequest, "-1100", lambda bot: _raw(bot, newClientOrderId="x" * 37)),
        (ccxt.ExchangeError, "-9000", lambda bot: bot.transfer("USDT", 10**9, "linear", "spot")),
        (ccxt.InvalidNonce, "-1021", lambda bot: _raw(bot, timestamp=1)),
    ],
)
def test_refusals_become_the_class_ccxt_has_for_them(bot: Any, error: type[Exception], words: str, act: Any) -> None:
    with pytest.raises(error, match=words):
        act(bot)
    assert bot.fetch_open_orders() == []


def test_a_name_is_used_once_and_a_maker_rests(bot: Any) -> None:
    assert _maker(bot, 49_000)["info"]["type"] == "LIMIT_MAKER"
    with pytest.raises(ccxt.InvalidOrder, match="Duplicate"):
        bot.create_order(BTC, "limit", "buy", 0.01, 48_000, {"newClientOrderId": "maker"})
    assert bot.create_order(BTC, "limit", "buy", 0.01, 48_000, {"timeInForce": "IOC"})["status"] == "expired"
    assert len(bot.fetch_orders(BTC)) == 2


def test_replacing_says_which_half_failed(bot: Any) -> None:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    rests = bot.privatePostOrder({**order, "price": "48000"})
    asked = {**order, "price": "47000", "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": 1}
    with pytest.raises(ccxt.BaseError):
        bot.privatePostOrderCancelReplace(asked)
    failed = json.loads(bot.last_http_response)
    assert (failed["code"], failed["data"]["newOrderResult"]) == (-2022, "NOT_ATTEMPTED")
    assert len(bot.fetch_open_orders()) == 1
    with pytest.raises(ccxt.BaseError):
        bot.privatePostOrderCancelReplace({**asked, "price": "0.5", "cancelOrderId": rests["orderId"]})
    partly = json.loads(bot.last_http_response)
    assert (partly["code"], partly["data"]["cancelResult"], partly["data"]["newOrderResult"]) == (
        -2021,
        "SUCCESS",
        "FAILURE",
    )
    assert bot.fetch_open_orders() == []


def test_spot_and_futures_keep_apart(scene: VenueScene, bot: Any) -> None:
    futures = client(scene, bot.apiKey, bot.secret)
    bot.create_order(BTC, "market", "buy", 0.02)
    bot.create_order(BTC, "limit", "buy", 0.02, 49_000)
    assert futures.fetch_balance()["USDT"]["total"] == 50_000.0
    assert (futures.fetch_open_orders(), futures.fetch_positions(), futures.fetch_my_trades("BTC/USDT:USDT")) == (
        [],
        [],
        [],
    )
    assert futures.fetch_ledger() == []
    futures.create_order("BTC/USDT:USDT", "limit", "buy", 0.01, 48_000)
    assert len(bot.fetch_open_orders()) == 1


@pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT)
def test_answers_have_the_venue_s_fields_and_types(bot: Any) -> None:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    one = {"symbol": "BTCUSDT"}
    asked = {
        "Account/GetAccountInfo": bot.privateGetAccount,
        "ExchangeData/GetExchangeInfo": bot.publicGetExchangeInfo,
        "ExchangeData/GetTicker": lambda: bot.publicGetTicker24hr(one),
        "ExchangeData/GetBookPrice": lambda: bot.publicGetTickerBookTicker(one),
        "ExchangeData/GetPrice": lambda: bot.publicGetTickerPrice(one),
        "ExchangeData/GetKlines": lambda: bot.publicGetKlines({**one, "interval": "1m"}),
        "ExchangeData/GetRecentTrades": lambda: bot.publicGetTrades(one),
        "ExchangeData/GetAggregatedTradeHistory": lambda: bot.publicGetAggTrades(one),
        "ExchangeData/GetAvgPrice": lambda: bot.publicGetAvgPrice(one),
        "ExchangeData/GetServerTime": bot.publicGetTime,
        "Trading/PlaceOrder": lambda: bot.privatePostOrder({**order, "price": "50100"}),
        "Trading/GetUserTrades": lambda: bot.privateGetMyTrades(one),
        "Trading/GetOrder": lambda: bot.privateGetOrder({**one, "orderId": _placed(bot)}),
        "Trading/GetOpenOrders": lambda: bot.privateGetOpenOrders(one),
        "Trading/GetOrders": lambda: bot.privateGetAllOrders(one),
        "Trading/CancelOrder": lambda: bot.privateDeleteOrder({**one, "orderId": _placed(bot)}),
    }
    found = {}
    for name, ask in asked.items():
        ask()
        theirs = json.loads((recordings.FOLDER / f"Endpoints/Spot/{name}.json").read_text())["response"]
        found[name] = differences(theirs, json.loads(bot.last_http_response))
    assert {name: lacks for name, lacks in found.items() if lacks} == {}


def listened(scene: VenueScene, story: Callable[[Any], Awaitable[None]]) -> None:
    """Run a story with a listener that has an account with spot money, and close it whatever happens."""

    async def run() -> None:
        exchange = spot_client(scene, *scene.open_account().credentials.signer_key.split(":"), pro=True)
        try:
            await exchange.load_markets()
            await exchange.transfer("USDT", 50_000, "linear", "spot")
            await asyncio.wait_for(story(exchange), LONGEST_SECONDS)
        finally:
            await exchange.close()

    asyncio.run(run())


async def heard(watch: Awaitable[Any], cause: Callable[[], object]) -> Any:
    """Return what `watch` tells, while `cause` happens again and again until it does."""
    task = asyncio.ensure_future(watch)
    while not task.done():
        await asyncio.to_thread(cause)
        await asyncio.wait([task], timeout=0.1)
    return task.result()


def test_the_public_streams_are_understood(scene: VenueScene) -> None:
    def trade() -> None:
        scene.trade("buy", "50010", "0.01", coin=BTC)

    async def story(exchange: Any) -> None:
        book = await heard(exchange.watch_order_book(BTC), trade)
        assert (book["bids"][0][0], book["asks"][0][0]) == (49_990.0, 50_010.0)
        (first, *_) = await heard(exchange.watch_trades(BTC), trade)
        assert (first["price"], first["side"]) == (50_010.0, "buy")
        assert (await heard(exchange.watch_ohlcv(BTC, "1m"), trade))[-1][4] == 50_010.0
        assert (await heard(exchange.watch_ticker(BTC), trade))["last"] == 50_010.0
        assert (await heard(exchange.watch_bids_asks([BTC]), trade))[BTC]["bid"] == 49_990.0

    listened(scene, story)


def test_the_account_s_news_come_over_the_websocket_api(scene: VenueScene) -> None:
    """There are no listen keys here any more: a signed request on the socket subscribes it (wire.md 2.3)."""

    async def story(exchange: Any) -> None:
        # Asking for the account over the same socket is answered after the subscription it follows.
        balances = asyncio.ensure_future(exchange.watch_balance())
        await asyncio.sleep(0)
        await exchange.fetch_balance_ws()
        orders = asyncio.ensure_future(exchange.watch_orders(BTC))
        trades = asyncio.ensure_future(exchange.watch_my_trades(BTC))
        await asyncio.sleep(0)
        placed = await exchange.create_order(BTC, "market", "buy", 0.02)
        assert (await orders)[0]["id"] == placed["id"]
        (trade,) = await trades
        assert (trade["price"], trade["fee"]["currency"]) == (50_010.0, "BTC")
        assert (await balances)["USDT"]["total"] == pytest.approx(50_000 - 0.02 * 50_010)

    listened(scene, story)


def test_orders_travel_over_the_websocket_api(scene: VenueScene) -> None:
    async def story(exchange: Any) -> None:
        placed = await exchange.create_order_ws(BTC, "limit", "buy", 0.01, 49_000)
        assert placed["status"] == "open"
        moved = await exchange.edit_order_ws(placed["id"], BTC, "limit", "buy", 0.02, 48_000)
        assert (moved["amount"], moved["price"]) == (0.02, 48_000.0)
        assert [one["id"] for one in await exchange.fetch_open_orders_ws(BTC)] == [moved["id"]]
        assert (await exchange.cancel_order_ws(moved["id"], BTC))["status"] == "canceled"
        with pytest.raises(ccxt.InsufficientFunds):
            await exchange.create_order_ws(BTC, "limit", "buy", 100, 49_000)
        held = (await exchange.fetch_balance_ws())["info"]["balances"]
        assert held == [{"asset": "USDT", "free": "50000.00000000", "locked": "0.00000000"}]

    listened(scene, story)


def _raw(bot: Any, **changes: object) -> None:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    bot.privatePostOrder({**order, "price": "49000", **changes})


def _maker(bot: Any, price: float) -> Any:
    return bot.create_order(BTC, "limit", "buy", 0.01, price, {"postOnly": True, "newClientOrderId": "maker"})


def _placed(bot: Any) -> Any:
    return bot.create_order(BTC, "limit", "buy", 0.01, 40_000)["id"]
