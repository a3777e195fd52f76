"""Two markets side by side: only bars that both have, for a stale close looks like a lag."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apps.strategies.indicators.regression import Line, fitted, rank_correlation
from moondev.domain.market_data import BarSeries, Column


class Together(NamedTuple):
    """Logarithms of the closes of the bars that both have, oldest first, with the bars' open times."""

    opened_ms: NDArray[np.int64]
    y: Column
    x: Column

    def returns(self, bars: int, before: int = 0) -> Line:
        """Return the line of y's returns over x's: `bars` of them, without the newest `before`."""
        end = len(self.y) - before
        start = max(0, end - bars - 1)
        return fitted(np.diff(self.y[start:end]), np.diff(self.x[start:end]))

    def agreement(self, bars: int) -> float:
        """Return the rank correlation of the newest `bars` returns."""
        return rank_correlation(np.diff(self.y[-bars - 1 :]), np.diff(self.x[-bars - 1 :]))


def together(y: BarSeries, x: BarSeries, fewest: int) -> tuple[Together | None, str]:
    """Return both series on their common bars.

    None and a note when the newest bar is not the same one, or when fewer than `fewest` are common.
    """
    if y.opened_ms[-1] != x.opened_ms[-1]:
        return None, "the newest bars are not of one time"
    stamps, of_y, of_x = np.intersect1d(y.opened_ms, x.opened_ms, assume_unique=True, return_indices=True)
    if len(stamps) < fewest:
        return None, f"{len(stamps)} bars that both have, {fewest} needed"
    return Together(stamps, np.log(y.close[of_y]), np.log(x.close[of_x])), ""
