"""Correlation of every pair of columns, over the steps that both were seen in. Pure.

Pearson's coefficient. A step in which neither moved says nothing about them and is left out: two strategies that hold
nothing most of the day are not alike for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

# Fewer steps than this say nothing: of 48, a correlation of 0.7 is at least 0.5 for sure enough (Fisher's z).
FEWEST_SAMPLES = 48


@dataclass(frozen=True, slots=True)
class Pair:
    """The correlation of two names, `one` before `other`; `value` None: too few `samples`, or no movement."""

    one: str
    other: str
    value: float | None
    samples: int


def correlations(names: Sequence[str], returns: NDArray[np.float64]) -> Iterator[Pair]:
    """Yield every pair of columns of `returns`, which has one for each of `names`; NaN is a step that was not seen."""
    columns = dict(zip(names, returns.T, strict=True))
    for one, other in combinations(sorted(columns), 2):
        value, samples = correlation(columns[one], columns[other])
        yield Pair(one, other, value, samples)


def correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float | None, int]:
    """Return the correlation of two columns, None when it is not known, and of how many steps."""
    used = np.isfinite(x) & np.isfinite(y) & ((x != 0) | (y != 0))
    samples = int(np.count_nonzero(used))
    if samples < FEWEST_SAMPLES:
        return None, samples
    # Scaled first: the squares of tiny returns would vanish, those of absurd ones overflow.
    a, b = _scaled(x[used]), _scaled(y[used])
    spread = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    # A column that never changes has no direction to share.
    if not spread > 1e-9:
        return None, samples
    return float(np.clip(np.dot(a, b) / spread, -1.0, 1.0)), samples


def _scaled(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the column around its mean, in units of its largest value; zeros when it does not change."""
    largest = float(np.max(np.abs(column)))
    if not 0 < largest < np.inf:
        return np.zeros_like(column)
    scaled = column / largest
    centred: NDArray[np.float64] = scaled - scaled.mean()
    return centred
