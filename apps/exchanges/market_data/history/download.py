"""Fetching the past from a venue, page by page: what is there already is not asked for, what is lost is asked again.

Venues cut long answers short, some at the old end, some at the new one, at 200 to 5,000 rows. So a window is asked
for, and what its answer left out at either end is asked for again, until an answer brings nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import numpy as np
import pyarrow as pa

from apps.exchanges.history_ports import FundingHistory, TradeHistory
from apps.exchanges.market_data.history.reader import Gap, gaps_between
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey, empty, stamps, table_of_bars, within
from apps.exchanges.market_data.history.sink import FLUSH_ROWS, Sink
from apps.exchanges.market_data.history.sound import require_sound
from apps.exchanges.ports import MarketDataClient, ParseError
from moondev.domain.clock import Clock, from_milliseconds, milliseconds
from moondev.domain.errors import Configuration, Connectivity, InvalidValue, Invariant, RateLimited
from moondev.domain.market_data import TradeTick
from moondev.domain.values import Side

BARS_PER_REQUEST = 500
# The smallest full page of trades or rates that any venue gives.
SMALLEST_FULL_PAGE = 100
TRIES = 6
FIRST_WAIT_SECONDS = 0.5
MOST_WAIT_SECONDS = 120.0
_MILLISECOND = timedelta(milliseconds=1)

T = TypeVar("T")
Progress = Callable[[datetime], None]


@dataclass(frozen=True, slots=True)
class Downloader:
    """Fetches one venue's past into a sink. `progress` is told up to where it has come; `sleep` waits real seconds."""

    client: MarketDataClient
    sink: Sink
    clock: Clock
    progress: Progress = lambda _: None
    sleep: Callable[[float], None] = time.sleep

    def candles(self, key: SeriesKey, start: datetime, end: datetime, have: pa.Table) -> int:
        """Fetch the closed bars opened in [start, end) that `have` lacks; return how many came.

        Raises Connectivity when the venue stays silent, and whatever else it raises. What had come by then is kept.
        """
        if key.interval is None:
            raise InvalidValue("kind", key.kind.value, "candles")
        came = 0
        for rows in self.closed_bars(key, start, end, have):
            came += self._keep(key, rows)
        self.sink.flush()
        self.progress(end)
        return came

    def closed_bars(self, key: SeriesKey, start: datetime, end: datetime, have: pa.Table) -> Iterator[pa.Table]:
        """Yield, window by window, the closed bars opened in [start, end) that `have` lacks."""
        interval = key.interval or timedelta(0)
        # The bar that is forming now will be another one when it closes.
        end = min(end, self.clock.now() - interval + _MILLISECOND)
        for first, last in _windows(interval, gaps_between(stamps(have), interval, start, end)):
            yield self._bars(key, first, last)
            self.progress(from_milliseconds(last))

    def funding(self, key: SeriesKey, start: datetime, end: datetime) -> int:
        """Fetch the rates paid in [start, end); return how many came. Raises Configuration where none are told."""
        client = self.client
        if not isinstance(client, FundingHistory):
            raise Configuration(f"venue {key.venue} tells no past funding rates")

        def page(since: datetime) -> pa.Table:
            rates = client.funding_history(key.symbol, since, end - _MILLISECOND)
            columns = [[milliseconds(rate.time_exchange) for rate in rates], [rate.rate for rate in rates]]
            return pa.table([pa.array(values) for values in columns], schema=SCHEMAS[Kind.FUNDING])

        return self._pages(key, start, end, page)

    def trades(self, key: SeriesKey, start: datetime, end: datetime) -> int:
        """Fetch the trades made in [start, end); return how many came. Raises Configuration where none are told."""
        client = self.client
        if not isinstance(client, TradeHistory):
            raise Configuration(f"venue {key.venue} tells no past trades")
        return self._pages(
            key, start, end, lambda since: table_of_trades(client.trades(key.symbol, since, end - _MILLISECOND))
        )

    def _bars(self, key: SeriesKey, first_ms: int, last_ms: int) -> pa.Table:
        """Return the bars opened from `first_ms` to `last_ms`, both included, as far as the venue has them."""
        interval, step = key.interval or timedelta(0), key.step_ms or 0
        if first_ms > last_ms:
            return empty(key.kind)
        start, end = from_milliseconds(first_ms), from_milliseconds(last_ms)
        answer = table_of_bars(self._ask(lambda: self.client.candles(key.symbol, interval, start, end)))
        opened = stamps(answer)
        rows = answer.filter(pa.array((opened >= first_ms) & (opened <= last_ms)))
        if not len(rows):
            return rows
        opened = stamps(rows)
        older = self._bars(key, first_ms, int(opened[0]) - step)
        newer = self._bars(key, int(opened[-1]) + step, last_ms)
        return pa.concat_tables([older, rows, newer])

    def _pages(self, key: SeriesKey, start: datetime, end: datetime, page: Callable[[datetime], pa.Table]) -> int:
        """Read on from the last stamp, inclusive, because several rows may share it, until nothing new comes."""
        came, since, seen = 0, start, -1
        while since < end:
            # Some venues answer by whole hours: what was not asked for is not taken.
            rows = within(self._ask(partial(page, since)), milliseconds(start), milliseconds(end))
            last = int(stamps(rows)[-1]) if len(rows) else seen
            if last <= seen:
                if len(rows) >= SMALLEST_FULL_PAGE and _count_at(rows, last) == len(rows):
                    raise Invariant(f"{len(rows)} rows and more share the stamp {last} ms: cannot read on")
                break
            came += self._keep(key, rows)
            seen, since = last, from_milliseconds(last)
            self.progress(since)
        self.sink.flush()
        self.progress(end)
        return came

    def _keep(self, key: SeriesKey, rows: pa.Table) -> int:
        """Look at every page before it is kept: the error names the row while its page is known."""
        require_sound(key, rows)
        self.sink.put(key, rows)
        if self.sink.waiting >= FLUSH_ROWS:
            self.sink.flush()
        return len(rows)

    def _ask(self, question: Callable[[], T]) -> T:
        """Ask until an answer comes; a venue that says "slow down" is waited for, one that stays silent is given up."""
        for attempt in range(TRIES):
            try:
                return question()
            except ParseError:
                raise
            except RateLimited as error:
                if attempt == TRIES - 1:
                    raise
                self.sleep(min(error.retry_after_seconds, MOST_WAIT_SECONDS) + _jitter(FIRST_WAIT_SECONDS))
            except Connectivity:
                if attempt == TRIES - 1:
                    raise
                self.sleep(_jitter(FIRST_WAIT_SECONDS * 2**attempt))
        raise Invariant("the last try neither answered nor raised")


def table_of_trades(trades: Sequence[TradeTick]) -> pa.Table:
    """Return public trades as rows."""
    columns = [
        [milliseconds(trade.time_exchange) for trade in trades],
        [trade.trade_id for trade in trades],
        [1 if trade.side is Side.BUY else -1 for trade in trades],
        [trade.price for trade in trades],
        [trade.size for trade in trades],
    ]
    schema = SCHEMAS[Kind.TRADES]
    return pa.table([pa.array(v, t) for v, t in zip(columns, schema.types, strict=True)], schema=schema)


def _count_at(rows: pa.Table, stamp_ms: int) -> int:
    """Return how many rows carry this stamp."""
    return int(np.count_nonzero(stamps(rows) == stamp_ms))


def _windows(interval: timedelta, gaps: Sequence[Gap]) -> Iterator[tuple[int, int]]:
    """Return the first and last open time of each request that fills the gaps."""
    step = round(interval.total_seconds() * 1000)
    for gap in gaps:
        end = gap.first_ms + gap.bars * step
        for first in range(gap.first_ms, end, BARS_PER_REQUEST * step):
            yield first, min(first + BARS_PER_REQUEST * step, end) - step


def _jitter(seconds: float) -> float:
    """Return somewhat more or less, so that processes that were refused together do not come back together."""
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
