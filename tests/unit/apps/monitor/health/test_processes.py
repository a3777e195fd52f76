from datetime import UTC, datetime, timedelta

from apps.monitor.health.processes import process_states
from apps.monitor.health.states import State
from moondev.heartbeat.beat import Beat, beat_decode, beat_encode

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def ago(seconds):
    return NOW - timedelta(seconds=seconds)


def beat(name="dispatcher", pid=1, **said):
    given = {"host": "a", "started": ago(3600), "beaten": ago(2), "turned": ago(3), "code": "c0de"} | said
    return Beat(name=name, pid=pid, **given)


def state_of(*beats, name="dispatcher"):
    (found,) = process_states([name], beats, NOW)
    return found


def test_a_process_is_well_only_when_its_loop_turns():
    well = state_of(beat())
    assert (well.state, well.since, well.detail, well.instances) == (State.OK, ago(3600), "", 1)
    assert state_of(beat(beaten=ago(20))).state is State.OK

    silent = state_of(beat(beaten=ago(21), turned=ago(21)))
    assert (silent.state, silent.since, silent.detail) == (State.DOWN, ago(21), "a:1: silent for 21 s")
    # The thread that carries the beat lives on; the loop does not.
    wedged = state_of(beat(turned=ago(43)))
    assert (wedged.state, wedged.since) == (State.DOWN, ago(43))
    assert wedged.detail == "a:1: alive, but its loop has stood still for 43 s"
    idle = state_of(beat(turned=None))
    assert (idle.state, idle.detail) == (State.DOWN, "a:1: alive for 60 min, and has done nothing yet")
    assert state_of(beat(turned=None, started=ago(5))).state is State.UNKNOWN


def test_a_process_nobody_heard_of_is_unknown_and_one_that_ended_is_down():
    assert (state_of().state, state_of().since) == (State.UNKNOWN, None)
    ended = state_of(beat(ended=ago(100), beaten=ago(100)))
    assert (ended.state, ended.since, ended.instances) == (State.DOWN, ago(100), 0)


def test_while_everything_starts_nobody_is_missed_yet():
    def states(started):
        return process_states(["dispatcher", "web"], [beat("web", started=started)], NOW)

    starting, web = states(ago(60))
    assert (starting.state, starting.since, starting.detail) == (State.UNKNOWN, ago(60), "starting, as everything is")
    assert web.state is State.OK
    missing, _ = states(ago(61))
    assert (missing.state, missing.since, missing.detail) == (State.UNKNOWN, None, "nothing was ever heard of it")
    # What ended long ago is no beginning, and no witness either.
    over = beat("web", started=ago(50), ended=ago(40), beaten=ago(40))
    assert process_states(["dispatcher"], [over], NOW)[0].since is None


def test_a_worker_whose_loop_turns_while_its_pool_is_stuck_is_not_well():
    busy = beat("orders-hyperliquid", slots=2, busy=(59.0, 3.0))
    assert state_of(busy, name="orders-hyperliquid").state is State.OK
    half = state_of(beat("orders-hyperliquid", slots=2, busy=(61.0, 3.0)), name="orders-hyperliquid")
    assert (half.state, half.detail) == (State.DEGRADED, "a:1: 1 of 2 slots stuck, the longest for 61 s")
    whole = state_of(beat("orders-hyperliquid", slots=2, busy=(90.0, 61.0)), name="orders-hyperliquid")
    assert (whole.state, whole.instances, whole.since) == (State.DOWN, 0, ago(92))
    # Research computes for minutes at a time.
    assert state_of(beat("research", slots=1, busy=(299.0,)), name="research").state is State.OK


def test_of_several_instances_one_that_is_gone_is_told_until_another_takes_its_place():
    here, gone = beat("web"), beat("web", 2, host="b", beaten=ago(60), turned=ago(60))
    both = state_of(here, gone, name="web")
    assert (both.state, both.instances, both.detail) == (State.DEGRADED, 1, "b:2: silent for 60 s")
    back = beat("web", 3, host="b", started=ago(30))
    assert state_of(here, gone, back, name="web").state is State.OK
    assert state_of(here, gone, back, name="web").instances == 2
    # It went of its own accord, or so long ago that nobody waits for it any more.
    assert state_of(here, beat("web", 2, beaten=ago(60), ended=ago(60)), name="web").state is State.OK
    assert state_of(here, beat("web", 2, host="b", beaten=ago(7200)), name="web").state is State.OK
    assert state_of(beat("web", beaten=ago(99)), gone, name="web").state is State.DOWN


def test_processes_that_nobody_expected_are_shown_while_they_live_and_other_code_is_named():
    found = process_states(["beat"], [beat("beat"), beat("extra", code="0ld", started=ago(9999)),
                                      beat("left", ended=ago(50))], NOW)  # fmt: skip
    assert [(c.component, c.state) for c in found] == [("beat", State.OK), ("extra", State.OK)]
    assert found[1].detail == "a:1: runs other code than the process started last"


def test_a_beat_survives_being_written_down():
    told = beat(busy=(3.5,), slots=2, ended=NOW)
    assert beat_decode(beat_encode(told)) == told
