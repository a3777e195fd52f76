"""A folder of recorded bars and funding as a person would have it."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.exchanges.market_data.history.series import table_of_bars
from tests.unit.apps.strategies.backtest.runs import HOUR, START, walk


@pytest.fixture
def folder(tmp_path):
    """Return a folder with bars of two instruments, funding of one, and a file that is neither."""
    pq.write_table(table_of_bars(walk(600)), tmp_path / "bybit-linear_BTCUSDT_1h.parquet")
    pq.write_table(table_of_bars(walk(600, seed=8)), tmp_path / "bybit-linear_ETHUSDT_1h.parquet")
    (tmp_path / "funding").mkdir()
    stamps = START + np.arange(0, 600, 8, dtype=np.int64) * HOUR
    rates = pa.table({"ts": stamps, "rate": np.full(len(stamps), 1e-4)})
    pq.write_table(rates, tmp_path / "funding" / "bybit-linear_BTCUSDT.parquet")
    (tmp_path / "notes.csv").write_text("what,when\n", encoding="utf-8")
    return tmp_path
