from datetime import UTC, datetime, timedelta

import pytest

from apps.strategies.backtest.requests.request import BacktestRequest
from apps.strategies.models import TrialStatus
from apps.strategies.optimise.asking import playable
from apps.strategies.optimise.plan import Plan, plan_of_json
from apps.strategies.optimise.proposing import BATCH, TrialSeen, next_numbers, points, seed_of, told_of
from apps.strategies.optimise.samplers.port import Outcome
from apps.strategies.optimise.space import Choice, Real, Space, Whole
from moondev.domain.errors import InvalidValue

SPACE = Space((Whole("length", 2, 100), Real("entry_z", 0.1, 5.0)))
REQUEST = BacktestRequest("mean_reversion", {}, ("BTC.parquet",), start=datetime(2025, 1, 1, tzinfo=UTC))


def plan(**fields):
    return Plan(REQUEST, SPACE, **{"trials": 90, "folds": 3, **fields})


def seen(number, point, study, value):
    """Return an ended trial: one score per fold, each another."""
    scores = [[value * (fold + 1)] for fold in range(3)]
    return TrialSeen(number, study, point, TrialStatus.DONE, scores)


def whole_search(the_plan, value_of):
    trials = []
    while numbers := next_numbers(the_plan, the_plan.size, len(trials)):
        found = points(the_plan, the_plan.size, numbers, trials)
        for number, point in zip(numbers, found, strict=True):
            trials.append(seen(number, point, the_plan.study_of(number), value_of(point)))
    return trials


def value(point):
    return -abs(point["length"] - 40) - abs(point["entry_z"] - 2)


def test_batches_end_where_their_study_does_and_cover_every_number_once():
    the_plan = plan(trials=95)
    numbers, there = [], 0
    while batch := next_numbers(the_plan, 95, there):
        assert len({the_plan.study_of(number) for number in batch}) == 1
        assert len(batch) <= BATCH
        numbers += batch
        there += len(batch)
    assert numbers == list(range(95))
    assert [the_plan.study_of(number) for number in (0, 31, 32, 63, 64, 94)] == [0, 0, 1, 1, 2, 2]
    assert {plan(sampler="random").study_of(number) for number in range(90)} == {0}


def test_nothing_is_drawn_from_what_may_still_be_under_way():
    """However far the last batch has come, the next one is the same."""
    the_plan = plan()
    trials = whole_search(the_plan, value)
    numbers = range(50, 60)
    last = [
        TrialSeen(trial.number, trial.study, trial.parameters, TrialStatus.WAITING, ())
        if trial.number >= 40 else trial
        for trial in trials[:50]
    ]  # fmt: skip
    assert points(the_plan, 90, numbers, trials[:50]) == points(the_plan, 90, numbers, last)


def test_a_study_hears_of_its_own_fold_only_and_of_no_later_study():
    the_plan = plan()
    trials = whole_search(the_plan, value)
    told = told_of(trials[0], 1, settled=True)
    assert told.scores == (2 * value(trials[0].parameters),)
    numbers = range(45, 55)
    blind = [trial for trial in trials[:45] if trial.study <= 1]
    later = [*blind, *(TrialSeen(t.number, 2, t.parameters, t.status, t.scores) for t in trials[60:70])]
    assert points(the_plan, 90, numbers, blind) == points(the_plan, 90, numbers, later)


def test_refused_and_failed_trials_are_no_answer():
    for status in (TrialStatus.PRUNED, TrialStatus.FAILED):
        assert told_of(TrialSeen(0, 0, {}, status, ()), 0, settled=True).outcome is Outcome.OUT
    assert told_of(TrialSeen(0, 0, {}, TrialStatus.DONE, [None, [1.0]]), 0, settled=True).outcome is Outcome.OUT
    assert told_of(TrialSeen(0, 0, {}, TrialStatus.DONE, [[1.0]]), 0, settled=False).outcome is Outcome.PENDING


def test_every_trial_has_a_seed_of_its_own_that_does_not_change():
    seeds = [seed_of(7, number) for number in range(100)]
    assert len(set(seeds)) == 100
    assert seeds[3] == seed_of(7, 3) != seed_of(8, 3)


def test_a_plan_survives_json():
    the_plan = plan(objectives=("sharpe", "drawdown"), sampler="nsga2", purge_bars=12, folder="/somewhere")
    assert plan_of_json(the_plan.to_json()) == the_plan


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"trials": 0}, "trials is 0"),
        ({"folds": -1}, "folds is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"sampler": "magic"}, "tpe, random"),
        ({"objectives": ("beauty",)}, "objective is 'beauty'"),
        ({"sampler": "surrogate", "objectives": ("sharpe", "net")}, "takes 2 objectives"),
    ],
)
def test_a_plan_that_nobody_could_carry_out_is_refused(fields, words):
    with pytest.raises(InvalidValue, match=words):
        plan(**fields)


def test_bars_shorter_than_those_recorded_are_not_searched():
    space = Space((Choice("interval", ("1m", "5m", "1h")), Choice("trend", ("none", "1m", "1h")), *SPACE.dimensions))
    cut = playable(space, timedelta(minutes=5))
    assert [one.options for one in cut.dimensions[:2]] == [("5m", "1h"), ("none", "1h")]
    assert cut.dimensions[2:] == SPACE.dimensions
