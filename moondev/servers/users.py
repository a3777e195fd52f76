"""Decide as whom servers run: PostgreSQL refuses root."""

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moondev.servers.errors import ServiceError

# The first that exists; Debian's PostgreSQL package creates "postgres", "nobody" is everywhere.
_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class User:
    """The user servers run as. ``switch`` is whether we are root and must become that user."""

    name: str
    uid: int
    gid: int
    switch: bool

    def popen_arguments(self) -> dict[str, Any]:
        """Return the arguments that make ``subprocess`` run something as this user."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Hand a file or folder to this user."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def make_folder(self, path: Path) -> Path:
        """Create a folder that only this user may enter.

        Raises:
            ServiceError: a link or somebody else's folder is in its place; root must not be led astray by it.
        """
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {self.uid, os.geteuid()}:
            raise ServiceError(f"{path} exists and is not a folder of ours: remove it")
        self.own(path)
        return path

    def can_run(self, program: Path) -> bool:
        """Return whether this user may execute a program where it lies."""
        return self._test("-x", program)

    def can_enter(self, folder: Path) -> bool:
        """Return whether this user may enter a folder, all its parents included."""
        return self._test("-x", folder)

    def _test(self, what: str, path: Path) -> bool:
        test = shutil.which("test") or "/usr/bin/test"
        done = subprocess.run([test, what, str(path)], check=False, cwd="/", **self.popen_arguments())
        return done.returncode == 0


def server_user() -> User:
    """Return ourselves, or an unprivileged user when we are root.

    Raises:
        ServiceError: we are root and the system has no unprivileged user we know.
    """
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return User(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=False)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)
    raise ServiceError(f"PostgreSQL refuses to run as root and none of the users {_UNPRIVILEGED} exists: create one")
