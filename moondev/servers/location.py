"""Decide where the servers' data lies: inside the checkout, unless their user cannot go there."""

import hashlib
import shutil
from pathlib import Path

from moondev.servers.users import User

_ELSEWHERE = Path("/var/tmp")  # noqa: S108  the folder made there is named after the checkout and 0700


def data_folder(state_folder: Path, user: User) -> Path:
    """Return a folder that ``user`` can enter for the data of servers.

    It is ``state_folder/data``; for a checkout in a place such as /root, which an unprivileged user cannot enter, a
    folder of /var/tmp named after the checkout.
    """
    state_folder.mkdir(parents=True, exist_ok=True)
    if user.can_enter(state_folder):
        return user.make_folder(state_folder / "data")
    name = hashlib.sha256(str(state_folder.resolve()).encode()).hexdigest()[:12]
    return user.make_folder(_ELSEWHERE / f"moondev-{user.name}-{name}")


def fresh(folder: Path) -> Path:
    """Return ``folder`` with nothing in its place: what an ended server left behind is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def remove_if_empty(folder: Path) -> None:
    """Remove a data folder that no server uses any more."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def reachable_copy(source: Path, program: str, user: User, folder: Path) -> Path:
    """Return ``source/program`` where ``user`` may run it, copying the whole tree ``source`` when it must.

    A virtual environment under /root cannot be entered by the user PostgreSQL has to run as.
    """
    if user.can_run(source / program):
        return source / program
    copy = folder / source.name
    if not (copy / program).exists():
        shutil.copytree(source, copy, symlinks=True, dirs_exist_ok=True)
        copy.chmod(0o755)
    return copy / program
