"""The engine against an SMA cross four other engines agree on, and against what must hold for any strategy."""

import math
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.backtest.bars import BarRun, run_columns, run_targets
from apps.strategies.backtest.costs import FREE, Costs, FixedSlippage, FundingRates
from apps.strategies.backtest.data import funding_of_file
from apps.strategies.backtest.fills import BAR_RULES, FillRule
from apps.strategies.backtest.metrics import (
    cagr,
    daily_closes,
    daily_returns,
    max_drawdown,
    sharpe,
    sortino,
    volatility,
)
from apps.strategies.backtest.results import END_OF_DATA
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries
from moondev.domain.values import Side
from tests.unit.apps.strategies.recorded import FOLDER, columns

HOUR = 3_600_000
BOTH_RULES = pytest.mark.parametrize("rule", BAR_RULES)
DEAR = Costs(2, 6, spread_bps=3, slippage=FixedSlippage(1), borrow_per_year=0.2)


def walk(seed, count=200, start=100.0):
    """Bars that open where the last closed, more or less, with wicks."""
    random = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(random.normal(0, 0.01, count)))
    opened = np.concatenate(([start], close[:-1])) * np.exp(random.normal(0, 0.002, count))
    high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996
    stamps = np.arange(count, dtype=np.int64) * HOUR
    return BarSeries(timedelta(hours=1), stamps, opened, high, low, close, random.uniform(1, 9, count))


def positions(seed, count=200):
    return np.random.default_rng(seed).integers(-3, 4, count).astype(np.float64)


def flat_bars(*closes, opens=None):
    close = np.array(closes, dtype=np.float64)
    opened = close if opens is None else np.array(opens, dtype=np.float64)
    stamps = np.arange(len(close), dtype=np.int64) * HOUR
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    return BarSeries(timedelta(hours=1), stamps, opened, high, low, close, np.ones(len(close)))


def sma_cross(close, fast=20, slow=55):
    """Long from the bar where the fast mean crosses above the slow one to that where it crosses below."""
    quick, calm = talib.SMA(close, fast), talib.SMA(close, slow)
    above, below = quick > calm, quick < calm
    turn = np.zeros(len(close))
    turn[1:] = np.where(above[1:] & (quick <= calm)[:-1], 1, np.where(below[1:] & (quick >= calm)[:-1], -1, 0))
    last = np.maximum.accumulate(np.where(turn != 0, np.arange(len(close)), 0))
    return (turn[last] > 0).astype(np.float64)


def recorded_cross(rule):
    stamps, *prices, volume = columns(
        "binance-usdm_BTCUSDT_15m_202301-202405", "ts", "open", "high", "low", "close", "volume"
    )
    bars = BarSeries(timedelta(minutes=15), stamps, *prices, volume)
    return run_targets(bars, sma_cross(bars.close), Costs(6, 6), rule, 1_000_000)


@pytest.mark.parametrize(("rule", "final"), [(FillRule.NEXT_OPEN, 999_398.73772), (FillRule.BAR_CLOSE, 999_397.13916)])
def test_the_sma_cross_ends_where_three_other_engines_end(rule, final):
    run = recorded_cross(rule)
    assert len(run.trades("BTC")) == 557
    assert run.equity[-1] == pytest.approx(final, abs=5.1e-6)


def test_the_ratios_of_the_sma_cross_are_those_of_empyrical_and_quantstats():
    curve = recorded_cross(FillRule.NEXT_OPEN).curve
    closes = daily_closes(curve)
    returns = daily_returns(closes)
    assert len(returns) == 499
    assert sharpe(returns) == pytest.approx(-0.0191124275, abs=5.1e-11)
    assert sortino(returns) == pytest.approx(-0.0300666782, abs=5.1e-11)
    assert max_drawdown(closes) == pytest.approx(-0.0161740411, abs=5.1e-11)
    assert max_drawdown(curve.equity) == pytest.approx(-0.0167249968, abs=5.1e-11)
    assert cagr(closes) == pytest.approx(-0.00043983658, abs=5.1e-12)
    assert volatility(returns) == pytest.approx(0.0161833952, abs=5.1e-11)


def test_an_order_fills_at_the_next_open_or_at_the_close_it_was_decided_at():
    bars = flat_bars(10, 20, 30, opens=(9, 11, 21))
    wanted = np.array([1.0, 0.0, 0.0])
    assert list(run_targets(bars, wanted, FREE, FillRule.NEXT_OPEN, 100).equity) == [100, 109, 110]
    assert list(run_targets(bars, wanted, FREE, FillRule.BAR_CLOSE, 100).equity) == [100, 110, 110]


def test_a_target_of_the_last_bar_cannot_fill_at_a_next_open():
    run = run_targets(flat_bars(10, 20), np.array([0.0, 1.0]), FREE, FillRule.NEXT_OPEN, 100)
    assert len(run.fills) == 0
    assert run.trades("BTC") == ()


def test_trades_turn_scale_and_stay_open():
    bars = flat_bars(10, 20, 30, 40, 50)
    run = run_targets(bars, np.array([1.0, 3, 2, -1, -1]), Costs(0, 100), FillRule.BAR_CLOSE, 1000)
    bought, sold = run.trades("BTC")
    assert (bought.side, bought.quantity, bought.entry_price) == (Side.BUY, 3, pytest.approx(50 / 3))
    assert (bought.exit_price, bought.gross) == (pytest.approx(110 / 3), 60)
    assert bought.fees == pytest.approx(0.01 * (10 + 40 + 30 + 80))
    assert (sold.side, sold.quantity, sold.gross, sold.reason) == (Side.SELL, 1, -10, END_OF_DATA)
    assert (sold.entered_ms, sold.exited_ms) == (4 * HOUR, 5 * HOUR)


def test_a_long_pays_exactly_rate_times_mark_and_a_short_receives_it():
    bars = walk(1)
    rates = np.random.default_rng(2).normal(0, 1e-4, len(bars))
    costs = Costs(0, 0, funding=FundingRates(bars.opened_ms + HOUR, rates))
    # Held from the first open on, so from the second bar under this rule.
    due = float(np.sum((rates * bars.close)[1:]))
    for held in (1.0, -1.0):
        run = run_targets(bars, np.full(len(bars), held), costs, FillRule.NEXT_OPEN, 1000)
        (trade,) = run.trades("BTC")
        assert trade.funding == pytest.approx(-held * due, rel=1e-12)


def test_one_coin_held_pays_the_recorded_funding_to_the_cent():
    stamps, *prices, volume = columns(
        "hyperliquid-perp_BTCUSDC_1h_202409-202507", "ts", "open", "high", "low", "close", "volume"
    )
    path = FOLDER.parent / "funding/hyperliquid-perp_BTCUSDC_202305-202507.parquet"
    if not path.exists():
        pytest.skip(f"recorded funding is not there: {path.name}")
    bars, funding = BarSeries(timedelta(hours=1), stamps, *prices, volume), funding_of_file(path)
    run = run_targets(bars, np.ones(len(bars)), Costs(0, 0, funding=funding), FillRule.BAR_CLOSE, 1_000_000)
    # The mark when a payment is due is the close of the hour that ends then; the first hour is not yet held.
    marks = {int(opened) + HOUR: close for opened, close in zip(stamps[1:], bars.close[1:], strict=True)}
    # Seconds of delay in the booking do not count; minutes do (four times in this file): the hour they fall in pays.
    hours = (-(-(int(stamp) // 60_000 * 60_000) // HOUR) * HOUR for stamp in funding.times)
    due = math.fsum(rate * marks.get(hour, 0.0) for hour, rate in zip(hours, funding.rates, strict=True))
    assert due > 5_000
    assert run.trades("BTC")[0].funding == pytest.approx(-due, rel=1e-12)
    assert run.equity[-1] == pytest.approx(1_000_000 + bars.close[-1] - bars.close[0] - due, abs=1e-6)


def test_a_run_that_lost_more_than_it_had_says_so():
    bars = flat_bars(10, 10, 5, 20)
    assert run_targets(bars, np.full(4, 1.0), FREE, FillRule.NEXT_OPEN, 6).warnings == ()
    (warning,) = run_targets(bars, np.full(4, 2.0), FREE, FillRule.NEXT_OPEN, 10).warnings
    assert "1970-01-01 02:00" in warning


@BOTH_RULES
@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_trades_add_up_to_the_change_of_equity(rule, seed):
    bars = walk(seed)
    funding = FundingRates(bars.opened_ms[::8], np.random.default_rng(seed).normal(0, 1e-3, 25))
    costs = Costs(2, 6, 3, FixedSlippage(1), funding, borrow_per_year=0.2)
    run = run_targets(bars, positions(seed), costs, rule, 10_000)
    assert math.fsum(t.net for t in run.trades("BTC")) == pytest.approx(run.equity[-1] - 10_000, abs=1e-8)


@BOTH_RULES
def test_equity_is_cash_plus_the_position_at_every_close(rule):
    bars, run = walk(3), run_targets(walk(3), positions(4), DEAR, rule, 10_000)
    cash, fills = 10_000.0, run.fills
    for row in range(len(bars)):
        now = fills.rows == row
        cash -= float(np.sum(fills.change[now] * run.paid[now] + run.fees[now]))
        cash += float(run.funding[row] + run.borrowing[row])
        held = float(np.sum(fills.change[fills.rows <= row]))
        assert run.equity[row] == pytest.approx(cash + held * bars.close[row], abs=1e-8)


@BOTH_RULES
def test_dearer_trading_never_leaves_more(rule):
    ends = [run_targets(walk(5), positions(6), Costs(0, bps), rule, 10_000).equity for bps in (0, 1, 6, 20)]
    for cheap, dear in pairwise(ends):
        assert np.all(dear <= cheap)
        assert dear[-1] < cheap[-1]


@BOTH_RULES
def test_ten_times_the_price_and_a_tenth_of_the_size_make_the_same_money(rule):
    one = run_targets(walk(7), positions(8), DEAR, rule, 10_000)
    ten = run_targets(walk(7, start=1000.0), positions(8) / 10, DEAR, rule, 10_000)
    assert ten.equity == pytest.approx(one.equity, abs=1e-8)


@BOTH_RULES
def test_being_long_on_the_mirrored_series_is_being_short(rule):
    bars = walk(9)
    # Mirrored about a level, so that every difference of prices changes its sign and nothing else.
    turned = (2_000 - column for column in (bars.open, bars.low, bars.high, bars.close))
    mirror = BarSeries(bars.interval, bars.opened_ms, *turned, bars.volume)
    long_only = np.abs(positions(10))
    long = run_targets(mirror, long_only, FREE, rule, 10_000)
    short = run_targets(bars, -long_only, FREE, rule, 10_000)
    assert long.equity == pytest.approx(short.equity, abs=1e-8)


@BOTH_RULES
def test_what_comes_later_changes_nothing_before(rule):
    bars, wanted = walk(11), positions(12)
    whole = run_targets(bars, wanted, DEAR, rule, 10_000).equity
    for cut in (1, 2, 77, 199):
        start = BarSeries(
            bars.interval, bars.opened_ms[:cut], bars.open[:cut], bars.high[:cut], bars.low[:cut], bars.close[:cut],
            bars.volume[:cut],
        )  # fmt: skip
        assert list(run_targets(start, wanted[:cut], DEAR, rule, 10_000).equity) == list(whole[:cut])


def test_many_parameter_sets_are_as_many_single_runs():
    wanted = np.stack([positions(seed) for seed in range(5)], axis=1)
    together: list[BarRun] = list(run_columns(walk(13), wanted, DEAR, FillRule.NEXT_OPEN, 10_000))
    for column, run in enumerate(together):
        alone = run_targets(walk(13), positions(column), DEAR, FillRule.NEXT_OPEN, 10_000)
        assert list(run.equity) == list(alone.equity)


@pytest.mark.parametrize(
    ("targets", "message"),
    [([1.0], "one number for each of 2"), ([[1.0], [1.0]], "one number for each of 2"), ([0, np.nan], "nan in row 1")],
)
def test_targets_that_are_no_position_are_refused(targets, message):
    with pytest.raises(InvalidValue, match=message):
        run_targets(flat_bars(1, 2), np.array(targets, dtype=np.float64), FREE, FillRule.NEXT_OPEN, 100)


def test_no_money_no_bars_and_endless_prices_are_refused():
    with pytest.raises(InvalidValue, match="money above 0"):
        run_targets(flat_bars(1), np.zeros(1), FREE, FillRule.NEXT_OPEN, 0)
    with pytest.raises(InvalidValue, match="at least one bar"):
        run_targets(flat_bars(), np.zeros(0), FREE, FillRule.NEXT_OPEN, 1)
    with pytest.raises(InvalidValue, match="inf in row 1"):
        run_targets(flat_bars(1, np.inf), np.zeros(2), FREE, FillRule.NEXT_OPEN, 1)


def test_bars_cannot_be_asked_to_fill_orders_as_recorded():
    with pytest.raises(InvalidValue, match="allowed: next open or bar close"):
        run_targets(flat_bars(10, 20), np.zeros(2), FREE, FillRule.AS_RECORDED, 100)
