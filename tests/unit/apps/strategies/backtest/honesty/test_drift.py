"""Whether a strategy asks for past enough, told by what more of it changes."""

from decimal import Decimal

import numpy as np
import pytest
import talib

from apps.strategies.backtest.honesty.drift import drift
from apps.strategies.backtest.honesty.wishes import apart, wishes
from apps.strategies.base import Decision
from moondev.domain.desired import Legs, Quote, Quotes, Target
from moondev.domain.market_data import Needs
from moondev.domain.values import Price, Quantity
from tests.unit.apps.strategies.backtest.honesty.toys import HOUR, Momentum, case_of, walk

TREND = walk(memory=0.6)


class Forgetful(Momentum):
    """Long above an exponential average, which it computes on `asked` lengths of past."""

    asked = 1

    def needs(self, params, instruments):
        return Needs(tuple(one.key for one in instruments), {HOUR: params.length * self.asked})

    def position(self, bars, params):
        return float(bars.close[-1] > talib.EMA(bars.close, params.length)[-1])


class Patient(Forgetful):
    asked = 15


class WholePast(Momentum):
    """Sees its window live, and in columns averages since the first bar there is."""

    def positions(self, bars, params):
        return bars.close > np.cumsum(bars.close) / np.arange(1, len(bars) + 1)


class Sized(Momentum):
    """Always long, with a size that still remembers where its window began."""

    def position(self, bars, params):
        return float(np.clip(talib.EMA(bars.close, params.length)[-1] / bars.close[-1] / 2, 0, 1))


class Blind(Momentum):
    def needs(self, params, instruments):
        return Needs(tuple(one.key for one in instruments))


def test_a_window_that_is_all_it_looks_at_passes():
    case, _ = case_of(Momentum(), TREND, parameters={"length": 5})
    found = drift(case)
    assert found.passed, found.words
    assert found.findings == ()
    assert found.figures["decisions"] > 100


def test_an_average_that_remembers_its_start_fails_on_a_short_past_and_passes_on_a_long_one():
    short, runs = case_of(Forgetful(), TREND, parameters={"length": 6})
    found = drift(short)
    assert found.passed is False
    assert found.figures["decisions_differing"] > 0
    assert "times the bars asked for: weight of test:BTC" in found.findings[-1]
    assert found.backtests == len(runs) == 4
    long, _ = case_of(Patient(), TREND, parameters={"length": 6})
    found = drift(long)
    assert found.passed, found.words
    assert found.figures["decisions"] > 100


def test_a_size_that_drifts_is_told_in_basis_points():
    case, _ = case_of(Sized(), TREND, parameters={"length": 6})
    found = drift(case)
    assert found.passed is False
    assert found.figures["decisions_differing"] == 0
    assert found.figures["worst_price_bps"] > 1


def test_columns_that_look_back_to_the_first_bar_fail_through_the_engine():
    case, _ = case_of(WholePast(), TREND, parameters={"length": 20})
    found = drift(case)
    assert found.passed is False
    assert found.figures["exposure_differing"] > 0.01
    assert "with 3 windows of past against 4" in found.findings[0]
    assert "at the close of 2024-01-" in found.findings[0]


@pytest.mark.parametrize(("length", "windows"), [(131, 4), (165, 3), (200, 2), (238, 2)])
def test_with_less_past_fewer_windows_are_compared(length, windows):
    case, runs = case_of(Momentum(), TREND, parameters={"length": length})
    found = drift(case)
    assert (found.figures["windows"], found.backtests, len(runs)) == (windows, windows, windows)


@pytest.mark.parametrize(
    ("strategy", "parameters", "budget", "why"),
    [
        (Momentum(), {"length": 240}, 40, "of past"),
        (Momentum(), {"length": 5}, 3, "a budget of 3"),
        (Blind(), {}, 40, "it asks for no bars"),
    ],
)
def test_without_past_or_budget_it_cannot_be_judged(strategy, parameters, budget, why):
    case, _ = case_of(strategy, TREND, parameters=parameters, budget=budget)
    found = drift(case)
    assert found.passed is None
    assert why in found.words


def price(number):
    return Price(Decimal(number))


def target(key="a", weight=0.5, **prices):
    return Target(key, weight, "s", "r", **prices)


class TestWishes:
    def test_every_number_of_a_decision_is_told_by_name(self):
        quote = Quote(price("9"), Quantity(Decimal(2)))
        decision = Decision(
            (
                target(stop=price("90"), entry=price("100"), take_profit=price("110")),
                Legs((target("b"), target("c", -0.5)), 100),
                Quotes("d", (quote,), ()),
            )
        )
        assert wishes(decision) == {
            "bid 1 of d": 9.0, "entry of a": 100.0, "size of bid 1 of d": 2.0, "stop of a": 90.0,
            "take-profit of a": 110.0, "weight of a": 0.5, "weight of b": 0.5, "weight of c": -0.5,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("one", "other", "differ", "distance"),
        [
            ({"weight of a": 0.5}, {"weight of a": 0.5}, False, 0),
            ({"weight of a": 0.5}, {"weight of a": -0.5}, True, np.inf),
            ({"weight of a": 0.5}, {"weight of a": 0.0}, True, np.inf),
            ({"weight of a": 0.5}, {}, True, np.inf),
            ({"weight of a": 0.0}, {}, False, 0),
            ({"stop of a": 101.0}, {"stop of a": 100.0}, False, 100),
            ({"weight of a": 0.5, "stop of a": 99.0}, {"weight of a": 0.5}, True, np.inf),
        ],
    )
    def test_another_side_is_a_difference_and_another_price_a_distance(self, one, other, differ, distance):
        found = apart(one, other)
        assert found[0] is differ
        assert found[1] == pytest.approx(distance)
        assert bool(found[2]) is (distance > 0)
