"""Stop and target inside bars: each of the four rules on bars made for it, then all of them on recorded ones."""

import math
from datetime import timedelta

import numpy as np
import pytest
import talib

from apps.strategies.backtest.bars import run_targets
from apps.strategies.backtest.brackets import EXIT, STOP, TARGET, Brackets, run_brackets
from apps.strategies.backtest.costs import FREE, Costs, FundingRates
from apps.strategies.backtest.fills import BAR_RULES, FillRule
from apps.strategies.backtest.results import END_OF_DATA
from apps.strategies.indicators.channels import prior_highest, prior_lowest
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries
from tests.unit.apps.strategies.recorded import columns

HOUR = 3_600_000
QUIET = (100, 101, 99, 100)


def series(*rows):
    opened, high, low, close = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    stamps = np.arange(len(rows), dtype=np.int64) * HOUR
    return BarSeries(timedelta(hours=1), stamps, opened, high, low, close, np.ones(len(rows)))


def orders(bars, size=1.0, stop=np.nan, target=np.nan, exits=(), entries=(0,)):
    count = len(bars)
    wanted, closing = np.zeros(count), np.zeros(count, dtype=bool)
    wanted[list(entries)], closing[list(exits)] = size, True
    return Brackets(wanted, np.full(count, stop), np.full(count, target), closing)


def only_trade(bars, rule=FillRule.NEXT_OPEN, **given):
    (trade,) = run_brackets(bars, orders(bars, **given), FREE, rule, 1000).trades("BTC")
    return trade


# A long of 100 with stop 95 and target 110, and its mirror: a short with stop 105 and target 90.
CASES = [
    ("the stop is touched", (100, 101, 94, 97), STOP, 95),
    ("the target is touched", (100, 111, 99, 108), TARGET, 110),
    ("both are touched: the stop first", (100, 111, 94, 100), STOP, 95),
    ("it opens beyond the stop: at the open", (93, 97, 92, 96), STOP, 93),
    ("it opens beyond the target: at the better open", (112, 113, 109, 110), TARGET, 112),
    ("it reaches the level exactly", (100, 101, 95, 99), STOP, 95),
]


@pytest.mark.parametrize(("bar", "reason", "price"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
@pytest.mark.parametrize("quiet_bars", [1, 2, 100])
def test_a_bar_fills_levels_by_the_rules_for_long_and_short(bar, reason, price, quiet_bars):
    long = only_trade(series(*[QUIET] * (quiet_bars + 1), bar, QUIET), stop=95, target=110)
    assert (long.reason, long.exit_price, long.exited_ms) == (reason, price, (quiet_bars + 1) * HOUR)
    opened, high, low, close = (200 - value for value in bar)
    short = only_trade(
        series(*[QUIET] * (quiet_bars + 1), (opened, low, high, close), QUIET), size=-1.0, stop=105, target=90
    )
    assert (short.reason, short.exit_price) == (reason, 200 - price)
    assert short.net == long.net


@pytest.mark.parametrize(("rule", "row"), [(FillRule.NEXT_OPEN, 1), (FillRule.BAR_CLOSE, 1)])
def test_levels_are_live_on_the_bar_after_the_decision_which_is_that_of_an_entry_at_the_open(rule, row):
    trade = only_trade(series((100, 111, 94, 100), (100, 101, 94, 97), QUIET), rule, stop=95, target=110)
    assert (trade.entry_price, trade.exit_price, trade.exited_ms) == (100, 95, row * HOUR)


def test_a_position_is_left_at_market_when_the_exit_signal_is_before_any_touch():
    bars = series(QUIET, QUIET, (100, 103, 98, 102), (103, 104, 80, 85))
    at_open = only_trade(bars, stop=95, exits=(2,))
    assert (at_open.reason, at_open.exit_price) == (EXIT, 103)
    at_close = only_trade(bars, FillRule.BAR_CLOSE, stop=95, exits=(2,))
    assert (at_close.reason, at_close.exit_price) == (EXIT, 102)
    stopped = only_trade(bars, FillRule.BAR_CLOSE, stop=95, exits=(3,))
    assert stopped.reason == STOP


def test_what_no_bar_touches_is_valued_at_the_last_close_and_not_at_its_open():
    trade = only_trade(series(QUIET, QUIET, (100, 103, 98, 102)), stop=95, target=110)
    assert (trade.reason, trade.exit_price) == (END_OF_DATA, 102)


def test_a_signal_of_the_last_bar_and_signals_within_a_position_open_nothing():
    bars = series(QUIET, QUIET, QUIET)
    assert len(run_brackets(bars, orders(bars, entries=(2,)), FREE, FillRule.NEXT_OPEN, 1000).fills) == 0
    assert len(run_brackets(bars, orders(bars, entries=(0, 1)), FREE, FillRule.NEXT_OPEN, 1000).fills) == 1


def test_the_bar_that_closed_a_position_may_decide_on_the_next():
    bars = series(QUIET, (100, 101, 94, 97), QUIET, QUIET)
    first, second = run_brackets(
        bars, orders(bars, stop=95, entries=(0, 1)), FREE, FillRule.NEXT_OPEN, 1000
    ).trades("BTC")  # fmt: skip
    assert (first.reason, second.reason) == (STOP, END_OF_DATA)
    assert second.entered_ms == 2 * HOUR


def test_a_target_rests_and_pays_the_maker_while_entry_and_stop_take():
    costs = Costs(maker_bps=1, taker_bps=10, spread_bps=20)
    up, down = (series(QUIET, QUIET, bar) for bar in ((100, 111, 99, 108), (100, 101, 94, 97)))
    (won,) = run_brackets(up, orders(up, stop=95, target=110), costs, FillRule.NEXT_OPEN, 1000).trades("BTC")
    (lost,) = run_brackets(down, orders(down, stop=95, target=110), costs, FillRule.NEXT_OPEN, 1000).trades("BTC")
    assert (won.entry_price, won.exit_price) == (pytest.approx(100.1), 110)
    assert won.fees == pytest.approx(100.1 * 1e-3 + 110 * 1e-4)
    assert (lost.exit_price, lost.fees) == (pytest.approx(95 * 0.999), pytest.approx((100.1 + 94.905) * 1e-3))


def test_a_position_that_ended_within_a_bar_pays_no_funding_at_its_close():
    bars = series(QUIET, QUIET, (100, 101, 94, 97), QUIET)
    costs = Costs(0, 0, funding=FundingRates(bars.opened_ms + HOUR, np.full(4, 0.01)))
    (trade,) = run_brackets(bars, orders(bars, stop=95), costs, FillRule.NEXT_OPEN, 1000).trades("BTC")
    assert trade.funding == pytest.approx(-1.0)


def test_without_levels_brackets_are_target_positions():
    random = np.random.default_rng(3)
    close = 100 + np.cumsum(random.normal(0, 1, 300))
    opened = np.concatenate(([100.0], close[:-1]))
    bars = series(*zip(opened, np.maximum(opened, close), np.minimum(opened, close), close, strict=True))
    held = np.repeat(random.integers(0, 2, 30), 10).astype(np.float64)
    change = np.diff(held, prepend=0.0)
    never = np.full(300, np.nan)
    for rule in BAR_RULES:
        one = run_brackets(bars, Brackets(np.maximum(change, 0), never, never, change < 0), FREE, rule, 1000)
        assert list(one.equity) == list(run_targets(bars, held, FREE, rule, 1000).equity)


def recorded_breaks():
    stamps, *prices, volume = columns(
        "bybit-linear_ETHUSDT_5m_202504-202507", "ts", "open", "high", "low", "close", "volume"
    )
    bars = BarSeries(timedelta(minutes=5), stamps, *prices, volume)
    sign = (bars.close > prior_highest(bars.high, 55)) * 1.0 - (bars.close < prior_lowest(bars.low, 55)) * 1.0
    stops = bars.close - sign * 2 * talib.ATR(bars.high, bars.low, bars.close, 14)
    return bars, Brackets(sign, stops, bars.close * (1 + sign * 0.01), np.zeros(len(bars), dtype=bool))


def test_recorded_breaks_trade_as_often_as_in_another_engine_and_as_in_a_plain_loop():
    bars, wanted = recorded_breaks()
    run = run_brackets(bars, wanted, Costs(2, 2), FillRule.NEXT_OPEN, 1_000_000)
    trades = run.trades("ETH")
    assert len(trades) == 658
    assert (trades[-1].reason, trades[-1].exit_price) == (END_OF_DATA, 2567.47)
    plain = list(_plain_loop(bars, wanted))
    assert [(t.entered_ms, t.exited_ms, t.entry_price, t.exit_price) for t in trades[:-1]] == plain
    assert math.fsum(t.net for t in trades) == pytest.approx(run.equity[-1] - 1_000_000, abs=1e-8)


def _plain_loop(bars, wanted):
    """The four rules once more, bar by bar."""
    rows = list(zip(bars.opened_ms, bars.open, bars.high, bars.low, strict=True))
    sign = 0.0
    for row, (stamp, opened, high, low) in enumerate(rows):
        if sign == 0 and row and wanted.entries[row - 1]:
            sign, entry = wanted.entries[row - 1], (stamp, opened)
            stop, target = wanted.stops[row - 1], wanted.targets[row - 1]
        if sign > 0 and low <= stop:
            price = min(opened, stop)
        elif sign < 0 and high >= stop:
            price = max(opened, stop)
        elif sign > 0 and high >= target:
            price = max(opened, target)
        elif sign < 0 and low <= target:
            price = min(opened, target)
        else:
            continue
        yield entry[0], stamp, entry[1], price
        sign = 0.0


def test_columns_of_other_lengths_and_entries_that_are_no_numbers_are_refused():
    bars, never = series(QUIET, QUIET), np.full(2, np.nan)
    with pytest.raises(InvalidValue, match="columns of one length"):
        Brackets(np.zeros(2), never, never[:1], np.zeros(2, dtype=bool))
    with pytest.raises(InvalidValue, match="nan in row 0"):
        Brackets(never, never, never, np.zeros(2, dtype=bool))
    with pytest.raises(InvalidValue, match="one for each of 2 bars"):
        run_brackets(bars, orders(series(QUIET)), FREE, FillRule.NEXT_OPEN, 1000)
