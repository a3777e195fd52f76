"""Recorded bars, which lie beside the project; tests skip when they are absent."""

from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from moondev.domain.market_data import Column

FOLDER = Path(__file__).parents[4].parent / "shared/data/ohlcv"


def columns(name: str, *wanted: str) -> tuple[Column, ...]:
    """Return the `wanted` columns of the recording `name`; skips the test when it is not there."""
    path = FOLDER / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"recorded bars are not there: {path.name}")
    table = pyarrow.parquet.read_table(path)
    return tuple(np.asarray(table[column]) for column in wanted)
