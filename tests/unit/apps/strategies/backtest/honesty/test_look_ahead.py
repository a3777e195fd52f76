"""Every way of knowing the future is found, with its place; who does not know it passes."""

import re
from typing import ClassVar

import numpy as np
import pytest

from apps.strategies.backtest.engines import EngineName, backtest
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.honesty.columns import changing_columns
from apps.strategies.backtest.honesty.look_ahead import look_ahead
from apps.strategies.backtest.honesty.peeking import require_blind
from apps.strategies.backtest.honesty.shown import CALENDAR, dated_later
from apps.strategies.base import Decision
from apps.strategies.signals import Signals
from moondev.domain.clock import from_milliseconds
from moondev.domain.desired import Target
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import MarketView
from tests.unit.apps.strategies.backtest.honesty.toys import START, Momentum, Toy, bars_of, case_of, walk

TREND = walk(memory=0.6)
STAMPS = bars_of(TREND).opened_ms


class NextBar(Momentum):
    """Shifts a column the wrong way: the commonest of all mistakes."""

    def positions(self, bars, params):
        return np.append(np.diff(bars.close) > 0, False)


class WholeSample(Momentum):
    """Scales by mean and deviation of all there is, the future included."""

    def positions(self, bars, params):
        return (bars.close - bars.close.mean()) / bars.close.std() < -0.5


class Almanac(Momentum):
    """Knows by heart what came after each date."""

    COMES: ClassVar = dict(zip(STAMPS.tolist(), np.append(np.diff(TREND) > 0, False).tolist(), strict=True))

    def position(self, bars, params):
        return float(self.COMES.get(int(bars.opened_ms[-1]), False))


class Hoarder(Momentum):
    """Keeps the longest past that it was ever shown, in a place that outlives a run."""

    KEPT: ClassVar = {}

    def positions(self, bars, params):
        if len(bars) > len(self.KEPT.get("close", ())):
            self.KEPT["close"] = bars.close.copy()
        close = self.KEPT["close"]
        return np.append(np.diff(close) > 0, False)[: len(bars)]


class Burglar(Momentum):
    """Reads beyond the end of its window, in the array of which the window is a view."""

    def position(self, bars, params):
        whole = np.ravel(bars.close if bars.close.base is None else bars.close.base)
        begins = (bars.close.__array_interface__["data"][0] - whole.__array_interface__["data"][0]) // 8
        after = whole[begins + len(bars) : begins + len(bars) + 1]
        return float(len(after) > 0 and after[0] > bars.close[-1])


class Fragile(Momentum):
    """Falls over when there is nothing after the bar it looks at."""

    def positions(self, bars, params):
        held = super().positions(bars, params)
        if len(bars) < 600:
            raise IndexError("no row after the last")
        return held


class Moody(Momentum):
    """Answers the same question differently the second time."""

    ASKED: ClassVar = [0]

    def decide(self, view, own, params, state, instruments):
        self.ASKED[0] += 1
        return super().decide(
            view, own, params.model_copy(update={"length": 2 + self.ASKED[0] % 9}), state, instruments
        )


class Asleep(Toy):
    def position(self, bars, params):
        return 0.0


def test_an_honest_strategy_passes_and_the_runs_are_counted():
    case, runs = case_of(Momentum(), TREND, parameters={"length": 5})
    found = look_ahead(case)
    assert found.passed, found.findings
    assert found.findings == ()
    assert found.backtests == len(runs) == 14
    assert found.figures["cuts_at_trades"] == 6
    # The shorter runs come before the whole one, which could otherwise be remembered.
    lengths = [len(one.markets[0].recorded.bars) for one in runs[:7]]
    assert lengths == sorted(lengths)
    assert {one.rule for one in runs} == {FillRule.BAR_CLOSE}


@pytest.mark.parametrize(
    ("sinner", "words"),
    [
        (NextBar, "exposure is"),
        (WholeSample, "exposure is"),
        (Almanac, "a date was looked up"),
        (Hoarder, "exposure is"),
        (Burglar, "decide wants weight of"),
        (Fragile, "it raises IndexError (no row after the last)"),
        (Moody, "decide wants weight of"),
    ],
)
def test_a_sinner_fails_and_the_place_is_told(sinner, words):
    case, _ = case_of(sinner(), TREND, parameters={"length": 5})
    found = look_ahead(case)
    assert found.passed is False
    assert found.figures["differences"] == len(found.findings) >= 1
    told = " | ".join(found.findings)
    assert words in told
    assert re.search(r"2024-01-\d\d \d\d:00", told)


def test_the_bar_that_is_named_is_the_one_whose_decision_knew_the_next():
    case, _ = case_of(NextBar(), TREND)
    first = look_ahead(case).findings[0]
    closed, cut = re.findall(r"2024-\d\d-\d\d \d\d:\d\d", first)
    # Only the last bar of a past that was cut off lacks the one after it.
    assert closed == cut
    row = int(np.searchsorted(STAMPS, int(np.datetime64(closed, "ms").astype(int)))) - 1
    assert TREND[row + 1] > TREND[row]


@pytest.mark.parametrize(("sinner", "passes"), [(Momentum, True), (Burglar, False)])
def test_the_same_holds_through_the_live_tick_path(sinner, passes):
    def replayed(idea, setting):
        return backtest(idea, setting, EngineName.REPLAY)

    case, _ = case_of(sinner(), TREND[:150], engine=replayed, parameters={"length": 5}, budget=6)
    assert look_ahead(case).passed is passes


class Columned(Momentum):
    """Tells its signals for a whole past at once; sees one bar ahead when told to."""

    ahead = 0

    def signals(self, past, params, instruments, leverage):
        (key,) = instruments
        close = past[key].base.close
        mean = np.convolve(close, np.ones(params.length) / params.length)[: len(close)]
        rows = np.minimum(np.arange(len(close)) + self.ahead, len(close) - 1)
        above = np.where(np.arange(len(close)) < params.length - 1, 0.0, (close > mean)[rows])
        none = np.full(len(close), np.nan)
        return {
            key: Signals(
                above,
                close,
                none,
                none,
                none,
                none,
                np.zeros(len(close), np.int64),
                np.ones(len(close), bool),
                3_600_000,
            )
        }


class Clairvoyant(Columned):
    ahead = 1


class Weekender(Momentum):
    """Stays out of weekends, which is no knowledge of the future."""

    def decide(self, view, own, params, state, instruments):
        if view.now.weekday() >= 5:
            return Decision(tuple(Target(key, 0.0, "s", "r") for key in instruments))
        return super().decide(view, own, params, state, instruments)


def test_columns_that_see_one_bar_ahead_are_found_without_a_trade():
    case, _ = case_of(Clairvoyant(), TREND, parameters={"length": 5})
    ends = [from_milliseconds(int(STAMPS[row])) for row in (200, 333, 401)]
    found = changing_columns(case.loaded, case.setting, ends)
    assert found
    assert re.match(
        r"for the bar of 2024-01-\d\d \d\d:00 of test:BTC weights are \d, but \d when what follows", found[0]
    )
    honest, _ = case_of(Columned(), TREND, parameters={"length": 5})
    assert changing_columns(honest.loaded, honest.setting, ends) == []
    assert changing_columns(*(getattr(case_of(Momentum())[0], name) for name in ("loaded", "setting")), ends) == []


@pytest.mark.parametrize("sinner", [Almanac, Burglar, Moody, Clairvoyant])
def test_who_peeks_is_refused_before_a_backtest_that_somebody_will_look_at(sinner):
    case, runs = case_of(sinner(), TREND, parameters={"length": 5})
    with pytest.raises(InvalidValue, match=r"strategy toy is '.* 2024-.*; allowed: one that decides by what it is"):
        require_blind(case.loaded, case.setting)
    assert runs == []


@pytest.mark.parametrize("honest", [Momentum, Columned, Weekender, Asleep])
def test_who_does_not_is_let_through_whatever_day_it_looks_at(honest):
    case, _ = case_of(honest(), TREND, parameters={"length": 5})
    require_blind(case.loaded, case.setting)


def test_equal_seeds_cut_at_equal_places():
    one, runs = case_of(WholeSample(), TREND)
    other, _ = case_of(WholeSample(), TREND)
    assert look_ahead(one) == look_ahead(other)
    assert len(runs) == len({len(one.markets[0].recorded.bars) for one in runs}) + 1


def test_without_trades_or_budget_it_cannot_be_judged():
    case, _ = case_of(Asleep(), TREND)
    assert look_ahead(case).passed is None
    assert "no trades" in look_ahead(case).words
    poor, runs = case_of(Momentum(), TREND, budget=3)
    assert look_ahead(poor).passed is None
    assert runs == []


def test_the_calendar_repeats_itself_after_28_years():
    later = dated_later(MarketView(START, {})).now
    assert (later.year, later.month, later.day, later.weekday()) == (2052, 1, 1, START.weekday())
    for moment in (from_milliseconds(int(stamp)) for stamp in STAMPS[::50]):
        moved = moment + CALENDAR
        assert (moved.month, moved.day, moved.hour, moved.weekday()) == (
            moment.month, moment.day, moment.hour, moment.weekday(),
        )  # fmt: skip
