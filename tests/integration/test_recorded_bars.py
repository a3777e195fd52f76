"""Bars kept live through a broken line: in the end lake, database and cache have the venue's own, each once.

The mock's minutes pass in a second, so that a dozen of them fit a test.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import redis
import requests
from sqlalchemy import text

from apps.exchanges.market_data.cache import MarketCache, MarketWriter, Wanted
from apps.exchanges.market_data.history.keeper import BarKeeper
from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.record import Recording
from apps.exchanges.market_data.history.series import Kind, SeriesKey, stamps, table_of_bars
from apps.exchanges.market_data.history.sink import Sink
from apps.exchanges.market_data.history.store import HistoryStore, open_store
from apps.exchanges.market_data.stream import MarketStreamProcess
from apps.exchanges.market_data.wishes import wishes_set
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.engine.feed.flow import Flow
from apps.exchanges.mock.engine.feed.setup import synthetic
from apps.exchanges.mock.engine.feed.synthetic import SyntheticConfig
from apps.exchanges.mock.threaded import ThreadedMock, mock_in_thread
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.models import InstrumentRow, Venue
from apps.exchanges.ports import Environment, MarketHandler, MarketSubscription, Stream, VenueConfig
from apps.exchanges.venues.hyperliquid.market_data import HyperliquidMarketData
from apps.exchanges.venues.hyperliquid.stream import market_stream
from apps.exchanges.venues.websocket import Patience
from moondev.domain.clock import LiveClock, ReplayClock, from_milliseconds
from moondev.domain.market_data import Needs

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

MINUTE = timedelta(minutes=1)
SPEED = 60.0
KEY = SeriesKey("hyperliquid", Kind.CANDLES, "BTC", MINUTE)
EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))
# Quick to notice silence: half a second is half a minute of this market.
PATIENCE = Patience(ping_every=0.2, silence=0.5, first_pause=0.05, longest_pause=0.2)
REDIS_DATABASE = 12
WAIT_SECONDS = 30.0


class World:
    """The mock on its fast clock, and the adapter's halves that know this clock."""

    def __init__(self, served: ThreadedMock, clock: ReplayClock) -> None:
        self.served, self.clock = served, clock
        url = served.hyperliquid_url
        self.config = VenueConfig(
            "hyperliquid", "hyperliquid", Environment.PAPER, url, url.replace("http", "ws", 1) + "/ws"
        )
        self.client = HyperliquidMarketData(self.config, clock)
        self.streams: list[Stream] = []

    def open_stream(self, subscriptions: list[MarketSubscription], handler: MarketHandler) -> Stream:
        stream = market_stream(self.config, subscriptions, handler, self.clock, PATIENCE)
        self.streams.append(stream)
        return stream

    def fault(self, kind: str, seconds: float | None = None) -> None:
        body = {"venue": "hl", "kind": kind, **({} if seconds is None else {"value": seconds})}
        assert requests.post(f"{self.served.url}/admin/faults", json=body, timeout=5).ok

    def own_bars(self, opened: np.ndarray) -> pa.Table:
        first, last = (from_milliseconds(int(opened[place])) for place in (0, -1))
        return table_of_bars(self.client.candles("BTC", MINUTE, first, last))

    def now_ms(self) -> float:
        return self.clock.now().timestamp() * 1000


@pytest.fixture
def world() -> Iterator[World]:
    clock = ReplayClock(LiveClock().now().replace(second=0, microsecond=0), LiveClock().now(), SPEED)
    market = synthetic(SyntheticConfig(coins=("BTC",), updates_per_second=1.0, history_bars=90, flow=Flow(rate=0.5)))
    exchange = Exchange(market.specs, clock, market.marks)
    exchange.attach(market.feed)
    with mock_in_thread(exchange, clock, WireConfig(book_interval_ms=1_000)) as served:
        yield World(served, clock)


@pytest.fixture
def store(transactional_db) -> Iterator[HistoryStore]:
    with open_store() as opened:
        with opened.transaction() as connection:
            connection.execute(text("TRUNCATE exchanges_series, exchanges_candle, exchanges_trade"))
        yield opened
        with opened.transaction() as connection:
            connection.execute(text("TRUNCATE exchanges_series, exchanges_candle, exchanges_trade"))


def trouble(world: World) -> None:
    """Cut the line, let it stall, lose messages without a word; between them let it heal."""
    for kind, seconds in (("ws_disconnect", None), ("ws_stall", 1.0), ("ws_gap", 1.2), ("ws_disconnect", None)):
        time.sleep(1.5)
        world.fault(kind, seconds)


def until(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def assert_whole(world: World, rows: pa.Table, at_least: int) -> None:
    opened = stamps(rows)
    assert len(opened) >= at_least
    assert set(np.diff(opened).tolist()) == {60_000}
    assert rows.equals(world.own_bars(opened))


def test_lake_and_database_have_the_venues_own_bars_whatever_happened_to_the_line(
    world: World, store: HistoryStore, tmp_path: Path
) -> None:
    lake = Lake(tmp_path)
    keeper = BarKeeper("hyperliquid", world.client, Sink(lake, store), world.clock, flush_seconds=0.5)
    recording = Recording(keeper, world.open_stream, ["BTC"], [Kind.CANDLES, Kind.TRADES], [MINUTE])

    def meanwhile() -> None:
        until("connected", lambda: world.streams[0].connected)
        trouble(world)
        last = world.now_ms()
        # Two minutes after the last trouble, and one hourly look: a lost message without a word is mended by then.
        until("an hour", lambda: world.now_ms() > last + 2 * 60_000)
        for kept in keeper._series.values():
            kept.right_until -= timedelta(hours=1)
        settled = world.clock.now() - 5 * MINUTE
        until("settled", lambda: all(not k.doubtful and k.right_until > settled for k in keeper._series.values()))

    async def session() -> None:
        running = asyncio.create_task(recording.run())
        try:
            await asyncio.to_thread(meanwhile)
        finally:
            recording.stop()
            await asyncio.wait_for(running, WAIT_SECONDS)

    asyncio.run(session())
    # An hour of history and every minute since.
    assert_whole(world, lake.read(KEY, *EVER), 65)
    assert_whole(world, store.read(KEY, *EVER), 65)


def test_the_cache_has_no_gap_and_closes_a_bar_once(world: World, store: HistoryStore) -> None:
    url = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{REDIS_DATABASE}"
    with redis.Redis.from_url(url, protocol=2, socket_timeout=2) as client:
        client.flushdb()
        row = Venue.objects.create(
            code="hyperliquid", protocol="hyperliquid", environment="paper",
            rest_url=world.config.rest_url, websocket_url=world.config.websocket_url,
        )  # fmt: skip
        InstrumentRow.objects.create(
            venue=row, symbol="BTC", asset="BTC", quote="USDC", venue_asset_id="0", tick="0.1", lot="0.00001"
        )
        wishes_set("test", Needs(("hyperliquid:BTC",), {MINUTE: 40}))
        keeper = BarKeeper("hyperliquid", world.client, Sink(None, store), world.clock, flush_seconds=0.5)
        process = MarketStreamProcess(
            "hyperliquid", world.client, world.open_stream, MarketWriter(client), world.clock, keeper=keeper
        )
        cache, wanted = MarketCache(client), {"hyperliquid:BTC": Wanted({MINUTE: 40}, book=False)}

        def newest() -> np.ndarray:
            return cache.views(wanted, world.clock.now())["hyperliquid:BTC"].bars[MINUTE].opened_ms

        def meanwhile() -> None:
            until("connected", lambda: bool(world.streams) and world.streams[0].connected)
            trouble(world)
            last = world.now_ms()
            until("the bars after it", lambda: newest()[-1] > last + 2 * 60_000)

        async def session() -> None:
            running = asyncio.create_task(process.run())
            try:
                await asyncio.to_thread(meanwhile)
            finally:
                process.stop()
                await asyncio.wait_for(running, WAIT_SECONDS)

        asyncio.run(session())
        opened = newest()
        told = [fields[b"id"] for _, fields in client.xrange("md:events") if fields[b"type"] == b"bar"]
        client.flushdb()
    assert len(opened) == 40
    assert set(np.diff(opened).tolist()) == {60_000}
    # Told again after a break it is the same event; the newest bars were all told of.
    assert {f"bar:hyperliquid:BTC:60:{stamp}".encode() for stamp in opened[-2:].tolist()} <= set(told)
    kept = stamps(store.read(KEY, *EVER))
    assert set(np.diff(kept).tolist()) == {60_000}
