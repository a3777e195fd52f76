"""The engine in columns against the same rules written as one plain loop over bars, on whatever hypothesis draws.

Prices are small whole numbers, so that levels are met exactly, gapped over and touched together all the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.backtest.bars import run_targets
from apps.strategies.backtest.brackets import Brackets, run_brackets
from apps.strategies.backtest.costs import Costs, FixedSlippage, FundingRates
from apps.strategies.backtest.fills import BAR_RULES, FillRule
from apps.strategies.backtest.results import END_OF_DATA
from moondev.domain.market_data import BarSeries

HOUR = 3_600_000
INITIAL = 10_000.0
# Maker and taker fee and spread in basis points, borrowing a year.
PRICES_OF_TRADING = ((0.0, 0.0, 0.0, 0.0), (-1.0, 6.0, 4.0, 5.0), (2.0, 5.0, 0.0, 0.0))
BOTH_RULES = pytest.mark.parametrize("rule", BAR_RULES)

price = st.integers(95, 105)
distance = st.one_of(st.none(), st.integers(0, 6))
bar = st.tuples(price, price, price, price, st.integers(-3, 3))


@st.composite
def markets(draw, decision):
    """Bars with a funding rate each, and what is decided at each close."""
    rows = draw(st.lists(st.tuples(bar, decision), min_size=1, max_size=16))
    opened, one, other, close, rate = np.array([row for row, _ in rows], dtype=np.float64).T
    high, low = np.max([opened, one, other, close], axis=0), np.min([opened, one, other, close], axis=0)
    stamps = np.arange(len(rows), dtype=np.int64) * HOUR
    bars = BarSeries(timedelta(hours=1), stamps, opened, high, low, close, np.full(len(rows), 7.0))
    funding = FundingRates(stamps + HOUR, rate / 1_000) if draw(st.booleans()) else None
    maker, taker, spread, borrow = draw(st.sampled_from(PRICES_OF_TRADING))
    costs = Costs(maker, taker, spread, FixedSlippage(1.0), funding, borrow)
    return bars, costs, [decided for _, decided in rows]


@dataclass
class Loop:
    """An account that knows nothing of columns."""

    bars: BarSeries
    costs: Costs
    cash: float = INITIAL
    held: float = 0.0
    equity: list[float] = field(default_factory=list)
    ended: list[tuple[int, float]] = field(default_factory=list)

    def trade(self, change, at, *, made=False):
        worse = 0.0 if made else self.costs.spread_bps / 2 + 1.0
        paid = at * (1 + (1 if change > 0 else -1) * worse * 1e-4)
        fee = abs(change) * paid * (self.costs.maker_bps if made else self.costs.taker_bps) * 1e-4
        self.cash -= change * paid + fee
        self.held += change

    def carry(self, row):
        """Pay funding and the lender at the close, for what is held before anything fills there."""
        close = self.bars.close[row]
        if self.costs.funding is not None:
            self.cash -= self.held * close * self.costs.funding.rates[row]
        self.cash -= max(-self.held, 0.0) * close * self.costs.borrow_per_year / (365 * 24)

    def strike(self, row):
        self.equity.append(self.cash + self.held * self.bars.close[row])


def loop_of_targets(bars, costs, wanted, rule):
    loop, pending = Loop(bars, costs), 0.0
    for row in range(len(bars)):
        if rule is FillRule.NEXT_OPEN and pending != loop.held:
            loop.trade(pending - loop.held, bars.open[row])
        loop.carry(row)
        pending = wanted[row]
        if rule is FillRule.BAR_CLOSE and pending != loop.held:
            loop.trade(pending - loop.held, bars.close[row])
        loop.strike(row)
    return loop


def loop_of_brackets(bars, costs, decided, rule):
    """The rules bar by bar: entry, levels from the next bar on, gaps at the open, then the stop first."""
    loop, opens, leaves, levels, since = Loop(bars, costs), None, False, (None, None), -1
    for row in range(len(bars)):
        if leaves:
            loop.trade(-loop.held, bars.open[row])
            loop.ended.append((row, bars.open[row]))
        if opens is not None:
            loop.trade(opens, bars.open[row])
        opens, leaves = None, False
        if loop.held and row > since:
            touched = touch(bars, row, loop.held, *levels)
            if touched is not None:
                at, made = touched
                loop.trade(-loop.held, at, made=made)
                loop.ended.append((row, at))
        loop.carry(row)
        entry, stop, target, leave = decided[row]
        ends = bool(loop.held) and leave and row > since
        if ends and rule is FillRule.BAR_CLOSE:
            loop.trade(-loop.held, bars.close[row])
            loop.ended.append((row, bars.close[row]))
        leaves = ends and rule is FillRule.NEXT_OPEN
        if entry and (not loop.held or leaves):
            sign, since = 1 if entry > 0 else -1, row
            levels = (
                None if stop is None else bars.close[row] - sign * stop,
                None if target is None else bars.close[row] + sign * target,
            )
            if rule is FillRule.BAR_CLOSE:
                loop.trade(entry, bars.close[row])
            else:
                opens = entry
        loop.strike(row)
    return loop


def touch(bars, row, held, stop, target):
    """Where the bar ends a position, and whether it made that fill: what the open already reached came first."""
    sign = 1 if held > 0 else -1
    opened = bars.open[row] * sign
    best, worst = (bars.high[row], bars.low[row]) if held > 0 else (-bars.low[row], -bars.high[row])
    if target is not None and opened >= target * sign:
        return opened * sign, True
    if stop is not None and worst <= stop * sign:
        return min(opened, stop * sign) * sign, False
    return (target, True) if target is not None and best >= target * sign else None


@BOTH_RULES
@given(drawn=markets(st.sampled_from((-2.0, -1.0, 0.0, 0.0, 1.0, 1.0, 2.5))))
@settings(max_examples=50, deadline=None)
def test_target_positions_make_what_a_plain_loop_makes(rule, drawn):
    bars, costs, wanted = drawn
    run = run_targets(bars, np.array(wanted), costs, rule, INITIAL)
    loop = loop_of_targets(bars, costs, wanted, rule)
    assert run.equity.tolist() == pytest.approx(loop.equity, abs=1e-8)
    assert run.held[-1] == pytest.approx(loop.held, abs=1e-12)
    assert sum(trade.net for trade in run.trades("X")) == pytest.approx(run.equity[-1] - INITIAL, abs=1e-8)


@BOTH_RULES
@given(drawn=markets(st.tuples(st.sampled_from((-1.0, 0.0, 0.0, 1.0, 2.0)), distance, distance, st.booleans())))
@settings(max_examples=80, deadline=None)
def test_brackets_make_what_a_plain_loop_makes(rule, drawn):
    bars, costs, decided = drawn
    entries, stop, target, leave = (np.array(column) for column in zip(*decided, strict=True))
    sign = np.sign(entries)
    stops = bars.close - sign * np.array([np.nan if value is None else value for value in stop], dtype=np.float64)
    targets = bars.close + sign * np.array([np.nan if value is None else value for value in target], dtype=np.float64)
    run = run_brackets(bars, Brackets(entries, stops, targets, leave.astype(bool)), costs, rule, INITIAL)
    loop = loop_of_brackets(bars, costs, decided, rule)
    assert run.equity.tolist() == pytest.approx(loop.equity, abs=1e-8)
    ends = run.fills.rows[1::2].tolist()
    assert ends == [row for row, _ in loop.ended]
    assert run.fills.prices[1::2].tolist() == [at for _, at in loop.ended]
    open_at_the_end = [trade for trade in run.trades("X") if trade.reason == END_OF_DATA]
    assert bool(open_at_the_end) == bool(loop.held)
    assert sum(trade.net for trade in run.trades("X")) == pytest.approx(run.equity[-1] - INITIAL, abs=1e-8)
