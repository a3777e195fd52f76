"""The numbers the engines are asked about: recordings beside the project, and a walk that is always at hand."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet

from moondev.domain.market_data import BarSeries
from tests.oracle.questions import PROJECT

# Where the recordings are; without it, beside the project.
RECORDINGS = Path(os.environ.get("MOONDEV_RECORDINGS", PROJECT.parent / "shared" / "data"))
QUARTER = timedelta(minutes=15)
_PRICES = ("open", "high", "low", "close", "volume")


class RecordingAbsent(Exception):
    """The recorded data is not beside the project."""


def recording(path: str) -> Path:
    """Return the file `path` under the recordings. Raises RecordingAbsent."""
    found = RECORDINGS / path
    if not found.exists():
        raise RecordingAbsent(f"recorded data is not there: {path} (MOONDEV_RECORDINGS names its folder)")
    return found


def recorded_bars(name: str, interval: timedelta) -> BarSeries:
    """Return the recorded candles of that name. Raises RecordingAbsent."""
    table = pyarrow.parquet.read_table(recording(f"ohlcv/{name}.parquet"))
    prices = [np.asarray(table[column], dtype=np.float64) for column in _PRICES]
    return BarSeries(interval, np.asarray(table["ts"], dtype=np.int64), *prices)


def walk(seed: int, count: int = 3_000, interval: timedelta = QUARTER) -> BarSeries:
    """Return bars made of whole ticks of 0.01: the same to the last bit on every machine, gaps at opens included."""
    random = np.random.default_rng(seed)
    close = 1_000_000 + np.cumsum(random.integers(-3_000, 3_001, count))
    opened = np.concatenate(([1_000_000], close[:-1])) + random.integers(-300, 301, count)
    high = np.maximum(opened, close) + random.integers(0, 2_000, count)
    low = np.minimum(opened, close) - random.integers(0, 2_000, count)
    volume = random.integers(1, 1_000, count).astype(np.float64)
    step = round(interval.total_seconds() * 1000)
    stamps = 1_672_531_200_000 + np.arange(count, dtype=np.int64) * step
    return BarSeries(interval, stamps, *(ticks / 100 for ticks in (opened, high, low, close)), volume)


def price_columns(bars: BarSeries) -> dict[str, np.ndarray]:
    """Return the columns as the engines' scripts want them: stamps of opens in ms, prices, volume."""
    return {"opened_ms": bars.opened_ms} | {name: getattr(bars, name) for name in _PRICES}
