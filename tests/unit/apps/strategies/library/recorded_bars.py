"""Recorded candles, which lie beside the project; tests skip when they are absent."""

from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from moondev.domain.market_data import BarSeries

FOLDER = Path(__file__).parents[6] / "shared/data/ohlcv"


def recorded(name: str, interval: timedelta) -> BarSeries:
    """Return the bars of one file; skips the test when the recordings are not beside the project."""
    file = FOLDER / f"{name}.parquet"
    if not file.exists():
        pytest.skip(f"the recorded candles of {name} are not beside the project")
    table = pq.read_table(file)
    columns = {name: table[name].to_numpy() for name in ("ts", "open", "high", "low", "close", "volume")}
    return BarSeries(
        interval, columns["ts"].astype("int64"), *(columns[c] for c in ("open", "high", "low", "close", "volume"))
    )
