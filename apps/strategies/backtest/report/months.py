"""Returns by calendar month and year, from daily closes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.strategies.backtest.metrics import DAY_MS
from apps.strategies.backtest.results import EquityCurve


@dataclass(frozen=True, slots=True)
class Year:
    """One row: twelve months, None where there was no trading day, and the whole year."""

    year: int
    months: tuple[float | None, ...]
    whole: float | None


def monthly_returns(curve: EquityCurve, initial: float) -> list[Year]:
    """Return the years of a curve. A month begins with the last equity of the one before, the first with `initial`.

    Once equity is not above zero a return means nothing: it and those after it are None.
    """
    months = _months(curve)
    last = np.append(np.flatnonzero(np.diff(months)), len(months) - 1)
    ends = {int(months[row]): float(curve.equity[row]) for row in last}
    before = dict(zip(ends, [initial, *ends.values()], strict=False))
    years = sorted({month // 12 for month in ends})
    return [
        Year(1970 + year, tuple(_change(before, ends, 12 * year + at) for at in range(12)), _whole(before, ends, year))
        for year in years
    ]


def _months(curve: EquityCurve) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return each row's month since 1970. What is struck at midnight closes the day before."""
    days = (curve.times - 1) // DAY_MS
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _change(before: dict[int, float], ends: dict[int, float], month: int) -> float | None:
    if month not in ends or not (before[month] > 0 and ends[month] > 0):
        return None
    return ends[month] / before[month] - 1


def _whole(before: dict[int, float], ends: dict[int, float], year: int) -> float | None:
    months = [month for month in ends if month // 12 == year]
    start, end = before[months[0]], ends[months[-1]]
    return end / start - 1 if start > 0 and end > 0 else None
