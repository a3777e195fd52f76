"""From the mock exchange's websocket to what a tick worker reads: real sockets, real Redis."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import redis
import requests

from apps.exchanges.market_data.cache import EVENTS_KEY, MarketCache, MarketWriter, Wanted
from apps.exchanges.market_data.stream import MarketStreamProcess
from apps.exchanges.market_data.wishes import wishes_clear, wishes_set
from apps.exchanges.mock.market import MarketOptions, open_market
from apps.exchanges.mock.threaded import ThreadedMock, mock_in_thread
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.models import InstrumentRow, Venue
from apps.exchanges.registry import market_data_for, market_stream_for
from moondev.domain.clock import LiveClock
from moondev.domain.market_data import InstrumentView, Needs

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

MINUTE = timedelta(minutes=1)
KEY = "hyperliquid:BTC"
WANTED = {KEY: Wanted(bars={MINUTE: 50}, book=True)}
# A database of Redis that no running platform uses.
REDIS_DATABASE = 12
PATIENCE_SECONDS = 15.0


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    # The number in the address wins over an argument.
    url = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{REDIS_DATABASE}"
    connection = redis.Redis.from_url(url, protocol=2, socket_timeout=2)
    connection.flushdb()
    yield connection
    connection.flushdb()
    connection.close()


@pytest.fixture
def mock() -> Iterator[ThreadedMock]:
    exchange, clock = open_market(MarketOptions(coins=("BTC", "ETH")))
    with mock_in_thread(exchange, clock, WireConfig(book_interval_ms=20)) as served:
        yield served


@pytest.fixture
def venue(mock: ThreadedMock) -> Venue:
    row = Venue.objects.create(
        code="hyperliquid",
        protocol="hyperliquid",
        environment="paper",
        rest_url=mock.hyperliquid_url,
        websocket_url=mock.hyperliquid_url.replace("http", "ws", 1) + "/ws",
    )
    for listing in market_data_for(row.to_config()).instruments():
        rules = listing.instrument
        InstrumentRow.objects.create(
            venue=row,
            symbol=rules.symbol,
            asset=rules.asset,
            quote=rules.quote,
            venue_asset_id=str(listing.venue_asset_id),
            tick=rules.price_grid.tick,
            significant_figures=rules.price_grid.significant_figures,
            lot=rules.lot.value,
        )
    return row


def run(venue: Venue, client: redis.Redis, meanwhile: Callable[[MarketCache], None]) -> MarketStreamProcess:
    """Run the stream process while `meanwhile` looks at the cache from another thread."""
    config = venue.to_config()
    process = MarketStreamProcess(
        venue.code,
        market_data_for(config),
        lambda subscriptions, handler: market_stream_for(config, subscriptions, handler),
        MarketWriter(client),
        LiveClock(),
    )

    async def session() -> None:
        running = asyncio.create_task(process.run())
        try:
            await asyncio.to_thread(meanwhile, MarketCache(client))
        finally:
            process.stop()
            await asyncio.wait_for(running, PATIENCE_SECONDS)

    asyncio.run(session())
    return process


def until(cache: MarketCache, holds: Callable[[InstrumentView], bool]) -> InstrumentView:
    """Return the first view for which `holds`; fail after a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        view = cache.views(WANTED, LiveClock().now())[KEY]
        if holds(view):
            return view
        time.sleep(0.02)
    raise AssertionError(f"still {view}")


def complete(view: InstrumentView) -> bool:
    return view.book is not None and view.mark_price is not None and len(view.bars.get(MINUTE, ())) == 50


def test_a_worker_sees_book_mark_and_closed_bars_of_what_is_wanted(venue: Venue, client: redis.Redis) -> None:
    wishes_set("someone", Needs((KEY,), {MINUTE: 50}, book=True))

    def look(cache: MarketCache) -> None:
        view = until(cache, complete)
        assert view.age < timedelta(seconds=1)
        assert view.book is not None
        assert view.book.bids[0].price < view.book.asks[0].price
        stamps = view.bars[MINUTE].opened_ms
        assert set((stamps[1:] - stamps[:-1]).tolist()) == {60_000}
        newest = stamps[-1] + 2 * 60_000
        assert newest >= LiveClock().now().timestamp() * 1000 - 3_000

    process = run(venue, client, look)
    assert process.messages > 0


def test_what_nobody_wants_is_not_streamed_and_a_new_wish_is_heard_without_a_restart(
    venue: Venue, client: redis.Redis
) -> None:
    wishes_set("someone", Needs(("hyperliquid:ETH",), {}, book=True))

    def look(cache: MarketCache) -> None:
        wanted = {"hyperliquid:ETH": Wanted()}
        while cache.views(wanted, LiveClock().now())["hyperliquid:ETH"].book is None:
            continue
        assert cache.views(WANTED, LiveClock().now())[KEY].age == timedelta.max
        wishes_set("another", Needs((KEY,), {MINUTE: 50}, book=True))
        until(cache, complete)

    run(venue, client, look)
    wishes_clear("another")


def test_a_dropped_connection_comes_back_with_the_bars_that_were_missed(
    venue: Venue, client: redis.Redis, mock: ThreadedMock
) -> None:
    wishes_set("someone", Needs((KEY,), {MINUTE: 50}, book=True))

    def look(cache: MarketCache) -> None:
        before = until(cache, complete)
        assert before.book is not None
        fault = {"venue": "hl", "kind": "ws_disconnect", "count": 1}
        assert requests.post(f"{mock.url}/admin/faults", json=fault, timeout=5).ok
        stamp = before.book.time_received + timedelta(seconds=1)
        until(cache, lambda view: view.book is not None and view.book.time_received > stamp)

    run(venue, client, look)


def test_a_redis_that_was_flushed_is_filled_again(venue: Venue, client: redis.Redis) -> None:
    wishes_set("someone", Needs((KEY,), {MINUTE: 50}, book=True))

    def look(cache: MarketCache) -> None:
        until(cache, complete)
        client.flushdb()
        until(MarketCache(client), complete)

    run(venue, client, look)


def test_a_move_of_the_book_is_told_once(venue: Venue, client: redis.Redis, mock: ThreadedMock) -> None:
    wishes_set("someone", Needs((KEY,), {}, book=True), book_move_bps=1.0)

    def look(cache: MarketCache) -> None:
        until(cache, lambda view: view.book is not None)
        deadline = LiveClock().now() + timedelta(seconds=PATIENCE_SECONDS)
        while client.xlen(EVENTS_KEY) < 3 and LiveClock().now() < deadline:
            continue
        events = client.xrange(EVENTS_KEY)
        ids = [fields[b"id"] for _, fields in events]
        assert len(ids) >= 3
        assert len(ids) == len(set(ids))
        assert {fields[b"type"] for _, fields in events} == {b"book"}

    run(venue, client, look)
