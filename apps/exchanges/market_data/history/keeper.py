"""Live bars that are kept: closed ones as they close, and the venue's own history wherever the line broke.

What was heard live is held against the venue's history after every break and every hour, from where it was last found
right: a message lost without a word, which no connection can notice, is mended too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyarrow as pa

from apps.exchanges.market_data.bars import GRACE_MS, Bar
from apps.exchanges.market_data.history.download import Downloader
from apps.exchanges.market_data.history.fetch import Span, settle
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey
from apps.exchanges.market_data.history.sink import Sink
from apps.exchanges.ports import MarketDataClient
from moondev.domain.clock import Clock
from moondev.domain.errors import TradingError

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
SETTLE_EVERY = timedelta(hours=1)
# A series that was never kept begins so long ago; one that was, where it ended, but no longer ago than the second.
FIRST_REACH, LONGEST_REACH = timedelta(hours=1), timedelta(days=7)
MOST_PAUSE_SECONDS = 60.0
# By then the venue's own word on a bar does not change any more.
_GRACE = timedelta(milliseconds=GRACE_MS)


@dataclass(slots=True)
class _Kept:
    """Of one series: until when it is known to be right, and whether it has to be looked at before the hour is over.

    `right_until` None: nobody has looked yet where it ended when it was kept last.
    """

    right_until: datetime | None = None
    doubtful: bool = True


@dataclass(slots=True)
class BarKeeper:
    """Keeps the bars of one venue. Made for one loop; what blocks runs in threads.

    `flush_seconds`: so many rows of a power cut's worth may be lost live, and come back from the venue's history.
    """

    venue: str
    client: MarketDataClient
    sink: Sink
    clock: Clock
    flush_seconds: float = 5.0
    written: int = 0
    _series: dict[SeriesKey, _Kept] = field(default_factory=dict)
    _failures: int = 0

    def watch(self, symbol: str, intervals: Sequence[timedelta]) -> None:
        """Keep these series from now on, and what the venue has of them since they were kept last."""
        for interval in intervals:
            self._series.setdefault(self._key(symbol, interval), _Kept())

    def bars(self, symbol: str, interval: timedelta, bars: Sequence[Bar]) -> None:
        """Take closed bars."""
        if bars:
            self.sink.put(self._key(symbol, interval), table_of_closed(bars))

    def doubt(self, symbol: str, interval: timedelta) -> None:
        """Have the venue's history settle what happened since the series was last known to be right."""
        kept = self._series.get(self._key(symbol, interval))
        if kept is not None:
            kept.doubtful = True

    async def run(self) -> None:
        """Write and settle until cancelled; then write once more."""
        try:
            waited = 0.0
            while True:
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                waited += LOOK_EVERY_SECONDS
                if waited >= self.flush_seconds:
                    waited = 0.0
                    await self.flush()
                await self.settle_doubtful()
        finally:
            await asyncio.shield(self.flush())

    async def flush(self) -> None:
        """Write what came; what cannot be written waits on and is told of."""
        try:
            # Before anything live is written: afterwards nobody could tell where a series had ended.
            await asyncio.to_thread(self._find_ends)
            self.written += await asyncio.to_thread(self.sink.flush)
        except (TradingError, OSError) as error:
            logger.warning("%s: %d rows wait to be kept: %s", self.venue, self.sink.waiting, error)

    async def settle_doubtful(self) -> None:
        """Ask for the history of every series that is doubtful or due, one after the other."""
        now = self.clock.now()
        for key, kept in list(self._series.items()):
            if kept.doubtful or kept.right_until is None or now - kept.right_until >= SETTLE_EVERY:
                await self._settle(key, kept)

    def _find_ends(self) -> None:
        for key, kept in list(self._series.items()):
            if kept.right_until is None:
                kept.right_until = self._last_kept(key)

    def _last_kept(self, key: SeriesKey) -> datetime:
        """Return where the series ended when it was kept last."""
        now = self.clock.now()
        found = [place.last(key) for place in (self.sink.lake, self.sink.store) if place is not None]
        # Where one of the two is behind, it is from there that something is missing.
        ends = [moment or now - FIRST_REACH for moment in found]
        return max(min(ends, default=now - FIRST_REACH), now - LONGEST_REACH)

    async def _settle(self, key: SeriesKey, kept: _Kept) -> None:
        interval = key.interval or timedelta(0)
        end = self.clock.now() - _GRACE
        kept.doubtful = False
        try:
            await asyncio.to_thread(self._find_ends)
            await self.flush()
            span = Span((kept.right_until or end) - 2 * interval, end)
            changed = await asyncio.to_thread(settle, key, span, Downloader(self.client, self.sink, self.clock))
        except (TradingError, OSError) as error:
            kept.doubtful = True
            self._failures += 1
            logger.warning("%s: the venue's history: %s; trying again", key, error)
            await asyncio.sleep(min(2.0**self._failures * LOOK_EVERY_SECONDS, MOST_PAUSE_SECONDS))
            return
        self._failures = 0
        kept.right_until = end - interval
        if changed:
            logger.info("%s: %d bars came from the venue's history", key, changed)

    def _key(self, symbol: str, interval: timedelta) -> SeriesKey:
        return SeriesKey(self.venue, Kind.CANDLES, symbol, interval)


def table_of_closed(bars: Sequence[Bar]) -> pa.Table:
    """Return closed bars as rows."""
    schema = SCHEMAS[Kind.CANDLES]
    columns = zip(*bars, strict=True)
    return pa.table([pa.array(v, t) for v, t in zip(columns, schema.types, strict=True)], schema=schema)
