"""Stretches of a past to learn on and to be judged on, and a backtest cut to one of them.

A trial is one backtest over the whole past; its training and test figures are read off pieces of the same run. A
decision sees only what came before it, so a piece that lies after everything the parameters were chosen on is out of
sample, as it would have been traded: positions and equity are carried over the seam as they are in life.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.folds import Rows, anchored
from apps.strategies.backtest.results import BacktestResult, EquityCurve
from moondev.domain.errors import InvalidValue

FEWEST_ROWS = 2


@dataclass(frozen=True, slots=True)
class Window:
    """The time from `start_ms` (not included) to `end_ms` (included): closes of bars, ms UTC."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class WalkFold:
    """What parameters are chosen on, and what they are judged on afterwards; None when nothing is held back."""

    train: Window
    test: Window | None


def walk_folds(closes_ms: NDArray[np.int64], folds: int, purge_rows: int) -> tuple[WalkFold, ...]:
    """Return the folds of a walk forward: each trained on all that came before its test, but for `purge_rows`.

    The past is cut into folds + 1 about equal parts; the first is only trained on. No fold at all is one that trains
    on everything and is judged by nothing. Raises InvalidValue for what does not fit.
    """
    if folds < 0:
        raise InvalidValue("folds", folds, "0 or more")
    count = len(closes_ms)
    if count < FEWEST_ROWS:
        raise InvalidValue("bars", count, f"{FEWEST_ROWS} or more to trade on")
    if folds == 0:
        return (WalkFold(_window(closes_ms, Rows(0, count)), None),)
    test = count // (folds + 1)
    if test <= purge_rows:
        raise InvalidValue("folds", folds, f"fewer: a part of {test} bars is not longer than the purge of {purge_rows}")
    # What is left over by the division is trained on.
    cut = anchored(count, count - folds * test - purge_rows, test, purge_rows)
    return tuple(WalkFold(_window(closes_ms, fold.train[0]), _window(closes_ms, fold.test)) for fold in cut)


def part_of(result: BacktestResult, window: Window) -> BacktestResult:
    """Return the run as seen in `window`: its equity there, and the trades that began and ended in it.

    A trade over an edge belongs to neither side, only to the equity. Raises InvalidValue when the window holds fewer
    than two closes of the run.
    """
    times = result.curve.times
    first, stop = (int(np.searchsorted(times, edge, side="right")) for edge in (window.start_ms, window.end_ms))
    if stop - first < FEWEST_ROWS:
        raise InvalidValue("window", f"{max(stop - first, 0)} bars", f"{FEWEST_ROWS} or more bars of the backtest")
    curve = EquityCurve(times[first:stop], result.curve.equity[first:stop], result.curve.exposure[first:stop])
    within = tuple(
        trade
        for trade in result.trades
        if window.start_ms <= trade.entered_ms and trade.exited_ms <= window.end_ms
    )  # fmt: skip
    before = float(result.curve.equity[first - 1]) if first else result.initial
    return replace(result, initial=before, trades=within, curve=curve)


def _window(closes_ms: NDArray[np.int64], rows: Rows) -> Window:
    # What begins with the first bar begins at its open.
    start = closes_ms[rows.start - 1] if rows.start else 2 * closes_ms[0] - closes_ms[1]
    return Window(int(start), int(closes_ms[rows.stop - 1]))
