"""What must hold of any engine, with real strategies: no future, no favourite, and money that adds up."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.history import History
from apps.strategies.backtest.replay import replay
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.backtest.vectorised import vectorised
from apps.strategies.library.turtle_trend import TurtleTrend
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.market_data import BarSeries
from moondev.domain.values import Quantity, Side
from tests.unit.apps.strategies.backtest.signal_world import WIDE, market, presets, rough_bars

COSTS = Costs(maker_bps=1, taker_bps=5, spread_bps=2)
LIMITS = {kind: Decimal(value) for kind, value in WIDE.items()}
NAMES = ("mean_reversion", "consolidation_pop", "nadaraya_watson")
RULES = (FillRule.NEXT_OPEN, FillRule.BAR_CLOSE)


def fast(name):
    return dict(presets(name))["fast"]


def run(name, *markets, rule=FillRule.NEXT_OPEN):
    result = vectorised(fast(name), Setting(markets, rule, limits=LIMITS))
    assert result is not None
    return result


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", NAMES)
def test_what_comes_later_changes_nothing_before(name, rule):
    bars = rough_bars(7, 2_000)
    whole = run(name, market(bars, COSTS), rule=rule)
    assert len(whole.trades) > 100
    for end in (500, 1_333, 1_999):
        part = run(name, market(bars.part(0, end), COSTS), rule=rule)
        ended_ms = int(bars.opened_ms[end - 1])
        over = [trade for trade in part.trades if trade.exited_ms <= ended_ms and trade.reason != "end of data"]
        assert over == [trade for trade in whole.trades if trade.exited_ms <= ended_ms]
        np.testing.assert_allclose(part.curve.equity, whole.curve.equity[:end], rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_ten_times_the_price_and_a_tenth_of_the_size_make_the_same_money(name):
    bars = rough_bars(8, 1_500)
    prices = [column * 10 for column in (bars.open, bars.high, bars.low, bars.close)]
    dear = BarSeries(bars.interval, bars.opened_ms, *prices, bars.volume / 10)
    cheap = run(name, market(bars, COSTS, lot="0.01"))
    other = run(name, market(dear, COSTS, lot="0.001", tick="0.1"))
    assert len(cheap.trades) > 50
    assert [trade.entered_ms for trade in other.trades] == [trade.entered_ms for trade in cheap.trades]
    assert [10 * trade.quantity for trade in other.trades] == pytest.approx([trade.quantity for trade in cheap.trades])
    assert other.final == pytest.approx(cheap.final, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_dearer_trading_never_leaves_more(name):
    bars = rough_bars(9, 1_500)
    finals = [run(name, market(bars, Costs(bps, bps))).final for bps in (0, 1, 5, 20)]
    assert finals == sorted(finals, reverse=True)
    assert len(set(finals)) == len(finals)


@pytest.mark.parametrize("rule", RULES)
def test_the_order_of_the_markets_changes_nothing(rule):
    markets = [market(rough_bars(seed, 800), COSTS, asset) for seed, asset in ((1, "ETH"), (2, "BTC"), (3, "SOL"))]
    one = run("nadaraya_watson", *markets, rule=rule)
    other = run("nadaraya_watson", *reversed(markets), rule=rule)
    assert len({trade.instrument for trade in one.trades}) == 3
    assert other.trades == one.trades
    np.testing.assert_array_equal(other.curve.equity, one.curve.equity)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", NAMES)
def test_trades_add_up_to_the_equity_of_every_bar(name, rule):
    bars = rough_bars(10, 1_200)
    result = run(name, market(bars, COSTS), rule=rule)
    assert result.initial + sum(trade.net for trade in result.trades) == pytest.approx(result.final, rel=1e-12)
    closed = bars.opened_ms + 300_000
    for row in range(0, 1_200, 37):
        now = int(closed[row])
        over = [trade for trade in result.trades if trade.exited_ms < now]
        flat = all(not trade.entered_ms <= now <= trade.exited_ms for trade in result.trades)
        if flat:
            assert result.curve.equity[row] == pytest.approx(result.initial + sum(trade.net for trade in over))


def test_one_side_alone_takes_the_trades_of_that_side_and_no_other():
    params = fast("mean_reversion").parameters
    for sides, side in (("long", Side.BUY), ("short", Side.SELL)):
        only = Loaded(fast("mean_reversion").strategy, params.model_copy(update={"sides": sides}), "")
        result = vectorised(only, Setting((market(rough_bars(12, 800), COSTS),)))
        assert result is not None
        assert result.trades
        assert {trade.side for trade in result.trades} == {side}


def test_after_the_largest_drawdown_nothing_is_opened_and_the_refusal_says_so():
    dear = Costs(maker_bps=40, taker_bps=40)
    result = vectorised(fast("consolidation_pop"), Setting((market(rough_bars(13, 3_000), dear),)))
    assert result is not None
    assert result.refused
    assert result.refused[0].startswith("STRATEGY_DRAWDOWN")
    assert 0.84 < result.final / result.initial < 0.86
    assert any("a limit of drawdown was reached" in warning for warning in result.warnings)


def test_what_is_smaller_than_the_venue_trades_opens_nothing():
    small = market(rough_bars(14, 400), COSTS)
    coarse = Market(replace(small.instrument, lot=Quantity(Decimal(100))), small.recorded, COSTS)
    result = vectorised(fast("consolidation_pop"), Setting((coarse,)))
    assert result is not None
    assert result.trades == ()
    (warning,) = result.warnings
    count = warning.split()[3]
    assert warning == f"nothing was traded: {count} signals, {count} of them for less than the venue trades"


class Awake(TurtleTrend):
    """Asked at every close."""

    def wakes(self, *_):
        return None


@pytest.mark.parametrize("preset", ["canonical", "original"])
def test_a_turtle_that_sleeps_between_breakouts_trades_as_one_that_never_does(preset):
    idea = dict(presets("turtle_trend"))[preset]
    setting = Setting((market(rough_bars(2, 700), COSTS),))
    past = {setting.markets[0].key: History(setting.markets[0].recorded.bars)}
    (rows,) = idea.strategy.wakes(past, idea.parameters, setting.instruments, 1.0).values()
    assert 0 < rows.mean() < 0.5
    asleep, awake = replay(idea, setting), replay(Loaded(Awake(), idea.parameters, ""), setting)
    assert asleep.trades
    assert (asleep.trades, asleep.final) == (awake.trades, awake.final)
