import stat

import pytest

from moondev.servers import state
from moondev.servers.errors import ServiceError
from moondev.servers.instance import Instance
from moondev.servers.processes import Process


def test_what_is_saved_is_loaded(tmp_path):
    instances = {"redis": Instance("redis://:secret@x", (Process("redis", 1, 2, 15), Process("b", 3, 4, 2)))}
    state.save(tmp_path, instances)
    assert state.load(tmp_path) == instances


def test_nothing_written_down_is_nothing_started(tmp_path):
    assert state.load(tmp_path) == {}


def test_files_with_passwords_are_for_the_owner_only_even_when_they_were_not(tmp_path):
    path = tmp_path / "env"
    path.write_text("old")
    path.chmod(0o644)
    state.write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["env"]


def test_a_second_run_waits_and_then_says_who_is_in_the_way(tmp_path):
    with (
        state.locked(tmp_path),
        pytest.raises(ServiceError, match="another run of this checkout holds"),
        state.locked(tmp_path, timeout_s=0.2),
    ):
        pass
    with state.locked(tmp_path, timeout_s=0.2):
        pass
