"""From a million rows to what a screen can show: of each stretch, the rows where a column is highest and lowest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moondev.domain.market_data import Column

# So many stretches; each leaves at most two rows per column.
STRETCHES = 1_500


def kept_rows(columns: Sequence[Column], stretches: int = STRETCHES) -> NDArray[np.int64]:
    """Return the rows to draw, rising: first, last, and every stretch's extremes of each column. NaN is no extreme."""
    count = len(columns[0])
    if count <= 2 * stretches:
        return np.arange(count, dtype=np.int64)
    edges = np.linspace(0, count, stretches + 1).astype(np.int64)
    kept = {0, count - 1}
    for column in columns:
        lows, highs = np.nan_to_num(column, nan=np.inf), np.nan_to_num(column, nan=-np.inf)
        for start, end in pairwise(edges.tolist()):
            kept |= {start + int(np.argmin(lows[start:end])), start + int(np.argmax(highs[start:end]))}
    return np.array(sorted(kept), dtype=np.int64)
