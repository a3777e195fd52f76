"""The entries of bracketed trades for a whole past: what the rules answer at each bar, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.strategies.library.bracketed.parameters import BracketedParameters
from apps.strategies.library.columns import OnGrid, grid_of, in_ms
from apps.strategies.signals import NEVER, Leaves, Past, Signals
from moondev.domain.market_data import Column


@dataclass(frozen=True, slots=True)
class Calls:
    """What each bar of the strategy's own length calls for; one row for each, as `Entry` has it for one.

    `directions` are 1, -1 or 0; `stops` and `targets` NaN for none. `ending` tells in these bars when trades
    are left.
    """

    directions: Column
    prices: Column
    stops: Column
    targets: Column
    strengths: Column
    hold_bars: NDArray[np.int64]
    rests: bool = False
    follows_fill: bool = False
    valid_bars: int = 1
    ending: Leaves = NEVER


def signals_of(past: Past, calls: Calls, params: BracketedParameters, fewest: int) -> Signals:
    """Return `calls` over the base bars: no direction that `params` does not take, and none before `fewest` bars."""
    grid, bar_ms = grid_of(past, params.bar), in_ms(params.bar)
    directions = np.where([params.takes(-1), True, params.takes(1)], 1.0, 0.0)[calls.directions.astype(int) + 1]
    directions *= calls.directions
    directions[: fewest - 1] = 0.0
    prices = grid.spread(calls.prices)
    return Signals(
        weights=grid.spread(directions * params.weight, 0.0),
        prices=prices,
        limits=prices if calls.rests else np.full(grid.length, np.nan),
        stops=grid.spread(_above_zero(calls.stops)),
        targets=grid.spread(_above_zero(calls.targets)),
        strengths=grid.spread(calls.strengths),
        hold_ms=grid.spread(calls.hold_bars.astype(np.float64) * bar_ms, 0.0).astype(np.int64),
        seen=grid.marked(np.ones(len(grid.rows), dtype=bool)),
        bar_ms=bar_ms,
        leaves=OnGrid(grid, calls.ending),
        follows_fill=calls.follows_fill,
        valid_ms=calls.valid_bars * bar_ms,
        most=params.max_positions,
    )


def _above_zero(levels: Column) -> Column:
    """Return prices; NaN where there is none to set (a short's target below zero, say)."""
    return np.where(np.isfinite(levels) & (levels > 0), levels, np.nan)
