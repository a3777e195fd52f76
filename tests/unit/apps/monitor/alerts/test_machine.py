"""The life of an alert holds whatever is seen when: it begins late, ends late, and is never doubled or lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.monitor.alerts.machine import FLAPS, Standing, Timing, deadline, turn
from apps.monitor.models.alerts import AlertState

T0 = datetime(2026, 1, 1, tzinfo=UTC)
PENDING, FIRING, ACKNOWLEDGED, RESOLVED = AlertState
LIVE = {FIRING, ACKNOWLEDGED}


def s(seconds):
    return timedelta(seconds=seconds)


timings = st.builds(
    Timing, st.integers(0, 20).map(s), st.integers(0, 20).map(s), st.integers(0, 60).map(s)
)  # fmt: skip
# What is seen, and how many seconds after what was seen before.
looks = st.lists(st.tuples(st.integers(0, 15), st.sampled_from([True, False, None])), max_size=60)


def played(timing, seen, answered=frozenset()):
    """Play looks; yield after each: the time, what was seen, where it stood and where it stands."""
    now, standing = T0, None
    for index, (after, holds) in enumerate(seen):
        now += s(after)
        before, standing = standing, turn(standing, now, timing, holds=holds)
        yield now, holds, before, standing
        if index in answered and standing is not None and standing.state is FIRING:
            standing = Standing(ACKNOWLEDGED, standing.since, standing.fired_at, standing.clear_since, None,
                                standing.count)  # fmt: skip


@given(timings, looks, st.frozensets(st.integers(0, 59)))
def test_no_alert_fires_early_ends_early_or_by_ignorance(timing, seen, answered):
    so_since, well_since = None, None
    for now, holds, before, after in played(timing, seen, answered):
        if holds is False:
            so_since = None
        elif holds and so_since is None:
            so_since = now
        well_since = (well_since or now) if holds is False else None
        was, is_ = before and before.state, after and after.state
        if is_ in LIVE and was not in LIVE:
            assert holds
            assert now - so_since >= timing.wait
        if is_ is RESOLVED and was in LIVE:
            assert now - well_since >= timing.settle
        if holds is None and was in LIVE:
            assert is_ is was, "nobody knows, so nothing ends"
        if was is ACKNOWLEDGED and is_ is not RESOLVED:
            assert is_ is ACKNOWLEDGED, "an answer holds until the end"


@given(timings, looks)
def test_the_same_turn_twice_is_one(timing, seen):
    for now, holds, _, after in played(timing, seen):
        assert turn(after, now, timing, holds=holds) == after


@given(timings, looks)
def test_what_holds_for_long_enough_fires_and_what_ceases_for_long_enough_ends(timing, seen):
    ended = [after for *_, after in played(timing, seen)]
    standing, now = (ended[-1] if ended else None), T0 + s(15 * 60)
    for holds, wanted in ((True, LIVE), (False, {RESOLVED})):
        standing = turn(standing, now, timing, holds=holds)
        now += max(timing.wait, timing.settle, timing.cool_down)
        standing = turn(standing, now, timing, holds=holds)
        assert standing.state in wanted


@given(timings, looks)
def test_nothing_else_changes_it_before_its_deadline(timing, seen):
    for now, holds, _, after in played(timing, seen):
        due = None if after is None else deadline(after, timing)
        if due is None or due <= now or holds is None:
            continue
        assert turn(after, due - s(0.001), timing, holds=holds) == after
        assert turn(after, due, timing, holds=holds) != after


def test_an_alert_comes_back_as_itself_within_its_cool_down_and_as_another_after_it():
    timing = Timing(s(0), s(0), s(60))
    over = turn(turn(None, T0, timing, holds=True), T0 + s(5), timing, holds=False)
    assert over.state is RESOLVED
    again = turn(over, T0 + s(30), timing, holds=True)
    assert (again.state, again.count, again.fired_at) == (FIRING, 1, T0 + s(30))
    another = turn(over, T0 + s(65), timing, holds=True)
    assert (another.state, another.count) == (FIRING, 0)


def test_one_that_keeps_coming_back_is_over_only_after_a_whole_cool_down_without_it():
    timing, now, standing = Timing(s(0), s(2), s(100)), T0, None
    for _ in range(FLAPS + 1):
        standing = turn(standing, now, timing, holds=True)
        standing = turn(standing, now + s(1), timing, holds=False)
        standing = turn(standing, now + s(3), timing, holds=False)
        now += s(10)
    assert standing.flapping
    assert standing.state is FIRING
    standing = turn(standing, now + s(80), timing, holds=False)
    assert standing.state is FIRING
    assert turn(standing, now + s(120), timing, holds=False).state is RESOLVED


def test_one_that_begins_again_and_ceases_before_it_counts_has_not_come_back():
    timing = Timing(s(10), s(0), s(600))
    firing = turn(turn(None, T0, timing, holds=True), T0 + s(10), timing, holds=True)
    over = turn(firing, T0 + s(20), timing, holds=False)
    pending = turn(over, T0 + s(30), timing, holds=True)
    assert (pending.state, pending.resolved_at) == (PENDING, T0 + s(20))
    assert turn(pending, T0 + s(35), timing, holds=False) == Standing(
        RESOLVED, T0 + s(30), T0 + s(10), None, T0 + s(20)
    )
