"""Where two runs that should be one part ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.results import BacktestResult, EquityCurve
from moondev.domain.clock import from_milliseconds
from moondev.domain.market_data import Column

# Sums over fewer rows are rounded elsewhere; a decision makes a difference a million times as large.
ROUNDING = 1e-9


def first_difference(part: BacktestResult, whole: BacktestResult, since_ms: int = 0) -> str:
    """Return where and how `part` first differs from `whole` at the times both have, `since_ms` on; empty if nowhere.

    Equity and exposure show every decision that was carried out: a position that one has and the other has not is a
    difference at the first close it is held over.
    """
    shared = _shared(part.curve, whole.curve, since_ms)
    if shared is None:
        return ""
    one, other = shared
    for name, mine, theirs in (
        ("exposure", one.exposure, other.exposure),
        ("equity", one.equity / part.initial, other.equity / whole.initial),
    ):
        apart = np.flatnonzero(differing(mine, theirs))
        if len(apart):
            row = int(apart[0])
            when = from_milliseconds(int(one.times[row]))
            return f"at the close of {when:%Y-%m-%d %H:%M} {name} is {mine[row]:.6g} against {theirs[row]:.6g}"
    return ""


def share_differing(part: BacktestResult, whole: BacktestResult, since_ms: int) -> float:
    """Return at which share of the closes both have the exposures differ; 0 when they have none."""
    shared = _shared(part.curve, whole.curve, since_ms)
    if shared is None:
        return 0.0
    one, other = shared
    return float(np.mean(differing(one.exposure, other.exposure)))


def differing(mine: Column, theirs: Column) -> NDArray[np.bool_]:
    """Return the rows in which two columns differ by more than rounding; NaN equals NaN."""
    return ~np.isclose(mine, theirs, rtol=ROUNDING, atol=ROUNDING, equal_nan=True)


def _shared(one: EquityCurve, other: EquityCurve, since_ms: int) -> tuple[EquityCurve, EquityCurve] | None:
    times = np.intersect1d(one.times, other.times)
    times = times[times >= since_ms]
    if not len(times):
        return None
    return _at(one, times), _at(other, times)


def _at(curve: EquityCurve, times: NDArray[np.int64]) -> EquityCurve:
    rows = np.searchsorted(curve.times, times)
    return EquityCurve(times, curve.equity[rows], curve.exposure[rows])
