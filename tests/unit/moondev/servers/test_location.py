import os

import pytest

from moondev.servers import location
from moondev.servers.errors import ServiceError
from moondev.servers.users import User, server_user


class Barred(User):
    """A user who can enter nothing and run nothing."""

    def can_enter(self, folder):
        return False

    def can_run(self, program):
        return False


ME = User("me", os.getuid(), os.getgid(), switch=False)
BARRED = Barred("me", os.getuid(), os.getgid(), switch=False)


def test_data_lies_in_the_checkout_when_its_user_can_go_there(tmp_path):
    assert location.data_folder(tmp_path / "state", ME) == tmp_path / "state" / "data"


def test_data_lies_elsewhere_when_not_and_at_the_same_place_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(location, "_ELSEWHERE", tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    folder = location.data_folder(tmp_path / "state", BARRED)
    assert folder.parent == tmp_path / "elsewhere"
    assert folder == location.data_folder(tmp_path / "state", BARRED)
    assert folder != location.data_folder(tmp_path / "other", BARRED)
    assert folder.stat().st_mode & 0o077 == 0


def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(location, "_ELSEWHERE", tmp_path)
    folder = location.data_folder(tmp_path / "state", BARRED)
    folder.rmdir()
    folder.symlink_to(tmp_path / "target")
    (tmp_path / "target").mkdir()
    with pytest.raises(ServiceError, match="is not a folder of ours"):
        location.data_folder(tmp_path / "state", BARRED)


def test_a_program_is_copied_with_its_libraries_only_when_it_must_be(tmp_path):
    root = tmp_path / "site-packages"
    (root / "package" / "bin").mkdir(parents=True)
    (root / "package" / "bin" / "server").write_text("#!/bin/sh\n")
    (root / "package" / "bin" / "server").chmod(0o755)
    (root / "package.libs").mkdir()
    (root / "package.libs" / "lib.so").write_text("x")
    parts = ["package/bin", "package.libs", "absent.libs"]

    in_place = location.reachable_copy(root, parts, "package/bin/server", ME, tmp_path / "copy")
    assert in_place == root / "package" / "bin" / "server"
    assert not (tmp_path / "copy").exists()

    copied = location.reachable_copy(root, parts, "package/bin/server", BARRED, tmp_path / "copy")
    assert copied.is_file()
    assert (copied.parents[2] / "package.libs" / "lib.so").read_text() == "x"


def test_servers_never_run_as_root():
    user = server_user()
    assert user.uid != 0
    assert user.switch == (os.geteuid() == 0)
