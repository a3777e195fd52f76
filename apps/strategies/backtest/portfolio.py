"""Several instruments out of one purse: each runs by itself, their money is added up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.bars import BarRun, step_ms
from apps.strategies.backtest.results import EquityCurve, Trade
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column


@dataclass(frozen=True, slots=True)
class PortfolioRun:
    """Runs by instrument that began with the same `initial` money, which they share."""

    runs: Mapping[str, BarRun]
    initial: float

    @property
    def curve(self) -> EquityCurve:
        """Return equity and net exposure (signed notional of all / equity) at the close of each bar."""
        bars = next(iter(self.runs.values())).bars
        equity = self.initial + _total([run.equity - self.initial for run in self.runs.values()])
        notional = _total([run.held * run.bars.close for run in self.runs.values()])
        with np.errstate(divide="ignore", invalid="ignore"):
            exposure = np.where(equity > 0, notional / equity, np.nan)
        return EquityCurve(bars.opened_ms + step_ms(bars.interval), equity, exposure)

    @property
    def trades(self) -> tuple[Trade, ...]:
        """Return the round trips of every instrument, in the order they ended."""
        trades = [trade for name, run in self.runs.items() for trade in run.trades(name)]
        return tuple(sorted(trades, key=lambda trade: (trade.exited_ms, trade.entered_ms, trade.instrument)))


def together(runs: Mapping[str, BarRun]) -> PortfolioRun:
    """Return runs as one portfolio.

    Raises InvalidValue without runs, and for runs that began with different money or on bars of other times: with
    a bar missing on one side, equity would be struck at moments that never were.
    """
    if not runs:
        raise InvalidValue("runs", 0, "at least one")
    (first_name, first), *others = runs.items()
    for name, run in others:
        if run.initial != first.initial:
            raise InvalidValue(f"initial of {name}", run.initial, f"{first.initial}, as for {first_name}")
        if run.bars.interval != first.bars.interval:
            raise InvalidValue(f"interval of {name}", str(run.bars.interval), f"{first.bars.interval}: {first_name}'s")
        at = _first_difference(run.bars.opened_ms, first.bars.opened_ms)
        if at is not None:
            raise InvalidValue(f"bars of {name}", f"other times from row {at} on", f"those of {first_name}")
    return PortfolioRun(dict(runs), first.initial)


def _first_difference(one: NDArray[np.int64], other: NDArray[np.int64]) -> int | None:
    shared = min(len(one), len(other))
    unlike = np.flatnonzero(one[:shared] != other[:shared])
    if len(unlike):
        return int(unlike[0])
    return None if len(one) == len(other) else shared


def _total(columns: list[Column]) -> Column:
    """Return the sum of each row, rounded once: the order of the instruments must not show in it."""
    return np.array([math.fsum(row) for row in zip(*columns, strict=True)], dtype=np.float64)
