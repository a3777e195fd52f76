"""The mock's answers and messages beside the venue's own: every field of theirs is there, of the same JSON type."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from tests.contract.binance_ccxt import client
from tests.contract.suite.scene import VenueScene, served
from tests.contract.suite.venues.binance import VENUE
from tests.unit.apps.exchanges.venues.binance import recordings

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT),
]

BTC = "BTC/USDT:USDT"
# Only orders that trail have these, and the examples are of such.
_TRAILING = {"activatePrice", "priceRate", "AP", "cr"}
# Of inverse contracts, of portfolios, of what the venue has added to one example and not to its kin.
_ELSEWHERE = {"notionalCoef", "cumBase", "pair", "settlePlan", "actualQty", "actualType", "time"}
# What the venue writes now as text and now as a number.
_EITHER_TYPE = {"tradeId", "tranId", "autoAssetExchange"}


def kind(value: object) -> str:
    """Return the JSON type of a value; whole numbers and others are one type."""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    return {str: "text", list: "list", dict: "object", type(None): "null"}[type(value)]


def differences(theirs: Any, ours: Any, path: str = "") -> list[str]:
    """Return where `ours` lacks something of `theirs`, or has it of another type."""
    if kind(theirs) != kind(ours):
        return [f"{path}: {kind(theirs)} there, {kind(ours)} here"]
    if isinstance(theirs, list):
        return differences(theirs[0], ours[0], f"{path}[0]") if theirs and ours else []
    if not isinstance(theirs, dict):
        return []
    found = []
    for key, value in theirs.items():
        if key not in ours:
            found += [] if key in _TRAILING | _ELSEWHERE else [f"{path}.{key}: missing here"]
        elif key not in _EITHER_TYPE:
            found += differences(value, ours[key], f"{path}.{key}")
    return found


@pytest.fixture(scope="module")
def scene() -> Iterator[VenueScene]:
    with served(VENUE) as scene:
        yield scene


@pytest.fixture(scope="module")
def bot(scene: VenueScene) -> Any:
    """Return an account that has done everything once."""
    exchange = client(scene, *scene.open_account().credentials.signer_key.split(":"))
    exchange.load_markets()
    exchange.create_order(BTC, "market", "buy", 0.01)
    exchange.create_order(BTC, "limit", "buy", 0.01, 48_000)
    exchange.create_order(BTC, "market", "sell", 0.01, None, {"stopLossPrice": 40_000, "reduceOnly": True})
    scene.engine(lambda engine: engine.pay_funding())
    return exchange


ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "47000",
}
ONE = {"symbol": "BTCUSDT"}


def placed(bot: Any) -> Any:
    # ccxt writes the client order id it makes up into the very dictionary it was given.
    return bot.fapiPrivatePostOrder(dict(ORDER))


ANSWERS = {
    "ExchangeData/GetServerTime": lambda bot: bot.fapiPublicGetTime(),
    "ExchangeData/GetExchangeInfo": lambda bot: bot.fapiPublicGetExchangeInfo(),
    "ExchangeData/GetOrderBook": lambda bot: bot.fapiPublicGetDepth(ONE),
    "ExchangeData/GetKlines": lambda bot: bot.fapiPublicGetKlines({**ONE, "interval": "1m"}),
    "ExchangeData/GetAggregatedTradeHistory": lambda bot: bot.fapiPublicGetAggTrades(ONE),
    "ExchangeData/GetRecentTrades": lambda bot: bot.fapiPublicGetTrades(ONE),
    "ExchangeData/GetMarkPrice": lambda bot: bot.fapiPublicGetPremiumIndex(ONE),
    "ExchangeData/GetFundingRates": lambda bot: bot.fapiPublicGetFundingRate(ONE),
    "ExchangeData/GetFundingInfo": lambda bot: bot.fapiPublicGetFundingInfo(),
    "ExchangeData/GetTicker": lambda bot: bot.fapiPublicGetTicker24hr(ONE),
    "ExchangeData/GetPrice": lambda bot: bot.fapiPublicGetTickerPrice(ONE),
    "ExchangeData/GetBookPrice": lambda bot: bot.fapiPublicGetTickerBookTicker(ONE),
    "ExchangeData/GetOpenInterest": lambda bot: bot.fapiPublicGetOpenInterest(ONE),
    "Account/GetAccountInfoV3": lambda bot: bot.fapiPrivateV3GetAccount(),
    "Account/GetAccountInfo": lambda bot: bot.fapiPrivateV2GetAccount(),
    "Account/GetBalances": lambda bot: bot.fapiPrivateV3GetBalance(),
    "Account/GetBrackets": lambda bot: bot.fapiPrivateGetLeverageBracket(),
    "Account/GetSymbolConfiguration": lambda bot: bot.fapiPrivateGetSymbolConfig(),
    "Account/GetAccountConfiguration": lambda bot: bot.fapiPrivateGetAccountConfig(),
    "Account/GetUserCommissionRate": lambda bot: bot.fapiPrivateGetCommissionRate(ONE),
    "Account/GetIncomeHistory": lambda bot: bot.fapiPrivateGetIncome(),
    "Account/GetOrderRateLimit": lambda bot: bot.fapiPrivateGetRateLimitOrder(),
    "Account/GetMultiAssetsMode": lambda bot: bot.fapiPrivateGetMultiAssetsMargin(),
    "Account/ChangeInitialLeverage": lambda bot: bot.fapiPrivatePostLeverage({**ONE, "leverage": 10}),
    "Account/StartUserStream": lambda bot: bot.fapiPrivatePostListenKey(),
    "Account/KeepAliveUserStream": lambda bot: bot.fapiPrivatePutListenKey(),
    "Trading/PlaceOrder": placed,
    "Trading/EditOrder": lambda bot: bot.fapiPrivatePutOrder(
        {**ONE, "side": "BUY", "orderId": placed(bot)["orderId"], "quantity": "0.02", "price": "46000"}
    ),
    "Trading/CancelOrder": lambda bot: bot.fapiPrivateDeleteOrder({**ONE, "orderId": placed(bot)["orderId"]}),
    "Trading/GetOrder": lambda bot: bot.fapiPrivateGetOrder({**ONE, "orderId": placed(bot)["orderId"]}),
    "Trading/GetOpenOrder": lambda bot: bot.fapiPrivateGetOpenOrder({**ONE, "orderId": placed(bot)["orderId"]}),
    "Trading/GetOpenOrders": lambda bot: bot.fapiPrivateGetOpenOrders(),
    "Trading/GetOrders": lambda bot: bot.fapiPrivateGetAllOrders(ONE),
    "Trading/GetUserTrades": lambda bot: bot.fapiPrivateGetUserTrades(ONE),
    # The transcript names v3, and has the fields that only v2 tells.
    "Trading/GetPositions": lambda bot: bot.fapiPrivateV2GetPositionRisk(ONE),
    "Trading/PlaceMultipleOrders": lambda bot: bot.fapiPrivatePostBatchOrders(
        {"batchOrders": [dict(ORDER), {**ORDER, "price": "1"}]}
    ),
    "Trading/CancelMultipleOrders": lambda bot: bot.fapiPrivateDeleteBatchOrders(
        {**ONE, "orderidlist": [str(placed(bot)["orderId"]), "1"]}
    ),
    "Trading/CancelAllOrdersAfterTimeout": lambda bot: bot.fapiPrivatePostCountdownCancelAll(
        {**ONE, "countdownTime": 0}
    ),
    "Trading/GetOpenConditionalOrders": lambda bot: bot.fapiPrivateGetOpenAlgoOrders(ONE),
    "Trading/GetConditionalOrder": lambda bot: bot.fapiPrivateGetAlgoOrder(
        {"algoId": bot.fapiPrivateGetOpenAlgoOrders(ONE)[0]["algoId"]}
    ),
    "Trading/PlaceConditionalOrder": lambda bot: bot.fapiPrivatePostAlgoOrder(
        {**ONE, "algoType": "CONDITIONAL", "side": "SELL", "type": "STOP", "quantity": "0.01", "triggerPrice": "41000",
         "price": "40900", "timeInForce": "GTC"}
    ),
    "Trading/CancelAllConditionalOrders": lambda bot: bot.fapiPrivateDeleteAlgoOpenOrders({"symbol": "ETHUSDT"}),
    "Trading/CancelAllOrders": lambda bot: bot.fapiPrivateDeleteAllOpenOrders({"symbol": "ETHUSDT"}),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_has_the_venue_s_fields_and_types(bot: Any, name: str) -> None:
    ANSWERS[name](bot)
    ours = json.loads(bot.last_http_response)
    theirs = recordings.answer(name)
    if isinstance(theirs, list) and isinstance(ours, dict):
        theirs = theirs[0]
    assert differences(theirs, ours) == []


def test_messages_have_the_venue_s_fields_and_types(scene: VenueScene, bot: Any) -> None:
    names = {
        "btcusdt@depth@100ms": "Book",
        "btcusdt@aggTrade": "AggTrades",
        "btcusdt@kline_1m": "Klines",
        "btcusdt@markPrice@1s": "MarkPrice",
        "btcusdt@bookTicker": "BookTicker",
        "btcusdt@miniTicker": "MiniTicker",
        "btcusdt@ticker": "Ticker",
        "btcusdt@depth5@100ms": "PartialBook",
    }
    heard = asyncio.run(_combined(scene, list(names)))
    assert {name: differences(recordings.pushed(names[name]), heard[name]) for name in names} == {
        name: [] for name in names
    }


def test_messages_of_an_account_have_the_venue_s_fields_and_types(scene: VenueScene, bot: Any) -> None:
    events = {
        "ORDER_TRADE_UPDATE": "OrderUpdate",
        "ACCOUNT_UPDATE": "AccountUpdate",
        "ALGO_UPDATE": "AlgoOrderUpdate",
        "TRADE_LITE": "TradeUpdate",
        "ACCOUNT_CONFIG_UPDATE": "Leverage",
    }
    heard = asyncio.run(_private(scene, bot, set(events)))
    assert {event: differences(recordings.pushed(events[event]), heard[event]) for event in events} == {
        event: [] for event in events
    }


async def _combined(scene: VenueScene, streams: list[str]) -> dict[str, Any]:
    heard: dict[str, Any] = {}
    url = f"{scene.config.websocket_url}/stream?streams={'/'.join(streams)}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        while set(heard) != set(streams):
            await asyncio.to_thread(scene.trade, "buy", "50010", "0.01")
            message = await asyncio.wait_for(socket.receive_json(), 5)
            heard[message["stream"]] = message["data"]
    return heard


async def _private(scene: VenueScene, bot: Any, events: set[str]) -> dict[str, Any]:
    heard: dict[str, Any] = {}
    key = bot.fapiPrivatePostListenKey()["listenKey"]
    url = f"{scene.config.websocket_url}/private/ws?listenKey={key}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await asyncio.to_thread(_do_everything, bot)
        while set(heard) != events:
            message = await asyncio.wait_for(socket.receive_json(), 5)
            heard.setdefault(message["e"], message)
    return heard


def _do_everything(bot: Any) -> None:
    bot.set_leverage(7, BTC)
    bot.create_order(BTC, "market", "sell", 0.01, None, {"stopLossPrice": 39_000, "reduceOnly": True})
    bot.create_order(BTC, "market", "buy", 0.01)
