"""What must hold for a strategy in any engine, needing nobody else's: scale, fees, sums, history, and no free lunch."""

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from apps.strategies.backtest.costs import FREE, Costs
from apps.strategies.backtest.engines import EngineName, backtest
from apps.strategies.backtest.fills import BAR_RULES, FillRule
from apps.strategies.backtest.results import END_OF_DATA
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.market_data import BarSeries
from tests.oracle.crosses import FEE_BPS, INITIAL
from tests.oracle.series import walk
from tests.oracle.toy_cross import COINS, FEES, Lengths, ToyCross, setting

BARS = walk(31, 900)
FAST, SLOW = 5, 21

BOTH_ENGINES = pytest.mark.parametrize("engine", [EngineName.REPLAY, EngineName.VECTORISED])
BOTH_RULES = pytest.mark.parametrize("rule", BAR_RULES)


def cross(bars=BARS, rule=FillRule.NEXT_OPEN, engine=EngineName.REPLAY, costs=FEES, coins=COINS, lot=1):
    idea = Loaded(ToyCross(), Lengths(minutes=15, fast=FAST, slow=SLOW, coins=coins), "")
    return backtest(idea, setting(bars, rule, costs, Decimal(str(lot))), engine)


def scaled(bars, factor):
    prices = (column * factor for column in (bars.open, bars.high, bars.low, bars.close))
    return BarSeries(bars.interval, bars.opened_ms, *prices, bars.volume / factor)


@BOTH_RULES
@BOTH_ENGINES
def test_ten_times_the_price_and_a_tenth_of_the_size_make_the_same_money(rule, engine):
    plain = cross(rule=rule, engine=engine)
    dear = cross(scaled(BARS, 10), rule, engine, coins=COINS / 10, lot=0.1)
    assert len(plain.trades) >= 20
    assert dear.curve.equity.tolist() == pytest.approx(plain.curve.equity.tolist(), abs=1e-6)
    assert [trade.quantity * 10 for trade in dear.trades] == pytest.approx([trade.quantity for trade in plain.trades])


@BOTH_RULES
@BOTH_ENGINES
def test_dearer_trading_leaves_less_by_exactly_what_it_costs(rule, engine):
    free = cross(rule=rule, engine=engine, costs=FREE)
    dear = cross(rule=rule, engine=engine)
    assert [t.entered_ms for t in dear.trades] == [t.entered_ms for t in free.trades]
    turned_over = math.fsum(t.quantity * t.entry_price for t in dear.trades)
    turned_over += math.fsum(t.quantity * t.exit_price for t in dear.trades if t.reason != END_OF_DATA)
    assert free.final - dear.final == pytest.approx(turned_over * FEE_BPS / 10_000, abs=1e-6)


@BOTH_RULES
@BOTH_ENGINES
def test_what_the_trades_made_is_what_the_money_grew_by(rule, engine):
    costs = Costs(2, 6, spread_bps=3, borrow_per_year=0.1)
    found = cross(rule=rule, engine=engine, costs=costs)
    assert math.fsum(trade.net for trade in found.trades) == pytest.approx(found.final - INITIAL, abs=1e-6)
    assert math.fsum(trade.fees for trade in found.trades) > 0


@BOTH_ENGINES
def test_nothing_is_decided_before_there_is_the_history_it_needs(engine):
    first = min(trade.entered_ms for trade in cross(engine=engine).trades)
    assert first > BARS.opened_ms[SLOW - 1]


@BOTH_RULES
@BOTH_ENGINES
def test_the_bar_that_has_not_closed_is_not_traded_on(rule, engine):
    """What a bar becomes after its open changes no fill at its open and nothing before."""
    full = cross(rule=rule, engine=engine)
    at = int(np.searchsorted(BARS.opened_ms, full.trades[-2].entered_ms))
    bent = replace(BARS, **{name: np.copy(getattr(BARS, name)) for name in ("open", "high", "low", "close")})
    bent.high[at:] = bent.open[at:] * 1.2
    bent.close[at:] = bent.open[at:] * 1.1
    bent.low[at:] = bent.open[at:] * 0.9
    other = cross(bent, rule, engine)
    known = [t for t in full.trades if t.exited_ms < BARS.opened_ms[at]]
    assert len(known) >= 10
    assert [t for t in other.trades if t.exited_ms < BARS.opened_ms[at]] == known
    assert other.curve.equity[: at - 1].tolist() == full.curve.equity[: at - 1].tolist()


@BOTH_RULES
def test_both_engines_make_the_same_trades_and_money_to_the_cent(rule):
    costs = Costs(2, 6, spread_bps=3)
    one, other = (cross(rule=rule, engine=engine, costs=costs) for engine in (EngineName.REPLAY, EngineName.VECTORISED))
    # Why a trade ended is the strategy's own word in one and the kind of exit in the other.
    assert [replace(t, reason="") for t in one.trades] == [replace(t, reason="") for t in other.trades]
    assert one.curve.equity.tolist() == pytest.approx(other.curve.equity.tolist(), abs=1e-8)
