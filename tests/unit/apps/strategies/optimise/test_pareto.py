from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.optimise.pareto import front, ranked

ROWS = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.tuples(*[st.integers(0, 5).map(float)] * width), min_size=1, max_size=25)
)


def beats(one, other):
    return all(a >= b for a, b in zip(one, other, strict=True)) and one != other


@given(ROWS)
def test_the_front_is_what_nothing_beats(rows):
    found = front(rows)
    assert found
    assert set(found) == {place for place, row in enumerate(rows) if not any(beats(other, row) for other in rows)}


@given(ROWS)
def test_a_ranking_names_each_once_and_never_the_beaten_first(rows):
    order = ranked(rows)
    assert sorted(order) == list(range(len(rows)))
    for place, at in enumerate(order):
        assert not any(beats(rows[later], rows[at]) for later in order[place + 1 :])


def test_one_objective_is_ranked_by_it():
    assert ranked([(1.0,), (3.0,), (2.0,), (3.0,)]) == [1, 3, 2, 0]
    assert front([]) == ()
