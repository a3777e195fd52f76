"""Remember what was started, so that a later run finds it, reuses it, or ends it."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from moondev.servers.errors import ServiceError
from moondev.servers.instance import Instance
from moondev.servers.processes import Process

_LOCK_POLL_S = 0.1


@contextmanager
def locked(folder: Path, *, timeout_s: float = 300.0) -> Iterator[None]:
    """Hold a folder against every other run; the kernel frees the lock when the holder dies.

    Raises:
        ServiceError: another run held it for all of ``timeout_s`` seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        deadline = time.monotonic() + timeout_s
        while not _try_lock(lock):
            if time.monotonic() > deadline:
                raise ServiceError(f"another run of this checkout holds {folder}: end it, or wait for it")
            time.sleep(_LOCK_POLL_S)
        yield


def _try_lock(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def load(folder: Path) -> dict[str, Instance]:
    """Return the instances written down, running or not, by name."""
    path = folder / "state.json"
    if not path.is_file():
        return {}
    return {
        name: Instance(entry["url"], tuple(Process(**process) for process in entry["processes"]))
        for name, entry in json.loads(path.read_text(encoding="utf-8")).items()
    }


def save(folder: Path, instances: Mapping[str, Instance]) -> None:
    """Write the instances down; readable by the owner only, because URLs carry passwords."""
    entries = {
        name: {"url": instance.url, "processes": [process.as_json() for process in instance.processes]}
        for name, instance in instances.items()
    }
    write_private(folder / "state.json", json.dumps(entries, indent=1))


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by the owner only."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
