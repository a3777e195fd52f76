"""A venue's state follows its signs, but not every cough of theirs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.health.requests import BOUNDS, Requests
from apps.exchanges.health.states import RECOVERS_AFTER, Signs, VenueState, Watch, judged

OK, DEGRADED, DOWN = VenueState.OK, VenueState.DEGRADED, VenueState.DOWN


def requests(count: int, errors: int = 0, slow: int = 0) -> Requests:
    return Requests(count, errors, 1.0, (count - slow, *(0,) * (len(BOUNDS) - 1), slow))


WELL = Signs(connected=True, data_age=0.1, ages={"book": 0.1, "marks": 0.2}, requests=requests(100))
CUT_OFF = Signs(connected=False, data_age=5.0)


@pytest.mark.parametrize(
    ("signs", "state", "word"),
    [
        (WELL, OK, ""),
        (CUT_OFF, DOWN, "not connected"),
        # Connected says nothing: a frozen socket is as bad as a closed one.
        (Signs(connected=True, data_age=11.0), DOWN, "connected, but no data for 11.0 s"),
        (Signs(connected=True, data_age=1e9), DOWN, "connected, but no data yet"),
        (Signs(connected=True, data_age=1e9), DOWN, "no data"),
        (Signs(connected=True, data_age=4.0), DEGRADED, "no data for 4.0 s"),
        (Signs(True, 0.1, {"book": 31.0, "marks": 0.1}), DEGRADED, "no book for 31 s"),
        # Nobody has to trade every half minute.
        (Signs(True, 0.1, {"book": 0.1, "trades": 600.0, "candles": 600.0}), OK, ""),
        (Signs(True, 0.1, requests=requests(10, errors=5)), DOWN, "5 of 10 requests"),
        (Signs(True, 0.1, requests=requests(10, errors=1)), DEGRADED, "1 of 10 requests failed"),
        (Signs(True, 0.1, requests=requests(100, slow=6)), DEGRADED, "one request in twenty"),
        (Signs(True, 0.1, requests=requests(100, slow=4)), OK, ""),
        (Signs(True, 0.1, requests=requests(2, errors=2)), OK, ""),
    ],
)
def test_signs_call_for_a_state_and_say_why(signs, state, word) -> None:
    found, reasons = judged(signs)
    assert found is state
    assert word in "; ".join(reasons)
    assert bool(reasons) is (state is not OK)


def test_the_first_look_is_believed() -> None:
    assert Watch().look(CUT_OFF, 0.0).state is DOWN
    assert Watch().look(WELL, 0.0).state is OK


def test_a_reconnect_that_takes_a_moment_is_no_outage() -> None:
    watch = Watch()
    watch.look(WELL, 0.0)
    assert watch.look(CUT_OFF, 1.0).state is OK
    assert watch.look(WELL, 2.0).state is OK
    # The next trouble has its own time to last.
    assert watch.look(CUT_OFF, 3.0).state is OK
    verdict = watch.look(CUT_OFF, 5.0)
    assert (verdict.state, verdict.since) == (DOWN, 5.0)
    assert "not connected" in verdict.reasons[0]


def test_a_venue_is_trusted_again_only_after_a_while_of_calm() -> None:
    watch = Watch()
    watch.look(CUT_OFF, 0.0)
    assert watch.look(WELL, 1.0).state is DOWN
    assert watch.look(CUT_OFF, 3.0).state is DOWN
    assert watch.look(WELL, 4.0).state is DOWN
    assert watch.look(WELL, 4.0 + RECOVERS_AFTER).state is OK


def test_trouble_that_grows_does_not_start_its_time_anew() -> None:
    watch = Watch()
    watch.look(WELL, 0.0)
    watch.look(Signs(connected=True, data_age=4.0), 1.0)
    assert watch.look(CUT_OFF, 3.0).state is DOWN


signs = st.sampled_from([WELL, CUT_OFF, Signs(connected=True, data_age=4.0)])


@given(st.lists(st.tuples(signs, st.floats(0.1, 3.0)), min_size=1, max_size=40))
def test_a_state_always_is_one_that_the_signs_have_called_for(looks) -> None:
    watch, at, called_for = Watch(), 0.0, set()
    for seen, seconds in looks:
        at += seconds
        called_for.add(judged(seen)[0])
        assert watch.look(seen, at).state in called_for


@given(st.lists(st.tuples(signs, st.floats(0.1, 3.0)), max_size=20), signs)
def test_signs_that_last_are_always_followed(looks, last) -> None:
    watch, at = Watch(), 0.0
    for seen, seconds in looks:
        at += seconds
        watch.look(seen, at)
    for _ in range(10):
        at += 1.0
        verdict = watch.look(last, at)
    assert verdict.state is judged(last)[0]
