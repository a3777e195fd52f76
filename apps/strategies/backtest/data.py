"""What a backtest runs on: recorded bars and funding, checked before any number is computed from them.

What makes every number wrong (columns under wrong names, stamps off the grid, prices that are none) is refused with
what and where; what makes some wrong (gaps, prices carried on) is kept as a warning that the report shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.quality.checks import check
from apps.exchanges.market_data.history.quality.dataset import BAR_COLUMNS, Dataset, Shape, factor_to_milliseconds
from apps.exchanges.market_data.history.quality.files import read_dataset
from apps.exchanges.market_data.history.quality.findings import Code, Finding, Severity
from apps.exchanges.market_data.history.quality.stored import stored_dataset
from apps.exchanges.market_data.history.reader import gaps_between, read_rows
from apps.exchanges.market_data.history.series import Kind, SeriesKey, interval_text, within
from apps.exchanges.market_data.history.store import HistoryStore
from apps.strategies.backtest.costs import FundingRates
from apps.strategies.backtest.results import DataSource
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries

# Venues changed how often they pay, and book late: rates need no grid, only an order.
_HARMLESS_IN_FUNDING = frozenset({Code.OFF_GRID})


@dataclass(frozen=True, slots=True)
class Period:
    """Bars opened in [start, end); None leaves that end open."""

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins."""
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise InvalidValue("period", f"{self.start} to {self.end}", "a start before the end")


ALL = Period()


@dataclass(frozen=True, slots=True)
class RecordedBars:
    """Bars that passed the checks. `quote` is the currency of the prices; "" when the name does not tell."""

    bars: BarSeries
    source: DataSource
    quote: str


def bars_of_file(path: Path, period: Period = ALL, interval: timedelta | None = None, fewest: int = 2) -> RecordedBars:
    """Return the candles of a Parquet, Feather or CSV file.

    Raises InvalidValue for what cannot be read, is no candles, fails a check or has fewer than `fewest` bars.
    """
    dataset = read_dataset(path, interval)
    _require_shape(dataset, Shape.CANDLES)
    return _checked(_within(dataset, period), period, fewest)


def bars_of_history(
    key: SeriesKey, start: datetime, end: datetime, lake: Lake, store: HistoryStore | None = None, fewest: int = 2
) -> RecordedBars:
    """Return the candles that we keep ourselves. Raises as `bars_of_file` does, and Connectivity without database."""
    if key.kind is not Kind.CANDLES:
        raise InvalidValue("kind", key.kind.value, "candles")
    rows = read_rows(key, start, end, lake, store)
    return _checked(stored_dataset(key, rows, "history"), Period(start, end), fewest)


def funding_of_file(path: Path) -> FundingRates:
    """Return the recorded funding rates of a file. Raises InvalidValue as `bars_of_file` does."""
    dataset = read_dataset(path)
    _require_shape(dataset, Shape.FUNDING)
    _refuse_errors(dataset, [found for found in check(dataset) if found.code not in _HARMLESS_IN_FUNDING])
    return FundingRates(dataset.stamps, dataset.numbers("rate"))


def require_one_quote(series: Sequence[RecordedBars]) -> None:
    """Raise InvalidValue when the series are priced in different currencies: their money cannot be added up.

    USD, USDT and USDC are three currencies: in March 2023 they were up to 13 % apart.
    """
    quotes = {recorded.quote for recorded in series if recorded.quote}
    if len(quotes) > 1:
        told = "; ".join(f"{recorded.source.description} in {recorded.quote}" for recorded in series)
        raise InvalidValue("quote currency", told, "series quoted in one currency")


def _checked(dataset: Dataset, period: Period, fewest: int) -> RecordedBars:
    if len(dataset) < fewest:
        raise InvalidValue(dataset.name, f"{len(dataset)} bars in {_text(period)}", f"{fewest} or more")
    found = check(dataset)
    _refuse_errors(dataset, found)
    if dataset.interval is None:
        raise InvalidValue(dataset.name, "no interval", "candles of a known length")
    columns = [dataset.numbers(name) for name in (*BAR_COLUMNS, "volume")]
    bars = BarSeries(dataset.interval, dataset.stamps, *columns)
    warnings = (*(f"{one.code}: {one.message}" for one in found), *_missing_ends(bars, period))
    return RecordedBars(bars, DataSource(_description(dataset.name, bars), content_hash(bars), warnings), dataset.quote)


def content_hash(bars: BarSeries) -> str:
    """Return a hash of interval, stamps and every number: equal bars, equal hash."""
    digest = hashlib.sha256(interval_text(bars.interval).encode())
    columns: tuple[NDArray[np.float64] | NDArray[np.int64], ...] = (
        bars.opened_ms, bars.open, bars.high, bars.low, bars.close, bars.volume,
    )  # fmt: skip
    for column in columns:
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def _within(dataset: Dataset, period: Period) -> Dataset:
    # Stamps of another unit cannot be cut; left whole, the checks say what is wrong with them.
    if period == ALL or not len(dataset) or factor_to_milliseconds(float(np.median(dataset.stamps))) != 1:
        return dataset
    start = 0 if period.start is None else milliseconds(period.start)
    end = np.iinfo(np.int64).max if period.end is None else milliseconds(period.end)
    table = within(dataset.table, start, int(end))
    return Dataset(dataset.name, dataset.shape, table, dataset.interval, dataset.quote)


def _missing_ends(bars: BarSeries, period: Period) -> list[str]:
    """Return what the period asks for before the first bar and after the last; gaps between are found by the checks."""
    first, last = from_milliseconds(int(bars.opened_ms[0])), from_milliseconds(int(bars.opened_ms[-1]))
    start, end = period.start or first, period.end or last + bars.interval
    gaps = gaps_between(bars.opened_ms, bars.interval, start, end)
    outside = [gap for gap in gaps if gap.first_ms < bars.opened_ms[0] or gap.first_ms > bars.opened_ms[-1]]
    edge = int(bars.opened_ms[-1])
    return [f"the period {'begins before' if gap.first_ms < edge else 'ends after'} the data: {gap}" for gap in outside]


def _refuse_errors(dataset: Dataset, found: Sequence[Finding]) -> None:
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    if not errors:
        return
    told = "; ".join(f"{error.code}: {error.message} (first at {error.evidence[0]})" for error in errors)
    repairs = "; ".join(error.repair for error in errors)
    raise InvalidValue(dataset.name, told, f"data that passes the checks; to mend it: {repairs}")


def _require_shape(dataset: Dataset, shape: Shape) -> None:
    if dataset.shape is not shape:
        raise InvalidValue(dataset.name, dataset.shape.value, f"a file of {shape.value}")


def _description(name: str, bars: BarSeries) -> str:
    first, last = (from_milliseconds(int(bars.opened_ms[row])) for row in (0, -1))
    return (
        f"{name}: {len(bars)} bars of {interval_text(bars.interval)}, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
    )


def _text(period: Period) -> str:
    if period == ALL:
        return "the whole of it"
    return f"{period.start or 'the beginning'} to {period.end or 'the end'}"
