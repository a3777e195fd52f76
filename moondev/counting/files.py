"""The two files of one process: a row of doubles that is mapped into memory, and what each place of it means."""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

DOUBLE = 8
NUMBERS, NAMES = ".numbers", ".names"
# Whoever starts a process may name it: supervisor, container.
PROCESS_VARIABLE = "MOONDEV_PROCESS"
# Which of the kernel's words on a process is when it began.
BORN = 19


@dataclass(slots=True)
class NumberFile:
    """Open files of this process. Methods raise OSError when the disk or the folder does not do what is asked."""

    numbers: int
    names: int

    @classmethod
    def made(cls, folder: Path) -> NumberFile:
        """Make the files in `folder` and say in the first line whose they are."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{os.getpid()}-{secrets.token_hex(4)}"
        # Names first: a reader takes numbers without names for nothing at all.
        names = os.open(f"{path}{NAMES}", os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            _write_line(names, {"process": process_label(), "pid": os.getpid(), "born": _born()})
            numbers = os.open(f"{path}.new", os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o640)
        except OSError:
            os.close(names)
            raise
        # Held until the last copy of this descriptor is closed: that is, until the process ends. Only then is it shown:
        # what is not locked is taken for that of a process that has ended.
        fcntl.flock(numbers, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(f"{path}.new", f"{path}{NUMBERS}")  # noqa: PTH104  these are names, of which one is given
        return cls(numbers, names)

    def row(self, places: int) -> memoryview[float]:
        """Return the file's doubles, at least `places` of them; those there were keep their values.

        Space is taken on the disk at once, so that no later write to this memory can find it full.
        """
        os.posix_fallocate(self.numbers, 0, places * DOUBLE)
        return memoryview(mmap.mmap(self.numbers, places * DOUBLE)).cast("d")

    def name(self, key: tuple[str, tuple[str, ...]], width: int) -> None:
        """Say what the next `width` places mean."""
        _write_line(self.names, [key[0], list(key[1]), width])

    def close(self) -> None:
        """Close both files; a row of them that somebody still has keeps its memory, and the lock."""
        os.close(self.numbers)
        os.close(self.names)


def process_label() -> str:
    """Return what this process is: what whoever started it calls it, else the words it was started with."""
    named = os.environ.get(PROCESS_VARIABLE, "")
    path = Path(sys.argv[0])
    program = path.parent.name if path.name == "__main__.py" else path.name
    what = sys.argv[1] if program == "manage.py" and len(sys.argv) > 1 else ""
    return (named or f"{program} {what}".strip())[:60]


def stat_words(pid: int) -> list[str]:
    """Return what the kernel says of a process after its name (man 5 proc); nothing for one that is not there."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return said.rpartition(")")[2].split()


def _born() -> int:
    words = stat_words(os.getpid())
    return int(words[BORN]) if words else 0


def _write_line(file: int, value: object) -> None:
    """Write one line with one call, or raise: a part of a line would spoil those after it."""
    line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
    if os.write(file, line) != len(line):
        raise OSError(f"only a part of {len(line)} bytes could be written")
