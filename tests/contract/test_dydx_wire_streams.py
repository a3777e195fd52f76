"""ccxt.pro's three streams against the mock's socket, and the channels ccxt does not know, spoken to by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import ccxt.pro
import pytest

from apps.exchanges.mock.threaded import ThreadedMock
from tests.contract.dydx_server import ADDRESS, SYMBOL, TICKER, ask, client, dydx_mock, fault, quote, settings

pytestmark = pytest.mark.contract

PATIENCE_SECONDS = 10.0
ACCOUNT = f"{ADDRESS}/0"


@pytest.fixture(scope="module")
def mock() -> Iterator[ThreadedMock]:
    with dydx_mock(limits=False) as running:
        yield running


class Listener:
    """One raw connection; hears messages in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.heard: list[dict[str, Any]] = []

    async def say(self, kind: str, channel: str, name: str = "", **more: object) -> None:
        await self._socket.send_json({"type": kind, "channel": channel, "id": name, **more})

    async def until(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message = json.loads(await self._socket.receive_str())
                self.heard.append(message)
                if wanted(message):
                    return message

    async def subscribed(self, channel: str, name: str = "", **more: object) -> Any:
        await self.say("subscribe", channel, name, **more)
        message = await self.until(lambda m: m["type"] == "subscribed" and m["channel"] == channel)
        return message["contents"]

    async def news(self, channel: str, wanted: Callable[[Any], object] = lambda _: True) -> Any:
        message = await self.until(
            lambda m: m["type"] == "channel_data" and m["channel"] == channel and wanted(m["contents"])
        )
        return message["contents"]


def listening(mock: ThreadedMock, story: Callable[[Listener], Awaitable[None]]) -> Listener:
    """Tell `story` on a connection of its own; return who listened."""

    async def run() -> Listener:
        url = f"{mock.url.replace('http', 'ws')}/dydx/v4/ws"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            listener = Listener(socket)
            await listener.until(lambda m: m["type"] == "connected")
            await story(listener)
            return listener

    return asyncio.run(run())


def trade(mock: ThreadedMock, side: str, price: str, size: str) -> None:
    order = {"venue": "dydx", "coin": "BTC", "side": side, "price": price, "size": size}
    ask(f"{mock.url}/admin/trade", order)


def test_ccxt_pro_watches_trades_books_and_candles(mock: ThreadedMock) -> None:
    async def watch() -> None:
        exchange = ccxt.pro.dydx(settings(mock))

        async def after(
            act: Callable[[], None], watched: Callable[[], Awaitable[Any]], seen: Callable[[Any], bool]
        ) -> Any:
            """Return what is watched once it has been `seen`; watching begins before the act."""
            watching = asyncio.ensure_future(watched())
            await asyncio.sleep(0)
            await asyncio.to_thread(act)
            while not seen(answer := await watching):
                watching = asyncio.ensure_future(watched())
            return answer

        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert (await exchange.watch_order_book(SYMBOL))["bids"][0][0] == 49_990.0
                await exchange.watch_trades(SYMBOL)
                await exchange.watch_ohlcv(SYMBOL, "1m")
                trades = await after(
                    lambda: trade(mock, "buy", "50010", "0.02"),
                    lambda: exchange.watch_trades(SYMBOL),
                    lambda rows: bool(rows) and rows[-1]["amount"] == 0.02,
                )
                assert (trades[-1]["price"], trades[-1]["side"]) == (50_010.0, "buy")
                await after(
                    lambda: trade(mock, "sell", "49990", "0.03"),
                    lambda: exchange.watch_ohlcv(SYMBOL, "1m"),
                    lambda bars: bars[-1][4] == 49_990.0,
                )
                await after(
                    lambda: quote(mock, "BTC", "buy", "49995", "0.1"),
                    lambda: exchange.watch_order_book(SYMBOL),
                    lambda book: book["bids"][0][0] == 49_995.0,
                )
        finally:
            await exchange.close()

    asyncio.run(watch())


def test_messages_are_numbered_without_a_hole_and_name_their_connection(mock: ThreadedMock) -> None:
    async def story(listener: Listener) -> None:
        await listener.subscribed("v4_block_height")
        await listener.subscribed("v4_markets")
        await listener.news("v4_block_height")
        await listener.say("ping", "")
        await listener.until(lambda m: m["type"] == "pong")

    heard = listening(mock, story).heard
    assert [message["message_id"] for message in heard] == list(range(len(heard)))
    assert len({message["connection_id"] for message in heard}) == 1


def test_an_accounts_channel_tells_orders_fills_positions_and_money(mock: ThreadedMock) -> None:
    trader = client(mock)

    async def story(listener: Listener) -> None:
        first = await listener.subscribed("v4_subaccounts", ACCOUNT)
        assert first["subaccount"]["address"] == ADDRESS
        assert first["orders"] == []
        await asyncio.to_thread(trader.create_order, SYMBOL, "market", "buy", 0.01, 51_000)
        news = await listener.news("v4_subaccounts", lambda c: "fills" in c)
        (order,), (fill,) = news["orders"], news["fills"]
        assert (order["status"], order["totalFilled"]) == ("FILLED", "0.01")
        assert fill["orderId"] == order["id"]
        assert fill["ticker"] == fill["market"] == TICKER
        assert news["perpetualPositions"][0]["size"] == "0.01"
        assert news["assetPositions"][0]["symbol"] == "USDC"
        assert news["blockHeight"].isdecimal()
        await asyncio.to_thread(trader.create_order, SYMBOL, "limit", "buy", 0.01, 49_500, {"clientOrderId": 5})
        news = await listener.news("v4_subaccounts", lambda c: "orders" in c)
        assert (news["orders"][0]["status"], news["orders"][0]["clientId"]) == ("OPEN", "5")
        await asyncio.to_thread(trader.cancel_order, 5, SYMBOL)
        news = await listener.news("v4_subaccounts", lambda c: "orders" in c)
        assert news["orders"][0]["status"] == "CANCELED"
        assert news["orders"][0]["removalReason"] == "ORDER_REMOVAL_REASON_USER_CANCELED"
        # What an immediate order does not find ends "with best effort": its last block may still bring a fill.
        missing = {"timeInForce": "IOC"}
        await asyncio.to_thread(trader.create_order, SYMBOL, "limit", "buy", 0.01, 49_000, missing)
        news = await listener.news("v4_subaccounts", lambda c: "orders" in c)
        assert news["orders"][0]["status"] == "BEST_EFFORT_CANCELED"
        await asyncio.to_thread(trader.create_order, SYMBOL, "market", "sell", 0.01, 49_000, {"reduceOnly": True})
        news = await listener.news("v4_subaccounts", lambda c: "perpetualPositions" in c)
        assert news["perpetualPositions"][0]["status"] == "CLOSED"

    listening(mock, story)


def test_what_cannot_be_had_is_refused_in_words(mock: ThreadedMock) -> None:
    async def story(listener: Listener) -> None:
        for channel, name in (
            ("v4_nothing", ""),
            ("v4_orderbook", "NOSUCH-USD"),
            ("v4_candles", "BTC-USD/2MINS"),
            ("v4_subaccounts", "dydx1nobody/0"),
        ):
            await listener.say("subscribe", channel, name)
            assert (await listener.until(lambda m: m["type"] == "error"))["message"]
        await listener.subscribed("v4_trades", TICKER)
        await listener.say("subscribe", "v4_trades", TICKER)
        assert "already subscribed" in (await listener.until(lambda m: m["type"] == "error"))["message"]
        await listener.say("unsubscribe", "v4_trades", TICKER)
        await listener.until(lambda m: m["type"] == "unsubscribed")
        await listener._socket.send_str("{")
        assert (await listener.until(lambda m: m["type"] == "error"))["message"]

    listening(mock, story)


def test_news_come_in_batches_to_those_who_ask_so(mock: ThreadedMock) -> None:
    async def story(listener: Listener) -> None:
        await listener.subscribed("v4_trades", TICKER, batched=True)
        await asyncio.to_thread(trade, mock, "sell", "49990", "0.01")
        message = await listener.until(lambda m: m["type"] == "channel_batch_data")
        assert message["contents"][0]["trades"][0]["size"] == "0.01"

    listening(mock, story)


def test_faults_shape_the_line(mock: ThreadedMock) -> None:
    async def story(listener: Listener) -> None:
        await listener.subscribed("v4_block_height")
        fault(mock, "ws_gap", value=0.01, action="v4_block_height")
        fault(mock, "ws_duplicate", count=1, action="v4_block_height")
        first = await listener.until(lambda m: m["type"] == "channel_data")
        again = await listener.until(lambda m: m["type"] == "channel_data")
        assert first["message_id"] == again["message_id"]

    listening(mock, story)
