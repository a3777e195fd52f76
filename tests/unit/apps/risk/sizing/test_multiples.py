"""What a weight of 1 stands for: each method's known answer, and what no method may ever do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.risk.sizing.drawdown import drawdown_scale
from apps.risk.sizing.kelly import TradeRecord
from apps.risk.sizing.markets import movement
from apps.risk.sizing.multiples import LEAST_TOLD, Readings, allowed
from apps.risk.sizing.rule import PLAIN, TARGETS, SizingMethod, SizingRule, rule_of_json
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries

M = SizingMethod
EDGE = TradeRecord(1_000, 0.01, 0.01)
READ = Readings(10_000.0, 0.0, volatility=0.8, true_range=0.02, trades=EDGE, portfolio_equity=100_000.0, peers=4)


@pytest.mark.parametrize(
    ("rule", "multiple"),
    [
        (PLAIN, 5.0),
        (SizingRule(M.FIXED_FRACTION, 0.3), 0.3),
        # One per cent of equity for a range of two per cent of the price: half the equity.
        (SizingRule(M.ATR, 0.01), 0.5),
        # Carver: 20 % wanted of a market of 80 % is a quarter.
        (SizingRule(M.REALISED, 0.2), 0.25),
        # Mean 0.01 less one standard error sqrt(0.0099 x 1000 / 999 / 1000), over 0.01; a quarter of it.
        (SizingRule(M.KELLY, 0.25), 0.25 * (0.01 - (0.0099 / 999) ** 0.5) / 0.01),
        (SizingRule(M.KELLY, 0.25, start=0.05), 0.25 * (0.01 - (0.0099 / 999) ** 0.5) / 0.01),
        # 40 % of 100,000 shared by four is 10,000 a year: all of this strategy's equity moves so much at 100 %.
        (SizingRule(M.EQUAL_RISK, 0.4), 1.0 / 0.8),
        (SizingRule(M.EQUAL_RISK, 0.4, ceiling=0.7), 0.7),
        # Grossman-Zhou at the peak takes nothing off.
        (SizingRule(M.FIXED_FRACTION, 0.3, stops_at_drawdown=0.2), 0.3),
    ],
)  # fmt: skip
def test_known_answers(rule, multiple):
    found = allowed(rule, READ, 5.0)
    assert (found.multiple, found.told) == (pytest.approx(multiple), pytest.approx(multiple))


def test_half_way_to_the_stop_grossman_and_zhou_leave_five_ninths():
    assert drawdown_scale(0.1, 0.2) == pytest.approx(5 / 9)
    rule = SizingRule(M.FIXED_FRACTION, 0.9, stops_at_drawdown=0.2)
    assert allowed(rule, replace(READ, drawdown=0.1), 5.0).multiple == pytest.approx(0.5)


def test_kelly_begins_with_a_little_and_stops_where_nothing_is_gained():
    rule = SizingRule(M.KELLY, 0.5, fewest_trades=30, start=0.05)
    assert allowed(rule, replace(READ, trades=TradeRecord(29, 0.01, 0.01)), 5.0).multiple == 0.05
    losing = allowed(rule, replace(READ, trades=TradeRecord(30, -0.01, 0.01)), 5.0)
    assert losing.nothing
    assert "nothing to be gained" in losing.why_nothing


@pytest.mark.parametrize(
    ("method", "missing", "words"),
    [
        (M.ATR, {"true_range": None}, "too few recent bars"),
        (M.ATR, {"true_range": 0.0}, "too few recent bars"),
        (M.ATR, {"true_range": float("nan")}, "too few recent bars"),
        (M.REALISED, {"volatility": None}, "too few recent bars"),
        (M.REALISED, {"volatility": 0.0}, "too few recent bars"),
        (M.REALISED, {"volatility": float("inf")}, "too few recent bars"),
        (M.EQUAL_RISK, {"volatility": None}, "too few recent bars"),
        (M.EQUAL_RISK, {"portfolio_equity": None}, "equity is not known"),
        (M.EQUAL_RISK, {"portfolio_equity": 0.0}, "equity is not known"),
        (M.EQUAL_RISK, {"equity": -1.0}, "equity is not known"),
    ],
)
def test_what_is_not_known_sizes_nothing_and_says_so(method, missing, words):
    found = allowed(SizingRule(method, 0.1), replace(READ, **missing), 2.0)
    assert found.nothing
    assert words in found.why_nothing
    # The strategy is told of a little, or it would not look after what it holds.
    assert found.told == LEAST_TOLD * 2


@pytest.mark.parametrize("drawdown", [None, float("nan"), 0.2, 0.9, 1.5])
def test_an_unknown_drawdown_and_one_at_the_stop_leave_nothing(drawdown):
    rule = SizingRule(M.FIXED_FRACTION, 1.0, stops_at_drawdown=0.2)
    assert allowed(rule, replace(READ, drawdown=drawdown), 2.0).nothing
    assert not allowed(SizingRule(M.FIXED_FRACTION, 1.0), replace(READ, drawdown=drawdown), 2.0).nothing


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
MAYBE = st.none() | NUMBERS
RULES = st.builds(
    lambda method, share, most, stop: SizingRule(
        method, share * TARGETS[method][1], ceiling=most, stops_at_drawdown=stop
    ),
    st.sampled_from(SizingMethod), st.floats(0.001, 1), st.floats(0.01, 20), st.none() | st.floats(0.01, 1),
)  # fmt: skip
READINGS = st.builds(
    Readings, NUMBERS, MAYBE, MAYBE, MAYBE, st.builds(TradeRecord, st.integers(0, 10**6), NUMBERS, NUMBERS), MAYBE,
    st.integers(-1, 100),
)  # fmt: skip


@given(rule=RULES, readings=READINGS, leverage=st.floats(0.01, 20))
def test_never_above_leverage_and_ceiling_never_below_zero_whatever_it_reads(rule, readings, leverage):
    found = allowed(rule, readings, leverage)
    assert 0 <= found.multiple <= min(leverage, rule.ceiling)
    assert 0 < found.told <= leverage
    assert found.nothing == bool(found.why_nothing)


@given(rule=RULES, low=st.floats(0, 1.2), more=st.floats(0, 1.2))
def test_a_deeper_drawdown_never_gives_more(rule, low, more):
    shallow, deep = (allowed(rule, replace(READ, drawdown=one), 5.0).multiple for one in (low, low + more))
    assert deep <= shallow


@given(stop=st.floats(0.001, 1), low=st.floats(-1, 2), more=st.floats(0, 1))
def test_the_scale_falls_from_one_to_nothing(stop, low, more):
    assert 1 >= drawdown_scale(low, stop) >= drawdown_scale(low + more, stop) >= 0
    assert drawdown_scale(stop, stop) == 0
    assert drawdown_scale(0.0, stop) == 1


@given(volatility=st.floats(0.01, 10), wilder=st.floats(1, 10))
def test_a_wilder_market_never_gives_more(volatility, wilder):
    for method in (M.REALISED, M.EQUAL_RISK):
        calm, wild = (
            allowed(SizingRule(method, 0.2), replace(READ, volatility=one), 20.0).multiple
            for one in (volatility, volatility * wilder)
        )
        assert wild <= calm


@given(peers=st.integers(1, 50), volatility=st.floats(0.05, 3))
def test_equal_risk_moves_the_portfolio_by_no_more_than_the_target_in_all(peers, volatility):
    one = allowed(SizingRule(M.EQUAL_RISK, 0.3), replace(READ, peers=peers, volatility=volatility), 20.0).multiple
    assert peers * one * volatility * READ.equity <= 0.3 * READ.portfolio_equity * (1 + 1e-9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "martingale"}, "method is 'martingale'; allowed: weight, fixed_fraction, atr"),
        ({"target": 0}, "target is 0"),
        ({"method": "realised", "target": 20}, "target is 20; allowed: a number above 0 and up to 3: volatility of"),
        ({"target": float("nan")}, "target is nan"),
        ({"target": True}, "target is True"),
        ({"target": "1"}, "target is '1'"),
        ({"bars": 4}, "bars is 4; allowed: a whole number from 5 to 500"),
        ({"bars": 20.5}, "bars is 20.5"),
        ({"bar_seconds": 5}, "bar_seconds is 5"),
        ({"ceiling": -1}, "ceiling is -1"),
        ({"start": 2}, "start is 2"),
        ({"fewest_trades": 3}, "fewest_trades is 3; allowed: a whole number from 10"),
        ({"stops_at_drawdown": 1.5}, "stops_at_drawdown is 1.5"),
        ({"sizes": 1}, "sizing is 'sizes'; allowed: only method"),
    ],
)  # fmt: skip
def test_refuses_numbers_that_no_rule_can_mean_naming_field_value_and_what_is_allowed(changes, words):
    with pytest.raises(InvalidValue) as caught:
        rule_of_json(changes)
    assert words in str(caught.value)


@given(rule=RULES)
def test_a_rule_survives_json(rule):
    assert rule_of_json(rule.to_json()) == rule
    assert rule_of_json({}) == PLAIN


NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def hours(count, last=NOW - timedelta(hours=1), swing=0.01):
    end = round(last.timestamp() * 1000)
    stamps = end - np.arange(count - 1, -1, -1, dtype=np.int64) * 3_600_000
    close = 100 * np.exp(swing * (np.arange(count) % 2))
    return BarSeries(timedelta(hours=1), stamps, close, close, close, close, np.ones(count))


def test_the_market_that_moves_most_counts():
    rule = SizingRule(M.REALISED, 0.2, bars=10)
    calm, wild = hours(11), hours(11, swing=0.03)
    assert movement(rule, [calm, wild], NOW).volatility == pytest.approx(0.03 * 8_760**0.5)
    assert movement(rule, [calm, calm], NOW).volatility == pytest.approx(0.01 * 8_760**0.5)
    by_range = movement(SizingRule(M.ATR, 0.01, bars=5), [hours(21), hours(21, swing=0.03)], NOW)
    assert by_range.true_range == pytest.approx(np.exp(0.03) - 1)
    assert movement(PLAIN, [calm], NOW).volatility is None


@pytest.mark.parametrize(
    "bars", [None, hours(10), hours(11, last=NOW - timedelta(hours=5))], ids=["none", "too few", "old"]
)
def test_bars_that_are_missing_too_few_or_old_make_the_movement_unknown(bars):
    rule = SizingRule(M.REALISED, 0.2, bars=10)
    assert movement(rule, [hours(11), bars], NOW).volatility is None
    assert movement(rule, [], NOW).volatility is None
