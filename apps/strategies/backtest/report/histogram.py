"""How values are spread: counts in bins of one width, what lies far out gathered at the edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moondev.domain.market_data import Column

BINS = 41
# What lies beyond these quantiles is gathered, so that one wild day does not flatten all others.
OUTER = (0.005, 0.995)


@dataclass(frozen=True, slots=True)
class Histogram:
    """`counts` of values between neighbouring `edges`; zero is an edge. `below` and `above` were gathered there."""

    edges: Column
    counts: NDArray[np.int64]
    below: int
    above: int
    mean: float


def histogram(values: Column, bins: int = BINS) -> Histogram | None:
    """Return the spread of finite values; None for fewer than two, or when all are the same."""
    values = values[np.isfinite(values)]
    if len(values) < 2 or float(values.min()) == float(values.max()):
        return None
    low, high = (float(edge) for edge in np.quantile(values, OUTER))
    low, high = min(low, 0.0), max(high, 0.0)
    width = (high - low) / (bins - 1)
    edges = width * np.arange(np.floor(low / width), np.ceil(high / width) + 1)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    below, above = int(np.sum(values < edges[0])), int(np.sum(values > edges[-1]))
    return Histogram(edges, counts.astype(np.int64), below, above, float(values.mean()))
