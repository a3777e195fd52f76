"""What is checked: columns as they were found, before anybody sorted, cast or dropped a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from apps.exchanges.market_data.history.quality.findings import EVIDENCE_ROWS, Code, Finding, Severity
from apps.exchanges.market_data.history.series import Kind, interval_text
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue

BAR_COLUMNS = ("open", "high", "low", "close")
_MILLISECONDS = (946_684_800_000, 4_102_444_800_000)
# How stamps of another unit are told: the factor that brings them into the years 2000 to 2099.
_FACTORS = (1, 1_000, 1e-3, 1e-6)


class Shape(StrEnum):
    """What kind of rows these are, told by their columns."""

    CANDLES = Kind.CANDLES.value
    TRADES = Kind.TRADES.value
    FUNDING = Kind.FUNDING.value
    MARKS = Kind.MARKS.value
    BOOK = "book snapshots"
    EVENTS = "book events"


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows to be checked. `name` is for people; `interval` is None for what has no grid; `quote` "" when unknown."""

    name: str
    shape: Shape
    table: pa.Table
    interval: timedelta | None = None
    quote: str = ""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.table)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Return a column as float64; what is empty is NaN."""
        return np.asarray(self.table.column(column).to_numpy(), dtype=np.float64)

    @property
    def stamps(self) -> NDArray[np.int64]:
        """Return the times as they were found, in whatever unit."""
        return np.asarray(self.table.column("ts").to_numpy(), dtype=np.int64)

    @property
    def step_ms(self) -> int | None:
        """Return the milliseconds between bars."""
        return None if self.interval is None else round(self.interval.total_seconds() * 1000)

    def finding(
        self, code: Code, severity: Severity, message: str, rows: Sequence[int] | NDArray[np.intp], repair: str
    ) -> Finding:
        """Return a finding with the first rows as evidence."""
        shown = tuple(int(row) for row in rows[:EVIDENCE_ROWS])
        return Finding(code, severity, message, len(rows), shown, tuple(self._row_text(row) for row in shown), repair)

    def _row_text(self, row: int) -> str:
        values = self.table.slice(row, 1).to_pylist()[0]
        stamp = values.get("ts")
        when = f"{from_milliseconds(stamp):%Y-%m-%d %H:%M:%S} " if stamp and within_years(stamp) else ""
        return f"row {row}: {when}" + " ".join(f"{name}={value}" for name, value in list(values.items())[:8])


def within_years(stamp: float) -> bool:
    """Return whether `stamp` can be milliseconds of the years 2000 to 2099."""
    return _MILLISECONDS[0] <= stamp < _MILLISECONDS[1]


def factor_to_milliseconds(stamp: float) -> float | None:
    """Return what to multiply a stamp by to have milliseconds; None when no usual unit fits."""
    return next((factor for factor in _FACTORS if within_years(stamp * factor)), None)


def guessed_interval(stamps: NDArray[np.int64]) -> timedelta:
    """Return the commonest step between neighbouring stamps. Raises InvalidValue for fewer than two stamps."""
    steps = np.abs(np.diff(stamps))
    steps = steps[steps > 0]
    if not len(steps):
        raise InvalidValue("rows", len(stamps), "two different stamps, or the interval said with --interval")
    values, counts = np.unique(steps, return_counts=True)
    interval = timedelta(milliseconds=int(values[np.argmax(counts)]))
    interval_text(interval)
    return interval
