"""Other orders in which the same trades might have come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from apps.strategies.backtest.results import BacktestResult
from moondev.domain.market_data import Column

# Rows of numbers held at once: some 16 MB.
_CHUNK = 2_000_000


class Draw(StrEnum):
    """PERMUTED: each trade once, in another order. BOOTSTRAPPED: drawn with replacement, so luck itself varies too."""

    PERMUTED = "permuted"
    BOOTSTRAPPED = "bootstrapped"


@dataclass(frozen=True, slots=True)
class Paths:
    """Where each path ended and how deep it fell: `final` as a multiple of the beginning, `drawdown` from 0 to 1."""

    final: Column
    drawdown: Column


def trade_returns(result: BacktestResult) -> Column:
    """Return what each trade added, as a fraction of the equity when it was entered, in the order of entry."""
    trades = sorted(result.trades, key=lambda trade: (trade.entered_ms, trade.exited_ms, trade.instrument))
    entered = np.array([trade.entered_ms for trade in trades], dtype=np.int64)
    # The last equity that was struck before the trade began.
    rows = np.searchsorted(result.curve.times, entered, side="left") - 1
    equity = np.where(rows >= 0, result.curve.equity[np.maximum(rows, 0)], result.initial)
    net = np.array([trade.net for trade in trades])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(equity > 0, net / equity, -1.0)


def paths(returns: Column, count: int, draw: Draw, chance: np.random.Generator) -> Paths:
    """Return `count` paths of compounded `returns`. A path that has lost everything stays there."""
    size = max(1, _CHUNK // max(1, len(returns)))
    parts = [_paths(returns, min(size, count - at), draw, chance) for at in range(0, count, size)]
    return Paths(np.concatenate([part.final for part in parts]), np.concatenate([part.drawdown for part in parts]))


def _paths(returns: Column, count: int, draw: Draw, chance: np.random.Generator) -> Paths:
    shape = (count, len(returns))
    if draw is Draw.PERMUTED:
        drawn = chance.permuted(np.broadcast_to(returns, shape), axis=1)
    else:
        drawn = chance.choice(returns, size=shape)
    equity = np.cumprod(np.maximum(1 + drawn, 0.0), axis=1)
    peaks = np.maximum(np.maximum.accumulate(equity, axis=1), 1.0)
    return Paths(equity[:, -1], (1 - equity / peaks).max(axis=1))
