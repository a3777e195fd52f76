import os
from datetime import timedelta

from apps.monitor.health.local import lives, look_at_local
from apps.monitor.health.states import State
from moondev.domain.clock import LiveClock
from moondev.heartbeat.beat import Beat
from moondev.heartbeat.local import LocalBeats

NOW = LiveClock().now()


def beat(pid, **said):
    given = {"name": "ticks", "host": "a", "started": NOW, "beaten": NOW, "turned": NOW} | said
    return Beat(pid=pid, **given)


def test_a_machine_knows_of_its_own_processes_without_asking_a_server(tmp_path):
    kept = LocalBeats(tmp_path / "beats")
    assert look_at_local("ticks", tmp_path / "beats", NOW).state is State.DOWN
    kept.write(beat(os.getpid()))
    assert look_at_local("ticks", tmp_path / "beats", NOW).state is State.OK
    later = look_at_local("ticks", tmp_path / "beats", NOW + timedelta(minutes=1))
    assert (later.state, lives(later)) == (State.DOWN, False)
    # One that is starting is left alone.
    kept.write(beat(os.getpid(), turned=None))
    assert lives(look_at_local("ticks", tmp_path / "beats", NOW))
    kept.write(beat(os.getpid(), ended=NOW))
    assert list((tmp_path / "beats").iterdir()) == []


def test_what_a_killed_process_left_is_cleared_by_the_next_of_its_name(tmp_path):
    kept = LocalBeats(tmp_path)
    nobody = 2**22 + 1  # beyond what the kernel gives out
    kept.write(beat(nobody))
    kept.write(beat(nobody, name="orders-binance"))
    (tmp_path / "ticks.7.beat").write_bytes(b"half of a")
    kept.forget_others(beat(os.getpid()))
    assert [found.pid for found in kept.read("ticks")] == []
    assert len(kept.read("orders-binance")) == 1
