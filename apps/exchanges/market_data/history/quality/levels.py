"""Books as the rules read them: a column per level instead of a list per side."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

# How the lake keeps a book.
LISTS = frozenset({"ts", "received_ms", "bid_prices", "bid_sizes", "ask_prices", "ask_sizes"})


def level_columns(rows: pa.Table) -> pa.Table:
    """Return books with a column per level: b1, bv1, a1, av1 and so on; NaN where a book is less deep."""
    names = (("b", "bid_prices"), ("bv", "bid_sizes"), ("a", "ask_prices"), ("av", "ask_sizes"))
    lists = {short: rows.column(name).combine_chunks() for short, name in names}
    depth = max((int(np.max(np.asarray(column.value_lengths()), initial=0)) for column in lists.values()), default=0)
    columns = {"ts": rows.column("ts"), "received_ms": rows.column("received_ms")}
    for short, column in lists.items():
        levels = _rectangle(column, max(depth, 1))
        columns |= {f"{short}{level + 1}": pa.array(levels[:, level]) for level in range(levels.shape[1])}
    return pa.table(columns)


def _rectangle(lists: pa.ListArray, depth: int) -> NDArray[np.float64]:
    lengths = np.asarray(lists.value_lengths())
    wide = np.full((len(lists), depth), np.nan)
    wide[np.arange(depth) < lengths[:, None]] = np.asarray(lists.flatten(), dtype=np.float64)
    return wide
