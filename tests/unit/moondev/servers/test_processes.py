import os
import subprocess
import sys
import time

import pytest

from moondev.servers.errors import ServiceError
from moondev.servers.instance import Instance
from moondev.servers.processes import Launch, Process, identify, start, tail, wait_ready
from moondev.servers.users import User

ME = User("me", os.getuid(), os.getgid(), switch=False)


def launch(folder, program, name="server"):
    return Launch(name, [sys.executable, "-u", "-c", program], folder, ME, {"MARK": "given"})


def test_only_the_given_environment_is_passed_on(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_PARENT", "x")
    process = start(launch(tmp_path, "import os; print(sorted(os.environ)); import time; time.sleep(60)"))
    try:
        deadline = time.monotonic() + 10
        while not (tmp_path / "server.log").read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        log = (tmp_path / "server.log").read_text()
        assert "MARK" in log
        assert "SECRET_OF_THE_PARENT" not in log
    finally:
        process.stop()
    assert not process.alive()


def test_a_later_process_with_the_same_pid_is_not_ours(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        ours = identify("a", other.pid)
        assert ours.alive()
        earlier = Process("a", other.pid, ours.started_ticks - 1)
        assert not earlier.alive()
        earlier.stop()
        assert other.poll() is None
        other.kill()


def test_a_zombie_counts_as_gone():
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    deadline = time.monotonic() + 10
    while identify("a", child.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert identify("a", child.pid) is None
    assert os.path.exists(f"/proc/{child.pid}")  # noqa: PTH110  a zombie still has its entry
    child.wait()


def test_a_server_that_ends_while_starting_is_reported_with_its_last_words(tmp_path):
    process = start(launch(tmp_path, "print('no such licence'); raise SystemExit(1)"))
    with pytest.raises(ServiceError, match="no such licence"):
        wait_ready(process, lambda: False, timeout_s=10, log=tmp_path / "server.log")


def test_a_server_that_is_never_ready_is_ended(tmp_path):
    process = start(launch(tmp_path, "import time; time.sleep(60)"))
    with pytest.raises(ServiceError, match=r"server was not ready in 0 s"):
        wait_ready(process, lambda: False, timeout_s=0.2, log=tmp_path / "server.log")
    assert not process.alive()


def test_an_instance_ends_all_its_processes(tmp_path):
    processes = tuple(start(launch(tmp_path, "import time; time.sleep(60)", name)) for name in ("a", "b"))
    Instance("url", processes).stop()
    assert not any(process.alive() for process in processes)


def test_the_tail_of_a_missing_log_says_so(tmp_path):
    assert tail(tmp_path / "none") == f"(no log at {tmp_path / 'none'})"
