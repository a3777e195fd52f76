"""What we keep ourselves, in the form that the rules read."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa

from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape, guessed_interval
from apps.exchanges.market_data.history.quality.files import quote_of
from apps.exchanges.market_data.history.quality.levels import level_columns
from apps.exchanges.market_data.history.series import Kind, SeriesKey, stamps

MINUTE_MS = 60_000


def stored_dataset(key: SeriesKey, rows: pa.Table, place: str) -> Dataset:
    """Return rows of lake or database as a dataset named after series and place."""
    shape = Shape.BOOK if key.kind is Kind.BOOKS else Shape(key.kind.value)
    table = level_columns(rows) if key.kind is Kind.BOOKS else rows
    return Dataset(f"{key} ({place})", shape, table, _interval(key, rows), quote_of(key.symbol))


def _interval(key: SeriesKey, rows: pa.Table) -> timedelta | None:
    if key.kind is not Kind.FUNDING or len(rows) < 2:
        return key.interval
    # Booked some milliseconds after the hour.
    return guessed_interval(np.round(stamps(rows) / MINUTE_MS).astype(np.int64) * MINUTE_MS)
