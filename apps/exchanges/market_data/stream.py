"""The process that listens to one venue's public stream and keeps the shared cache fresh.

Data is written as soon as two milliseconds after it came, or every `FLUSH_EVENTS` events in a flood:
whatever arrived in between shares one round trip. What is wanted is asked every second, so a strategy
enabled in the admin has its data without a restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.db import Error as SqlError
from django.db import close_old_connections, connections

from apps.exchanges.health.freshness import NEVER, Freshness
from apps.exchanges.health.reports import VenueWatch
from apps.exchanges.market_data.bars import Bar
from apps.exchanges.market_data.cache import Batch, MarketWriter
from apps.exchanges.market_data.line import RedisLine
from apps.exchanges.market_data.recorder import MarketRecorder
from apps.exchanges.market_data.wishes import Wanted, wanted_at
from apps.exchanges.ports import MarketDataClient, MarketEvent, MarketHandler, MarketSubscription, Stream
from moondev.domain.clock import Clock, monotonic
from moondev.domain.errors import Connectivity, TradingError

if TYPE_CHECKING:
    from apps.exchanges.market_data.history.keeper import BarKeeper

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.002
FLUSH_EVENTS = 200
HOUSEKEEPING_SECONDS = 1.0
REDIS_RETRY_SECONDS = 0.5
BACKFILL_TRIES = 5

OpenStream = Callable[[Sequence[MarketSubscription], MarketHandler], Stream]


@dataclass(slots=True)
class MarketStreamProcess:
    """Everything one venue's market stream needs; `run` ends when `stop` was called."""

    venue: str
    client: MarketDataClient
    open_stream: OpenStream
    writer: MarketWriter
    clock: Clock
    keeper: BarKeeper | None = None
    # Called about every second, from the loop that listens.
    turned: Callable[[], None] = lambda: None
    messages: int = 0
    _stopping: bool = False
    _line: RedisLine = field(init=False)
    _unflushed: int = 0
    _redis_away: bool = False
    _flush_at: asyncio.TimerHandle | None = None
    _writing: bool = False
    _recorder: MarketRecorder | None = None
    _stream: Stream | None = None
    _backfills: set[asyncio.Task[None]] = field(default_factory=set)
    _freshness: Freshness = field(default_factory=Freshness)
    _unflushed_since: float = 0.0
    _watch: VenueWatch = field(init=False)

    def __post_init__(self) -> None:
        self._watch = VenueWatch(self.venue, self.writer.client)
        self._line = RedisLine(self.writer.client)

    def stop(self) -> None:
        """Ask `run` to return."""
        self._stopping = True
        if self._stream is not None:
            self._stream.stop()

    async def run(self) -> None:
        """Stream what is wanted, starting anew whenever that changes."""
        keeping = None if self.keeper is None else asyncio.create_task(self.keeper.run())
        try:
            while not self._stopping:
                wanted = await self._wanted()
                self.turned()
                if wanted:
                    await self._stream_until_changed(wanted)
                else:
                    await asyncio.sleep(HOUSEKEEPING_SECONDS)
        finally:
            self._line.close()
            if keeping is not None:
                keeping.cancel()
                await asyncio.wait([keeping])
            await sync_to_async(connections.close_all)()

    async def _stream_until_changed(self, wanted: list[Wanted]) -> None:
        self._recorder = MarketRecorder(self.venue, wanted, self.writer, self._lacks, self._keep)
        subscriptions = [MarketSubscription(w.symbol, candles=tuple(i for i, _ in w.bars)) for w in wanted]
        self._stream = self.open_stream(subscriptions, self._take)
        streaming = asyncio.create_task(self._stream.run())
        for wish in wanted:
            if self.keeper is not None:
                self.keeper.watch(wish.symbol, [interval for interval, _ in wish.bars])
            for interval, _ in wish.bars:
                self._schedule_backfill(wish.symbol, interval)
        try:
            while not streaming.done() and not self._stopping:
                await asyncio.wait([streaming], timeout=HOUSEKEEPING_SECONDS)
                self._keep_house()
                self.turned()
                if await self._wanted() not in (None, wanted):
                    break
        finally:
            await self._close(streaming)

    async def _wanted(self) -> list[Wanted] | None:
        """Return what is wanted; None while the database is away, which changes nothing that streams."""
        try:
            return await sync_to_async(wanted_at)(self.venue)
        except SqlError as error:
            logger.warning("%s: what is wanted cannot be read: %s", self.venue, error)
            await sync_to_async(close_old_connections)()
            return None

    async def _close(self, streaming: asyncio.Task[None]) -> None:
        if self._stream is not None:
            self._stream.stop()
        for task in self._backfills:
            task.cancel()
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(streaming, timeout=HOUSEKEEPING_SECONDS)

    def _take(self, event: MarketEvent) -> None:
        if self._recorder is None:
            return
        self._recorder.take(event)
        self._freshness.heard(event)
        self.messages += 1
        if not self._unflushed:
            self._unflushed_since = monotonic()
        self._unflushed += 1
        if self._unflushed >= FLUSH_EVENTS and not self._redis_away:
            self._flush()
        elif self._flush_at is None:
            self._flush_later(FLUSH_SECONDS)

    def _flush_later(self, seconds: float) -> None:
        self._flush_at = asyncio.get_running_loop().call_later(seconds, self._flush)

    def _flush(self) -> None:
        """Begin to write what changed; while the last write is under way more gathers, and goes out after it."""
        if self._writing:
            return
        if self._flush_at is not None:
            self._flush_at.cancel()
        received_from = self._unflushed_since if self._unflushed else None
        self._flush_at, self._unflushed = None, 0
        if self.writer.dirty:
            batch = self.writer.take()
            self._writing = True
            self._line.send(batch.commands, partial(self._written, batch, received_from))

    def _written(self, batch: Batch, received_from: float | None, error: Exception | None) -> None:
        self._writing = False
        self._redis_away = error is not None
        if error is not None:
            logger.warning("%s: market data cache: %s; trying again", self.venue, error)
            self.writer.put_back(batch)
        elif received_from is not None:
            self._freshness.visible(received_from)
        self._flush_next()

    def _flush_next(self) -> None:
        """See to what gathered while the last write was under way."""
        if self._flush_at is not None:
            self._flush_at.cancel()
            self._flush_at = None
        if self._redis_away:
            self._flush_later(REDIS_RETRY_SECONDS)
        elif self._unflushed >= FLUSH_EVENTS:
            self._flush()
        elif self.writer.dirty:
            self._flush_later(FLUSH_SECONDS)

    def _keep_house(self) -> None:
        """Close overdue bars, make good a Redis that forgot, and say how the stream is."""
        recorder, stream = self._recorder, self._stream
        if recorder is None or stream is None:
            return
        recorder.close_due(self.clock.now())
        try:
            self.writer.rewrite_if_forgotten(self.venue)
            self.writer.health(self.venue, self._watch.report(self._signs(recorder, stream)))
        except Connectivity as error:
            logger.warning("%s: %s", self.venue, error)
        self._flush()

    def _signs(self, recorder: MarketRecorder, stream: Stream) -> dict[str, object]:
        now = self.clock.now()
        return {
            "connected": int(stream.connected),
            "age_seconds": min(stream.age_seconds, NEVER),
            "messages": self.messages,
            "unreadable": stream.unreadable,
            "refused": recorder.refused,
            "at": now.isoformat(),
            "book_ages": {symbol: self.clock.wall_seconds(age) for symbol, age in recorder.book_ages(now).items()},
            "trades_lost": self.writer.trades_lost,
            **self._freshness.report(),
        }

    def _keep(self, symbol: str, interval: timedelta, bars: Sequence[Bar]) -> None:
        if self.keeper is not None:
            self.keeper.bars(symbol, interval, bars)

    def _lacks(self, symbol: str, interval: timedelta) -> None:
        """Have what is missing fetched, for the views now and for what is kept."""
        self._schedule_backfill(symbol, interval)
        if self.keeper is not None:
            self.keeper.doubt(symbol, interval)

    def _schedule_backfill(self, symbol: str, interval: timedelta) -> None:
        task = asyncio.get_running_loop().create_task(self._backfill(symbol, interval))
        self._backfills.add(task)
        task.add_done_callback(self._backfills.discard)

    async def _backfill(self, symbol: str, interval: timedelta) -> None:
        """Fetch the newest bars the series keeps; tries a few times, then says that the series has a gap."""
        recorder = self._recorder
        if recorder is None:
            return
        for attempt in range(BACKFILL_TRIES):
            now = self.clock.now()
            start = now - interval * (recorder.kept(symbol, interval) + 1)
            try:
                history = await asyncio.to_thread(self.client.candles, symbol, interval, start, now)
                recorder.backfill(symbol, history, now)
                self._flush()
                return
            except TradingError as error:
                logger.warning("%s %s %s: history: %s", self.venue, symbol, interval, error)
                await asyncio.sleep(2**attempt * 0.25)
        logger.error("%s %s %s: the series keeps its gap until the next one is noticed", self.venue, symbol, interval)
