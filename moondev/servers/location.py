"""Decide where the servers' data lies: inside the checkout, unless their user cannot go there."""

import hashlib
import shutil
from collections.abc import Sequence
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


def reachable_copy(root: Path, parts: Sequence[str], program: str, user: User, folder: Path) -> Path:
    """Return ``root/program`` where ``user`` may run it, copying ``parts`` of ``root`` to ``folder`` when it must.

    A virtual environment under /root cannot be entered by the user PostgreSQL has to run as. The parts keep their
    places relative to each other: a wheel's programs find their libraries that way.
    """
    if user.can_run(root / program):
        return root / program
    for part in parts:
        if (root / part).is_dir():
            shutil.copytree(root / part, folder / part, symlinks=True, dirs_exist_ok=True)
    for made in (folder, *folder.rglob("*")):
        if made.is_dir() and not made.is_symlink():
            made.chmod(0o755)
    return folder / program
