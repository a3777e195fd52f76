import math
from statistics import median

import pytest

from apps.strategies.optimise.pareto import front
from apps.strategies.optimise.samplers.nsga2 import generations, population_of
from apps.strategies.optimise.samplers.port import Outcome, Question, Told
from apps.strategies.optimise.samplers.registry import sampler, sampler_names
from apps.strategies.optimise.space import Choice, Real, Space, Whole
from moondev.domain.errors import InvalidValue

SPACE = Space(
    (
        Real("share", 0.0, 1.0),
        Real("speed", 0.001, 100.0, log=True),
        Whole("bars", 1, 100),
        Choice("mode", ("a", "b", "c")),
    )
)
BATCH, TRIALS = 10, 80


def score(point):
    """Return how good a point of the toy is: 0 at its best."""
    return -(
        4 * (point["share"] - 0.3) ** 2
        + (math.log10(point["speed"]) - 1) ** 2 / 4
        + ((point["bars"] - 70) / 50) ** 2
        + 0.5 * (point["mode"] != "b")
    )


def two_scores(point):
    """Return two aims that pull against each other: the front is share 0 to 1 at bars 50."""
    off = abs(point["bars"] - 50) / 50 + 0.2 * (point["mode"] != "b")
    return (-(point["share"] ** 2) - off, -((point["share"] - 1) ** 2) - off)


def search(name, seed, judge=lambda point: (score(point),), trials=TRIALS, batch=BATCH):
    """Run a whole search as the platform does: results of the last batch are not known yet when the next is drawn."""
    chooser, told = sampler(name, len(judge(SPACE.point(dict.fromkeys(SPACE.names, 0.5))))), []
    size = chooser.size(SPACE, trials)
    for first in range(0, size, batch):
        numbers = range(first, min(first + batch, size))
        known = [one if one.number < first - batch else Told(one.number, one.point, Outcome.PENDING) for one in told]
        points = chooser.ask(Question(SPACE, numbers, size, seed, len(judge(SPACE.point(_middle())))), known)
        told += [Told(n, point, Outcome.SCORED, judge(point)) for n, point in zip(numbers, points, strict=True)]
    return told


def _middle():
    return dict.fromkeys(SPACE.names, 0.5)


def best(told):
    return max(one.scores[0] for one in told)


@pytest.mark.parametrize("name", sampler_names())
def test_the_same_seed_gives_the_same_trials_and_another_seed_others(name):
    first, again, other = (search(name, seed, trials=40) for seed in (7, 7, 8))
    assert [one.point for one in first] == [one.point for one in again]
    assert [one.point for one in first] != [one.point for one in other]


@pytest.mark.parametrize("name", ["random", "sobol", "latin", "grid"])
def test_what_does_not_learn_gives_each_number_its_point_whatever_the_batches(name):
    points = {batch: [one.point for one in search(name, 3, trials=36, batch=batch)] for batch in (1, 7, 36)}
    assert points[1] == points[7] == points[36]


@pytest.mark.parametrize("name", sampler_names())
def test_every_point_is_of_the_space_and_few_are_tried_twice(name):
    told = search(name, 5, trials=50)
    for one in told:
        for dimension in SPACE.dimensions:
            value = one.point[dimension.name]
            assert isinstance(value, str) == isinstance(dimension, Choice)
            assert 0 <= dimension.unit(value) <= 1
    assert len({tuple(one.point.values()) for one in told}) > 0.9 * len(told)


@pytest.mark.parametrize("name", ["tpe", "surrogate", "forest"])
def test_what_learns_comes_nearer_to_the_best_than_chance_with_as_many_trials(name):
    seeds = (1, 2, 3)
    learnt, drawn = ([best(search(kind, seed, trials=120)) for seed in seeds] for kind in (name, "random"))
    assert median(learnt) > median(drawn) / 2


def test_nsga2_covers_more_of_what_two_objectives_allow_than_chance():
    covered, by_chance = (
        [volume(search(name, seed, two_scores, 200)) for seed in (1, 2, 3)] for name in ("nsga2", "random")
    )
    assert median(covered) > median(by_chance) + 0.05


def volume(told):
    """Return the area that the front has beaten, down to -2 in both objectives."""
    scores = [one.scores for one in told if min(one.scores) > -2]
    area, top = 0.0, -2.0
    for first, second in sorted((scores[place] for place in front(scores)), reverse=True):
        area, top = area + (first + 2) * max(second - top, 0.0), max(second, top)
    return area


def test_failed_and_refused_trials_are_learnt_from_as_no_answer():
    for name in ("tpe", "surrogate", "forest", "nsga2"):
        told = [
            Told(number, one.point, Outcome.OUT) if one.point["mode"] == "a" else one
            for number, one in enumerate(search("random", 9, trials=60))
        ]
        points = sampler(name).ask(Question(SPACE, range(60, 80), 80, 1), told)
        assert len(points) == 20
    nothing = [Told(number, one.point, Outcome.OUT) for number, one in enumerate(search("random", 9, trials=40))]
    for name in ("tpe", "surrogate", "forest", "nsga2"):
        assert len(sampler(name).ask(Question(SPACE, range(40, 50), 50, 1), nothing)) == 10


def test_a_grid_covers_all_combinations_once_and_says_when_there_are_too_many():
    told = search("grid", 1, trials=60)
    points = {tuple(one.point.values()) for one in told}
    assert len(points) == len(told) <= 60
    assert {one.point["mode"] for one in told} == {"a", "b", "c"}
    assert {one.point["share"] for one in told} >= {0.0, 1.0}
    stepped = Space((Whole("bars", 0, 100, 10), Choice("mode", ("a", "b"))))
    assert sampler("grid").size(stepped, 1_000) == 22
    with pytest.raises(InvalidValue, match=r"22 or more for this grid \(bars 11 x mode 2\)"):
        sampler("grid").size(stepped, 20)


def test_a_latin_hypercube_uses_every_part_of_a_range_once():
    shares = sorted(one.point["share"] for one in search("latin", 2, trials=40))
    assert [int(share * 40) for share in shares] == list(range(40))


def test_generations_count_trials_that_have_scores():
    told = [Told(n, {}, Outcome.OUT if n == 1 else Outcome.SCORED, (1.0,)) for n in range(5)]
    assert [list(note.values()) for note in generations(told, 2)] == [[0], [], [0], [1], [1]]
    assert (population_of(1_000), population_of(200), population_of(5)) == (50, 20, 2)


def test_samplers_are_known_by_name_and_by_how_many_objectives_they_take():
    with pytest.raises(InvalidValue, match="tpe, random, grid"):
        sampler("magic")
    with pytest.raises(InvalidValue, match="takes 2 objectives"):
        sampler("surrogate", 2)
