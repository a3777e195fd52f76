"""The same ideas for our own engine, and its answers in the words of the stored ones."""

from __future__ import annotations

import numpy as np
import talib

from apps.strategies.backtest.bars import BarRun, run_targets, step_ms
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.results import END_OF_DATA, Trade
from moondev.domain.market_data import BarSeries, Column
from tests.oracle.crosses import FEE_BPS, INITIAL
from tests.oracle.engines.answering import EVERY, mean_distance

FEES = Costs(maker_bps=FEE_BPS, taker_bps=FEE_BPS)


def cross_targets(close: Column, fast: int, slow: int) -> Column:
    """Return one coin from the bar where the fast mean gets above the slow one to that where it gets below."""
    return while_above(talib.SMA(close, fast) - talib.SMA(close, slow))


def whole_cross_targets(close: Column, fast: int, slow: int) -> Column:
    """Return the same from sums of whole ticks: where two means are equal, they are equal to the last bit."""
    return while_above(mean_distance(close, fast, slow))


def cross_run(bars: BarSeries, targets: Column, rule: FillRule) -> BarRun:
    """Return our run of a cross."""
    return run_targets(bars, targets, FEES, rule, INITIAL)


def while_above(distance: Column) -> Column:
    """Return 1 from the row where `distance` gets above 0 to that where it gets below, else 0."""
    before, now = distance[:-1], distance[1:]
    up, down = np.flatnonzero((now > 0) & (before <= 0)) + 1, np.flatnonzero((now < 0) & (before >= 0)) + 1
    rows, wanted = np.concatenate((up, down)), np.repeat((1.0, 0.0), (len(up), len(down)))
    order = np.argsort(rows)
    return np.repeat(np.concatenate(([0.0], wanted[order])), np.diff(rows[order], prepend=0, append=len(distance)))


def closed(trades: tuple[Trade, ...]) -> list[Trade]:
    """Return the trades that ended before the data did."""
    return [trade for trade in trades if trade.reason != END_OF_DATA]


def entry_row(bars: BarSeries, trade: Trade, rule: FillRule) -> int:
    """Return the number of the bar in which a trade began; a close is stamped with the end of its bar."""
    return _row(bars, trade.entered_ms, rule)


def exit_row(bars: BarSeries, trade: Trade, rule: FillRule) -> int:
    """Return the number of the bar in which a trade ended at market."""
    return _row(bars, trade.exited_ms, rule)


def fees_by_bar(run: BarRun) -> Column:
    """Return the fees of the fills in each bar."""
    return np.bincount(run.fills.rows, weights=run.fees, minlength=len(run.bars))


def sampled(equity: Column) -> list[float]:
    """Return the rows of an equity curve that the scripts keep of theirs."""
    return [*equity[::EVERY].tolist(), float(equity[-1])]


def _row(bars: BarSeries, stamp_ms: int, rule: FillRule) -> int:
    step = step_ms(bars.interval)
    return (stamp_ms - int(bars.opened_ms[0])) // step - (rule is FillRule.BAR_CLOSE)
