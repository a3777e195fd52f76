"""The streams against a websocket server that misbehaves on purpose."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from apps.exchanges.ports import (
    CandleUpdate,
    Connected,
    Disconnected,
    Environment,
    FillBatch,
    FundingBatch,
    MarketSubscription,
    OrderBatch,
    Refused,
    TradeBatch,
    Unreadable,
    VenueConfig,
)
from apps.exchanges.venues.hyperliquid.stream import market_stream, user_stream
from apps.exchanges.venues.message_stream import MessageStream
from apps.exchanges.venues.websocket import Patience
from moondev.domain.clock import FixedClock, LiveClock
from moondev.domain.orders import OrderStatus

pytestmark = pytest.mark.contract

ACCOUNT = "0x" + "ab" * 20
NAME = "0x0123456789abcdef0123456789abcdef"
QUICK = Patience(ping_every=0.1, silence=0.4, first_pause=0.01, longest_pause=0.05)
Behaviour = Callable[[web.WebSocketResponse, int], Awaitable[None]]


class Venue:
    """A websocket server that answers subscriptions, then does what the test says per connection."""

    def __init__(
        self, behaviour: Behaviour, *, acknowledges: bool = True, pongs: bool = True, mute: tuple[int, ...] = ()
    ) -> None:
        self.connections = 0
        self.subscribed: list[list[dict[str, Any]]] = []
        self._behaviour, self._acknowledges, self._pongs, self._mute = behaviour, acknowledges, pongs, mute

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self.subscribed.append([])
        number = self.connections
        await socket.send_str("Websocket connection established.")
        reader = asyncio.create_task(self._listen(socket, number))
        try:
            await self._behaviour(socket, number)
            await reader
        finally:
            reader.cancel()
        return socket

    async def _listen(self, socket: web.WebSocketResponse, number: int) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            said = json.loads(message.data)
            if said["method"] == "ping" and self._pongs:
                await socket.send_json({"channel": "pong"})
            if said["method"] == "subscribe":
                self.subscribed[number - 1].append(said["subscription"])
                if self._acknowledges and number not in self._mute:
                    await socket.send_json({"channel": "subscriptionResponse", "data": said})


@asynccontextmanager
async def serving(venue: Venue) -> AsyncIterator[VenueConfig]:
    application = web.Application()
    application.router.add_get("/hl/ws", venue.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield VenueConfig(
            "hyperliquid",
            "hyperliquid",
            Environment.PAPER,
            f"http://127.0.0.1:{port}/hl",
            f"ws://127.0.0.1:{port}/hl/ws",
        )
    finally:
        await runner.cleanup()


class Events(list[Any]):
    """Collects events and lets a test wait for them."""

    async def until(self, met: Callable[[list[Any]], bool]) -> None:
        async with asyncio.timeout(5):
            while not met(self):  # noqa: ASYNC110 - the handler is a plain function
                await asyncio.sleep(0.005)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self if isinstance(event, kind)]


@asynccontextmanager
async def running(stream: MessageStream) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(stream.run())
    try:
        yield task
    finally:
        stream.stop()
        await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 5)


async def nothing(_socket: web.WebSocketResponse, _number: int) -> None:
    """Say nothing of its own."""


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 15))  # type: ignore[arg-type]


def test_subscribes_to_what_was_asked_for_and_reports_up_once_all_is_answered() -> None:
    async def scenario() -> None:
        venue, events = Venue(nothing), Events()
        async with serving(venue) as config:
            wanted = [MarketSubscription("BTC", candles=(timedelta(minutes=1),), best_quote=True)]
            stream = market_stream(config, wanted, events.append, LiveClock(), QUICK)
            assert stream.age_seconds == float("inf")
            async with running(stream):
                await events.until(bool)
                assert stream.connected
                assert stream.age_seconds < 5
        assert [item["type"] for item in venue.subscribed[0]] == ["l2Book", "bbo", "trades", "activeAssetCtx", "candle"]
        assert events[0].silent_since is None
        assert not stream.connected

    run(scenario)


def test_a_dropped_connection_is_opened_again_with_the_time_of_the_silence() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    async def drop_the_first(socket: web.WebSocketResponse, number: int) -> None:
        if number == 1:
            await asyncio.sleep(0.05)
            await socket.close()

    async def scenario() -> None:
        venue, events = Venue(drop_the_first), Events()
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT.upper().replace("0X", "0x"), events.append, FixedClock(moment), QUICK)
            async with running(stream):
                await events.until(lambda _: len(events.of(Connected)) == 2)
        assert [type(event) for event in events[:3]] == [Connected, Disconnected, Connected]
        assert events[2].silent_since == moment
        assert venue.subscribed[1] == [
            {"type": kind, "user": ACCOUNT}
            for kind in ("orderUpdates", "userFills", "userFundings", "clearinghouseState")
        ]

    run(scenario)


def test_a_connection_that_dies_before_it_stands_does_not_shorten_the_silence() -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))

    async def drop_twice(socket: web.WebSocketResponse, number: int) -> None:
        if number > 2:
            return
        await asyncio.sleep(0.05)
        clock.advance(timedelta(minutes=1))
        await socket.close()

    async def scenario() -> None:
        venue, events = Venue(drop_twice, mute=(2,)), Events()
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT, events.append, clock, QUICK)
            async with running(stream):
                await events.until(lambda _: len(events.of(Connected)) == 2 and venue.connections == 3)
        assert events.of(Connected)[1].silent_since == datetime(2026, 1, 1, tzinfo=UTC)

    run(scenario)


def test_a_silent_connection_is_given_up() -> None:
    async def scenario() -> None:
        venue, events = Venue(nothing, pongs=False), Events()
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT, events.append, LiveClock(), QUICK)
            async with running(stream):
                await events.until(lambda _: len(events.of(Connected)) == 2)
        assert "silent" in events.of(Disconnected)[0].reason

    run(scenario)


def test_pongs_keep_a_quiet_connection_alive() -> None:
    async def scenario() -> None:
        venue, events = Venue(nothing), Events()
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT, events.append, LiveClock(), QUICK)
            async with running(stream):
                await asyncio.sleep(1.2)
                assert stream.connected
        assert venue.connections == 1

    run(scenario)


def test_a_venue_that_never_confirms_is_never_reported_up() -> None:
    async def scenario() -> None:
        venue, events = Venue(nothing, acknowledges=False), Events()
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT, events.append, LiveClock(), QUICK)
            async with running(stream):
                await events.until(lambda _: venue.connections >= 2)
                assert not stream.connected
        assert events == []

    run(scenario)


def test_an_absent_venue_is_tried_again_until_it_is_there() -> None:
    async def scenario() -> None:
        venue, events = Venue(nothing), Events()
        async with serving(venue) as config:
            pass
        stream = market_stream(config, [MarketSubscription("BTC")], events.append, LiveClock(), QUICK)
        async with running(stream) as task:
            await asyncio.sleep(0.3)
            assert not task.done()
            assert not stream.connected

    run(scenario)


def order(oid: int, **changes: Any) -> dict[str, Any]:
    plain = {"coin": "BTC", "side": "B", "limitPx": "9", "sz": "1", "oid": oid, "timestamp": 1, "origSz": "1"}
    return plain | {"cloid": NAME} | changes


def update(status: str, oid: int, **changes: Any) -> dict[str, Any]:
    return {"order": order(oid, **changes), "status": status, "statusTimestamp": 5}


def test_orders_fills_and_funding_become_events_in_their_order() -> None:
    fill = {"coin": "BTC", "px": "9", "sz": "1", "side": "B", "time": 4, "dir": "Open Long", "oid": 1, "crossed": True}
    fill |= {"fee": "0.1", "tid": 3, "feeToken": "USDC", "cloid": NAME}
    funding = {"time": 6, "coin": "BTC", "usdc": "-0.5", "szi": "1", "fundingRate": "0.0001"}

    async def speak(socket: web.WebSocketResponse, _number: int) -> None:
        await socket.send_json({"channel": "orderUpdates", "data": [update("open", 1)]})
        await socket.send_json({"channel": "userFills", "data": {"user": ACCOUNT, "isSnapshot": True, "fills": [fill]}})
        await socket.send_json({"channel": "userFundings", "data": {"user": ACCOUNT, "fundings": [funding]}})

    async def scenario() -> None:
        venue, events = Venue(speak), Events()
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT, events.append, LiveClock(), QUICK)
            async with running(stream):
                await events.until(lambda _: bool(events.of(FundingBatch)) and bool(events.of(Connected)))
        (orders,), (fills,), (payments,) = events.of(OrderBatch), events.of(FillBatch), events.of(FundingBatch)
        assert orders.reports[0].status is OrderStatus.OPEN
        assert (fills.snapshot, fills.fills[0].venue_trade_id) == (True, "1-3")
        assert (payments.snapshot, payments.payments[0].payment_id) == (False, "BTC:6")

    run(scenario)


def test_the_end_of_a_replaced_order_does_not_bury_its_replacement() -> None:
    async def amend(socket: web.WebSocketResponse, _number: int) -> None:
        await socket.send_json({"channel": "orderUpdates", "data": [update("open", 1)]})
        await socket.send_json({"channel": "orderUpdates", "data": [update("open", 2)]})
        await socket.send_json({"channel": "orderUpdates", "data": [update("canceled", 1)]})
        await socket.send_json({"channel": "orderUpdates", "data": [update("canceled", 2), update("open", 3)]})
        await socket.send_json({"channel": "orderUpdates", "data": [update("canceled", 3)]})

    async def scenario() -> None:
        venue, events = Venue(amend), Events()
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT, events.append, LiveClock(), QUICK)
            async with running(stream):
                await events.until(lambda _: len(events.of(OrderBatch)) == 4)
        said = [(one.venue_order_id, one.status.value) for batch in events.of(OrderBatch) for one in batch.reports]
        assert said == [("1", "open"), ("2", "open"), ("3", "open"), ("3", "cancelled")]

    run(scenario)


@pytest.mark.parametrize(
    "nonsense",
    [
        "not json",
        "[]",
        '{"channel":"nobodyAsked","data":{}}',
        '{"channel":"trades","data":[{"coin":"BTC"}]}',
        '{"channel":"trades","data":[{"coin":"BTC","side":"B","px":"nan","sz":"1","time":1,"tid":1}]}',
        '{"channel":"l2Book","data":{"coin":"BTC","time":1,"levels":[[{"px":"2","sz":"1"}],[{"px":"1","sz":"1"}]]}}',
        '{"channel":"l2Book"}',
    ],
)
def test_nonsense_is_counted_and_never_becomes_a_price(nonsense: str) -> None:
    good = {"coin": "BTC", "side": "B", "px": "9", "sz": "1", "time": 1, "tid": 1}

    async def speak(socket: web.WebSocketResponse, _number: int) -> None:
        await socket.send_str(nonsense)
        await socket.send_json({"channel": "trades", "data": []})
        await socket.send_json({"channel": "trades", "data": [good]})

    async def scenario() -> None:
        venue, events = Venue(speak), Events()
        async with serving(venue) as config:
            stream = market_stream(config, [MarketSubscription("BTC")], events.append, LiveClock(), QUICK)
            async with running(stream):
                await events.until(lambda _: bool(events.of(TradeBatch)))
        assert stream.unreadable == 1
        assert [event.trades[0].price for event in events.of(TradeBatch)] == [9.0]
        assert venue.connections == 1

    run(scenario)


def test_an_odd_row_of_the_account_costs_itself_only_and_is_told_of() -> None:
    order = {"coin": "BTC", "side": "B", "limitPx": "9", "sz": "1", "oid": 7, "timestamp": 1, "origSz": "1"}
    updates = [
        {"order": order, "status": "dancing", "statusTimestamp": 1},
        {"order": order, "status": "open", "statusTimestamp": 1},
    ]
    fill = {"coin": "BTC", "px": "9", "sz": "1", "side": "B", "time": 1, "dir": "Buy", "oid": 7, "crossed": True}
    fill |= {"fee": "0", "tid": 1, "feeToken": "USDC"}
    paid = {"time": 1, "coin": "BTC", "usdc": "-1", "szi": "1", "fundingRate": "0"}

    async def speak(socket: web.WebSocketResponse, _number: int) -> None:
        fills = {"user": ACCOUNT, "fills": [fill, fill | {"px": "0"}]}
        await socket.send_json({"channel": "orderUpdates", "data": updates})
        await socket.send_json({"channel": "userFills", "data": fills})
        await socket.send_json({"channel": "userFundings", "data": {"user": ACCOUNT, "fundings": [{}, paid]}})

    async def scenario() -> None:
        venue, events = Venue(speak), Events()
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT, events.append, LiveClock(), QUICK)
            async with running(stream):
                await events.until(lambda _: len(events.of(Unreadable)) == 3)
        assert [report.status for report in events.of(OrderBatch)[0].reports] == [OrderStatus.OPEN]
        assert [str(one.price) for one in events.of(FillBatch)[0].fills] == ["9"]
        assert len(events.of(FundingBatch)[0].payments) == 1
        assert ["dancing" in event.reasons[0] for event in events.of(Unreadable)] == [True, False, False]
        assert (stream.unreadable, venue.connections) == (3, 1)

    run(scenario)


def test_an_account_whose_subscription_is_refused_is_never_up_and_is_asked_for_again() -> None:
    async def refuse_twice(socket: web.WebSocketResponse, number: int) -> None:
        if number <= 2:
            await socket.send_json({"channel": "error", "data": "Cannot track more than 10 total users."})
            for _ in range(3):
                await socket.send_json({"channel": "subscriptionResponse", "data": {}})

    async def scenario() -> None:
        venue, events = Venue(refuse_twice, mute=(1, 2)), Events()
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT, events.append, LiveClock(), QUICK)
            async with running(stream):
                await events.until(lambda _: bool(events.of(Refused)))
                assert not stream.connected
                await events.until(lambda _: bool(events.of(Connected)))
        assert ["10 total users" in event.reason for event in events.of(Refused)] == [True, True]
        assert events.index(events.of(Connected)[0]) > events.index(events.of(Refused)[1])
        assert venue.connections == 3

    run(scenario)


def test_a_refusal_after_the_account_was_up_takes_it_down() -> None:
    async def refuse_later(socket: web.WebSocketResponse, number: int) -> None:
        if number == 1:
            await asyncio.sleep(0.1)
            await socket.send_json({"channel": "error", "data": "no more"})

    async def scenario() -> None:
        venue, events = Venue(refuse_later), Events()
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT, events.append, LiveClock(), QUICK)
            async with running(stream):
                await events.until(lambda _: len(events.of(Connected)) == 2)
        assert [type(event) for event in events[:4]] == [Connected, Refused, Disconnected, Connected]

    run(scenario)


def test_messages_in_several_frames_are_joined() -> None:
    candle = {"t": 60_000, "T": 119_999, "s": "BTC", "i": "1m", "o": "1", "c": "2", "h": "3", "l": "1", "v": "4"}
    text = json.dumps({"channel": "candle", "data": candle}).encode()

    async def speak(socket: web.WebSocketResponse, _number: int) -> None:
        transport = socket._req.transport  # type: ignore[union-attr]
        third = len(text) // 3
        parts = [text[:third], text[third : 2 * third], text[2 * third :]]
        for index, part in enumerate(parts):
            opcode = 1 if index == 0 else 0
            final = 0x80 if index == 2 else 0
            transport.write(bytes([final | opcode, len(part)]) + part)  # type: ignore[union-attr]

    async def scenario() -> None:
        venue, events = Venue(speak), Events()
        async with serving(venue) as config:
            wanted = [MarketSubscription("BTC", candles=(timedelta(minutes=1),))]
            stream = market_stream(config, wanted, events.append, LiveClock(), QUICK)
            async with running(stream):
                await events.until(lambda _: bool(events.of(CandleUpdate)))
        assert events.of(CandleUpdate)[0].close == 2.0

    run(scenario)


def test_a_symbol_the_venue_refuses_is_told_and_does_not_hold_up_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refuse(socket: web.WebSocketResponse, _number: int) -> None:
        for _ in range(3):
            await socket.send_json({"channel": "error", "data": "Invalid subscription"})

    async def scenario() -> None:
        venue, events = Venue(refuse, acknowledges=False), Events()
        async with serving(venue) as config:
            stream = market_stream(config, [MarketSubscription("BTC")], events.append, LiveClock(), QUICK)
            async with running(stream):
                await events.until(lambda _: bool(events.of(Connected)))
            assert stream.unreadable == 3

    run(scenario)
    assert "Invalid subscription" in caplog.text


def test_an_error_of_the_handler_ends_the_stream_and_is_raised() -> None:
    def fail(_event: Any) -> None:
        raise RuntimeError("the handler is broken")

    async def scenario() -> None:
        venue = Venue(nothing)
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT, fail, LiveClock(), QUICK)
            with pytest.raises(RuntimeError, match="the handler is broken"):
                await asyncio.wait_for(stream.run(), 5)

    run(scenario)


def test_cancelling_closes_the_connection() -> None:
    async def scenario() -> None:
        venue, events = Venue(nothing), Events()
        async with serving(venue) as config:
            stream = user_stream(config, ACCOUNT, events.append, LiveClock(), QUICK)
            task = asyncio.create_task(stream.run())
            await events.until(lambda _: bool(events.of(Connected)))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not stream.connected

    run(scenario)
