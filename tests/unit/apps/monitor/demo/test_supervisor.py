"""The supervisor runs real, small processes: there is nothing to pretend."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apps.monitor.demo import supervisor as module
from apps.monitor.demo.supervisor import ProcessSpec, Supervisor


def python(name, program, **options):
    return ProcessSpec(name, [sys.executable, "-u", "-c", program], **options)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(environment=dict(os.environ, MARK="set"), folder=tmp_path, logs=tmp_path / "logs")
    yield made
    made.stop()


def log_of(tmp_path, name):
    return (tmp_path / "logs" / f"{name}.log").read_text()


def test_children_get_the_environment_and_their_own_log(supervisor, tmp_path):
    supervisor.start([python("a", "import os, time; print(os.environ['MARK']); time.sleep(60)")])
    wait_for(lambda: log_of(tmp_path, "a") == "set\n")


def test_a_child_leads_a_group_of_its_own_so_that_ctrl_c_does_not_reach_it(supervisor):
    supervisor.start([python("a", "import time; time.sleep(60)")])
    assert os.getpgid(supervisor.pids["a"]) == supervisor.pids["a"] != os.getpgid(0)


def test_stop_leaves_nothing_running_not_even_grandchildren(supervisor, tmp_path):
    program = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid); time.sleep(60)"
    )
    supervisor.start([python("a", program), python("b", "import time; time.sleep(60)")])
    wait_for(lambda: log_of(tmp_path, "a").endswith("\n"))
    pids = [*supervisor.pids.values(), int(log_of(tmp_path, "a"))]
    assert all(alive(pid) for pid in pids)
    supervisor.stop()
    wait_for(lambda: not any(alive(pid) for pid in pids))
    assert supervisor.pids == {}
    assert sum(supervisor.crashes.values()) == 0


def test_a_child_that_ignores_the_polite_signal_is_killed(supervisor, tmp_path):
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    supervisor.start([python("a", program, stop_s=0.3)])
    wait_for(lambda: "deaf" in log_of(tmp_path, "a"))
    pid = supervisor.pids["a"]
    supervisor.stop()
    assert not alive(pid)


def test_a_child_gets_the_time_to_finish_its_work(supervisor, tmp_path):
    program = (
        "import signal, sys, time\n"
        "def end(*_): time.sleep(0.5); print('finished'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('ready'); time.sleep(60)"
    )
    supervisor.start([python("a", program)])
    wait_for(lambda: "ready" in log_of(tmp_path, "a"))
    supervisor.stop()
    assert "finished" in log_of(tmp_path, "a")


def test_a_crashed_child_is_reported_and_started_again_with_growing_pauses(supervisor, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.05)
    supervisor.start([python("a", "import sys; sys.exit(3)")])
    news = []

    def crashed_three_times():
        news.extend(supervisor.check())
        return len(news) >= 3

    wait_for(crashed_three_times)
    assert all("a ended with code 3" in sentence for sentence in news)
    assert [sentence.split(" in ")[1].split(",")[0] for sentence in news[:3]] == ["0.1 s", "0.1 s", "0.2 s"]
    assert supervisor.restarts["a"] >= 2
    assert supervisor.crashes["a"] >= 3


def test_a_killed_child_comes_back_and_the_others_do_not_notice(supervisor, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.05)
    supervisor.start([python(name, "import time; time.sleep(60)") for name in ("a", "b")])
    before = supervisor.pids
    os.kill(before["a"], signal.SIGKILL)
    wait_for(lambda: bool(supervisor.check()))
    wait_for(lambda: supervisor.check() == [] and "a" in supervisor.pids)
    assert supervisor.pids["a"] != before["a"]
    assert supervisor.pids["b"] == before["b"]


def test_a_stopped_child_stays_stopped(supervisor):
    supervisor.start([python(name, "import time; time.sleep(60)") for name in ("a", "b")])
    supervisor.stop(["a"])
    time.sleep(0.1)
    assert supervisor.check() == []
    assert set(supervisor.pids) == {"b"}
    assert supervisor.restarts == {"a": 0, "b": 0}


def test_a_name_is_used_once(supervisor):
    supervisor.start([python("a", "pass")])
    with pytest.raises(ValueError, match="process name 'a' is taken"):
        supervisor.start([python("a", "pass")])


def test_what_a_killed_supervisor_left_running_is_ended_by_the_next(tmp_path):
    program = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from apps.monitor.demo.supervisor import ProcessSpec, Supervisor\n"
        "folder = Path(sys.argv[1])\n"
        "made = Supervisor(environment=dict(os.environ), folder=folder, logs=folder)\n"
        "made.start([ProcessSpec('a', [sys.executable, '-c', 'import time; time.sleep(60)'])])\n"
        "print(made.pids['a'], flush=True); time.sleep(60)"
    )
    root = Path(__file__).resolve().parents[5]
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=root) as first:
        left = int(first.stdout.readline())
        first.kill()
    assert alive(left)
    Supervisor(environment={}, folder=tmp_path, logs=tmp_path)
    assert not alive(left)


def test_a_recorded_pid_that_is_somebody_elses_now_is_let_be(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        entry = {"name": "a", "pid": other.pid, "started_ticks": 1, "stop_signal": 15}
        (tmp_path / "pids.json").write_text(json.dumps([entry]))
        Supervisor(environment={}, folder=tmp_path, logs=tmp_path)
        assert other.poll() is None
        other.kill()
