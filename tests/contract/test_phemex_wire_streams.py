"""Phemex's socket at the mock: with the unmodified streaming client, and read by hand where that one is deaf."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.contract.phemex_stage import BTC, KEYS, Stage, phemex_stage

pytestmark = pytest.mark.contract

FIXTURES = Path(__file__).resolve().parents[2] / "../shared/fixtures/phemex/ccxt_static"
SECONDS = 10
Talk = Callable[["Phone"], Awaitable[None]]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with phemex_stage() as stage:
        yield stage


class Phone:
    """One raw connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._number = socket, 0

    async def ask(self, method: str, *parameters: object) -> Any:
        """Send a request and return its answer, passing over what the channels say meanwhile."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": list(parameters)})
        return await self.until(lambda message: message.get("id") == self._number and "error" in message)

    async def until(self, wanted: Callable[[Any], bool]) -> Any:
        while True:
            message = await self._socket.receive_json(timeout=SECONDS)
            if wanted(message):
                return message

    async def say(self, text: str) -> None:
        await self._socket.send_str(text)

    async def sign_in(self, who: int = 0, ahead: int = 60, secret: str | None = None) -> Any:
        key, own = KEYS[who]
        expiry = int(time.time()) + ahead
        signature = hmac.new((secret or own).encode(), f"{key}{expiry}".encode(), hashlib.sha256).hexdigest()
        return await self.ask("user.auth", "API", key, signature, expiry)


def call(stage: Stage, talk: Talk) -> None:
    """Hold a conversation over one raw connection."""

    async def run() -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(stage.websocket) as socket:
            await talk(Phone(socket))

    asyncio.run(run())


def test_the_streaming_client_hears_the_market_and_its_money(stage: Stage) -> None:
    """Trap 0.5: of the account it hears the money alone; orders and fills never reach it."""

    async def run() -> None:
        client = stage.streaming()
        stage.admin("trade", coin="BTC", side="buy", price="50010", size="0.1")
        try:
            book = await asyncio.wait_for(client.watch_order_book(BTC), SECONDS)
            assert book["bids"][0][0] == 49_990
            bars = await asyncio.wait_for(client.watch_ohlcv(BTC, "1m"), SECONDS)
            assert bars[-1][4] > 0
            ticker = await asyncio.wait_for(client.watch_ticker(BTC), SECONDS)
            assert ticker["last"] > 0
            assert (await asyncio.wait_for(client.watch_trades(BTC), SECONDS))[-1]["price"] == 50_010
            balance = await asyncio.wait_for(client.watch_balance({"settle": "USDT"}), SECONDS)
            assert balance["USDT"]["total"] == 100_000
            orders = asyncio.create_task(client.watch_orders(BTC))
            money = asyncio.create_task(client.watch_balance({"settle": "USDT"}))
            # Both are listening before anything happens.
            await asyncio.sleep(0)
            await asyncio.to_thread(stage.client().create_order, BTC, "market", "buy", 0.01)
            assert (await asyncio.wait_for(money, SECONDS))["USDT"]["total"] < 100_000
            assert not orders.done()
            orders.cancel()
        finally:
            await client.close()

    asyncio.run(run())


def test_books_begin_whole_and_go_on_by_differences(stage: Stage) -> None:
    async def talk(phone: Phone) -> None:
        assert (await phone.ask("orderbook_p.subscribe", "BTCUSDT", False, 5))["result"] == {"status": "success"}
        whole = await phone.until(lambda message: "orderbook_p" in message)
        assert (whole["type"], whole["depth"]) == ("snapshot", 5)
        await asyncio.to_thread(stage.admin, "quote", coin="BTC", side="buy", price="49980", size="2")
        change = await phone.until(lambda message: "orderbook_p" in message)
        assert change["type"] == "incremental"
        assert change["orderbook_p"] == {"asks": [], "bids": [["49980", "2"]]}
        # The number only grows; holes in it mean nothing.
        assert change["sequence"] > whole["sequence"] + 1
        assert (await phone.ask("orderbook_p.unsubscribe"))["result"] == {"status": "success"}

    call(stage, talk)


def test_prices_of_marks_and_indices_and_the_pack_are_told(stage: Stage) -> None:
    async def talk(phone: Phone) -> None:
        for symbol in (".MBTCUSDT", ".BTCUSDT"):
            await phone.ask("tick_p.subscribe", symbol)
            tick = await phone.until(lambda message: "tick_p" in message)
            assert (tick["tick_p"]["symbol"], float(tick["tick_p"]["last"])) == (symbol, 50_000)
        await phone.ask("perp_market24h_pack_p.subscribe")
        pack = await phone.until(lambda message: message.get("method") == "perp_market24h_pack_p.update")
        assert [row[0] for row in pack["data"]] == ["BTCUSDT", "ETHUSDT"]
        assert dict(zip(pack["fields"], pack["data"][0], strict=True))["markRp"] == "50000"

    call(stage, talk)


def test_the_accounts_channel_tells_every_event_once_and_repeats_the_past_on_asking_again(stage: Stage) -> None:
    client = stage.client(1)

    async def talk(phone: Phone) -> None:
        assert (await phone.ask("aop_p.subscribe"))["error"]["message"] == "not authorized"
        assert (await phone.sign_in(1))["result"] == {"status": "success"}
        await phone.ask("aop_p.subscribe")
        begin = await phone.until(lambda message: "orders_p" in message)
        assert (begin["type"], begin["orders_p"]) == ("snapshot", [])
        resting = await asyncio.to_thread(client.create_order, BTC, "limit", "buy", 0.01, 49_000)
        (new,) = (await phone.until(lambda message: message.get("orders_p")))["orders_p"]
        assert (new["orderID"], new["ordStatus"], new["execStatus"]) == (resting["id"], "New", "New")
        await asyncio.to_thread(client.cancel_order, resting["id"], BTC)
        (gone,) = (await phone.until(lambda message: message.get("orders_p")))["orders_p"]
        # A cancel carries a quantity where executions do.
        assert (gone["ordStatus"], gone["execStatus"], gone["execQty"]) == ("Canceled", "Canceled", "0.01")
        await asyncio.to_thread(client.create_order, BTC, "market", "buy", 0.01)
        told = await phone.until(lambda message: message.get("orders_p"))
        (fill,) = told["orders_p"]
        assert (fill["ordStatus"], fill["execStatus"], fill["execQty"]) == ("Filled", "TakerFill", "0.01")
        assert told["positions_p"][0]["size"] == "0.01"
        assert told["accounts_p"][0]["currency"] == "USDT"
        await phone.ask("aop_p.unsubscribe")
        await phone.ask("aop_p.subscribe")
        again = await phone.until(lambda message: message.get("type") == "snapshot")
        assert [row["execID"] for row in again["orders_p"] if row["execStatus"] == "TakerFill"] == [fill["execID"]]

    call(stage, talk)


def test_what_the_socket_does_not_take_is_refused_in_words(stage: Stage) -> None:
    async def talk(phone: Phone) -> None:
        assert (await phone.ask("server.ping"))["result"] == "pong"
        assert (await phone.ask("orderbook_p.subscribe", "NONEUSDT"))["error"]["code"] == 6001
        assert (await phone.ask("kline_p.subscribe", "BTCUSDT", 7))["error"]["code"] == 6001
        assert (await phone.ask("everything.subscribe"))["error"]["code"] == 6001
        assert (await phone.sign_in(secret="wrong"))["error"]["message"] == "invalid login token"
        assert (await phone.sign_in(ahead=600))["error"]["message"] == "login token expired"
        await phone.say("not json")
        assert (await phone.until(lambda message: True))["error"]["code"] == 6001
        await phone.say("[]")
        assert (await phone.until(lambda message: True))["error"]["code"] == 6001

    call(stage, talk)


def test_twenty_subscriptions_fill_a_connection() -> None:
    async def talk(phone: Phone) -> None:
        for channel in ("orderbook_p", "trade_p"):
            assert (await phone.ask(f"{channel}.subscribe", "BTCUSDT"))["error"] is None
        for seconds in (60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400):
            assert (await phone.ask("kline_p.subscribe", "BTCUSDT", seconds))["error"] is None
        for seconds in (60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400):
            assert (await phone.ask("kline_p.subscribe", "ETHUSDT", seconds))["error"] is None
        refused = await phone.ask("kline_p.subscribe", "ETHUSDT", 86_400)
        # So many in one second would be too many as well.
        assert "at most 20 a" in refused["error"]["message"]

    with phemex_stage() as stage:
        call(stage, talk)


@pytest.mark.skipif(not FIXTURES.exists(), reason="the shared fixtures are not here")
def test_positions_have_the_fields_of_recorded_ones(stage: Stage) -> None:
    recorded = json.loads((FIXTURES / "ws.json").read_text())["aop_p_positions"]["messages"]

    async def talk(phone: Phone) -> None:
        confirmed = await phone.sign_in()
        assert {name: confirmed[name] for name in ("error", "result")} == {
            "error": None,
            "result": recorded[0]["result"],
        }
        await phone.ask("aop_p.subscribe")
        ours = await phone.until(lambda message: "positions_p" in message)
        assert set(recorded[2]) == set(ours)
        assert isinstance(ours["timestamp"], int)
        theirs = recorded[2]["positions_p"][0]
        row = next(row for row in ours["positions_p"] if row["symbol"] == "BTCUSDT")
        assert set(theirs) <= set(row)
        text = {name for name, value in theirs.items() if isinstance(value, str) and not name.endswith("Ns")}
        assert {name for name in text if not isinstance(row[name], str)} <= {"lastTermEndTime"}

    stage.client().create_order(BTC, "market", "buy", 0.01)
    call(stage, talk)
