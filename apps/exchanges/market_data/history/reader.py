"""Reading what is kept, for backtests and charts: lake and database as one, with what is missing said aloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.series import Kind, SeriesKey, bars_of_table, stamps, tidy
from apps.exchanges.market_data.history.store import HistoryStore
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that are missing: the open time of the first one, and how many in a row."""

    first_ms: int
    bars: int

    def __str__(self) -> str:
        """Return when it begins and how long it is."""
        return f"{self.bars} missing from {from_milliseconds(self.first_ms):%Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True)
class History:
    """Bars of a period, and the gaps in it, its two ends included."""

    bars: BarSeries
    gaps: tuple[Gap, ...]

    @property
    def complete(self) -> bool:
        """Return whether no bar of the period is missing."""
        return not self.gaps


def read_rows(key: SeriesKey, start: datetime, end: datetime, lake: Lake, store: HistoryStore | None) -> pa.Table:
    """Return the rows stamped in [start, end) from lake and database; where both have one, the database's holds.

    Raises InvalidValue for a damaged file, Connectivity when the database does not answer.
    """
    rows = lake.read(key, start, end)
    if store is None:
        return rows
    return tidy(key.kind, pa.concat_tables([rows, store.read(key, start, end)]))


def read_bars(key: SeriesKey, start: datetime, end: datetime, lake: Lake, store: HistoryStore | None = None) -> History:
    """Return the bars opened in [start, end) and the gaps among them. Raises as `read_rows` does."""
    if key.kind is not Kind.CANDLES or key.interval is None:
        raise InvalidValue("kind", key.kind.value, "candles")
    rows = read_rows(key, start, end, lake, store)
    return History(bars_of_table(rows, key.interval), tuple(gaps_between(stamps(rows), key.interval, start, end)))


def gaps_between(opened_ms: NDArray[np.int64], interval: timedelta, start: datetime, end: datetime) -> Sequence[Gap]:
    """Return what is missing of the bars opened in [start, end). `opened_ms` rises strictly."""
    step = round(interval.total_seconds() * 1000)
    first = -(-milliseconds(start) // step) * step
    edges = np.concatenate(([first - step], opened_ms, [-(-milliseconds(end) // step) * step]))
    missing = np.diff(edges) // step - 1
    return [Gap(int(edges[at]) + step, int(missing[at])) for at in np.flatnonzero(missing > 0)]
