"""Input that would make every number wrong is refused by name, row and time; what makes some wrong is flagged first."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from apps.strategies.backtest.costs import FREE
from apps.strategies.backtest.engines import EngineName, backtest
from apps.strategies.backtest.results import DataSource
from apps.strategies.backtest.setting import Setting
from apps.strategies.base import Decision
from apps.strategies.orchestrator.loader import Loaded, load
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries
from tests.unit.apps.strategies.backtest.honesty.toys import START, Momentum, bars_of, loaded, market_of, walk

HOUR_MS = 3_600_000
IDEA = loaded(Momentum(), length=5)


def bars(count=60, interval=timedelta(hours=1)):
    return bars_of(walk(count), interval)


def with_row(series, name, row, value):
    column = getattr(series, name).copy()
    column[row] = value
    return replace(series, **{name: column})


def moved(series, by_ms):
    return replace(series, opened_ms=series.opened_ms + by_ms)


def without(series, first, stop):
    keep = np.ones(len(series), dtype=bool)
    keep[first:stop] = False
    columns = {name: getattr(series, name)[keep] for name in ("opened_ms", "open", "high", "low", "close", "volume")}
    return replace(series, **columns)


def mislabelled(series):
    """Return the columns under the names that a well-known file gives them: open holds the low, low holds the open."""
    return replace(series, open=series.low, low=series.open)


def swapped(series):
    order = np.arange(len(series))
    order[[10, 11]] = order[[11, 10]]
    return replace(series, opened_ms=series.opened_ms[order])


def setting(*series, **more):
    return Setting(tuple(market_of(one, symbol=symbol) for one, symbol in zip(series, "AB", strict=False)), **more)


BAD = {
    "a duplicate stamp": (lambda: with_row(bars(), "opened_ms", 7, bars().opened_ms[6]), r"is '\d+ in row 7'"),
    "stamps out of order": (lambda: swapped(bars()), r"opened_ms is '\d+ in row 11'"),
    "stamps off the grid": (lambda: moved(bars(), 537_520), "bars of test:A is '2024-01-01 00:08:57 in row 0'"),
    "one stamp off the grid": (
        lambda: with_row(bars(), "opened_ms", 9, bars().opened_ms[9] + 60_000), "2024-01-01 09:01:00 in row 9",
    ),
    "mislabelled columns": (lambda: mislabelled(bars()), "open/high/low/close .* in row 0"),
    "a price that is no number": (lambda: with_row(bars(), "close", 12, np.nan), "nan in row 12"),
    "a price without end": (lambda: with_row(bars(), "high", 12, np.inf), "high of test:A is 'inf in row 12'"),
    "a price of zero": (lambda: with_row(bars(), "low", 12, 0.0), "in row 12"),
    "volume that is no number": (
        lambda: with_row(bars(), "volume", 3, np.nan), "volume of test:A is 'nan in row 3'; allowed: a number of 0",
    ),
    "volume below zero": (lambda: with_row(bars(), "volume", 3, -1.0), "volume of test:A is '-1.0 in row 3'"),
    "columns of different length": (
        lambda: replace(bars(), close=bars().close[:-1]), r"bars is \[59, 60\]; allowed: columns of one length",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "words"), BAD.values(), ids=BAD.keys())
def test_bars_that_make_every_number_wrong_are_refused_with_what_and_where(make, words):
    with pytest.raises(InvalidValue, match=words):
        backtest(IDEA, setting(make()))


def test_markets_in_different_currencies_are_refused():
    usdt, other = market_of(bars(), symbol="A"), market_of(bars(), symbol="B")
    usdc = replace(other, recorded=replace(other.recorded, quote="USDC"))
    with pytest.raises(InvalidValue, match="quote currency is 'made up in USDT; made up in USDC'"):
        Setting((usdt, usdc))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"length": 1}, "length is 1; allowed: a whole number of at least 2"),
        ({"length": 2.5}, r"length is 2.5; allowed: a whole number"),
        ({"scale": float("nan")}, "scale is nan"),
        ({"named": 3}, "named is 3"),
    ],
)
def test_parameters_out_of_range_are_refused_even_where_no_model_has_looked_at_them(changed, words):
    copied = IDEA.parameters.model_copy(update=changed)
    with pytest.raises(InvalidValue, match=words):
        backtest(Loaded(IDEA.strategy, copied, ""), setting(bars()))


def test_rules_between_parameters_hold_as_well():
    turtle = load("turtle_trend", {})
    crossed = turtle.parameters.model_copy(update={"s1_exit_bars": 90})
    with pytest.raises(InvalidValue, match=r"s1_exit_bars is 90; allowed: less than s1_entry_bars \(20\)"):
        backtest(replace(turtle, parameters=crossed), setting(bars(60, timedelta(days=1))))


def test_bars_that_cannot_make_those_asked_for_are_refused():
    with pytest.raises(InvalidValue, match="is '20 bars of 1h'; allowed: enough for one bar of 1d; turtle_trend asks"):
        backtest(load("turtle_trend", {}), setting(bars(20)))
    with pytest.raises(InvalidValue, match="1:00:00"):
        backtest(IDEA, setting(bars(60, timedelta(hours=4))))


@pytest.mark.parametrize("engine", [EngineName.AUTO, EngineName.REPLAY])
def test_a_past_shorter_than_what_is_asked_for_is_flagged_before_anything_else(engine):
    result = backtest(loaded(Momentum(), length=100), setting(bars(60)), engine)
    assert result.warnings[0] == "TOO_LITTLE_HISTORY: test:A has 60 bars of 1h, toy asks for 100"
    assert result.trades == ()
    enough = backtest(IDEA, setting(bars(60)), engine)
    assert not any("TOO_LITTLE_HISTORY" in warning for warning in enough.warnings)


def test_missing_bars_are_flagged_once():
    holed = without(bars(), 20, 23)
    result = backtest(IDEA, setting(holed))
    assert result.warnings[0] == "GAP: 3 bars of test:A missing, first after 2024-01-01 19:00:00"
    market = market_of(holed, FREE, symbol="A")
    told = DataSource("a file", "0", ("GAP: known since it was read",))
    known = backtest(IDEA, Setting((replace(market, recorded=replace(market.recorded, source=told)),)))
    assert [warning for warning in known.warnings if "GAP" in warning] == ["GAP: known since it was read"]


def test_weekly_bars_need_not_begin_on_a_thursday():
    monday = bars_of(walk(10), timedelta(days=7), START)
    week = loaded(Momentum(), length=5)
    result = backtest(replace(week, strategy=Weekly()), setting(monday))
    assert result.warnings == ()


class Weekly(Momentum):
    def needs(self, params, instruments):
        return replace(super().needs(params, instruments), bars={timedelta(days=7): 5})

    def decide(self, view, own, params, state, instruments):
        return Decision(())


def test_a_series_of_bars_may_be_empty_or_single():
    empty = bars(2).part(0, 0)
    assert len(BarSeries(empty.interval, *(getattr(empty, name) for name in BarSeries.__slots__[1:]))) == 0
