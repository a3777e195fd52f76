"""Reads the folder of the user's own strategies, whatever lies in it, without ever waiting for it or believing it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 256_000
MOST_FILES = 2_000
DEEPEST = 6

Mark = tuple[str, int, int, int]


class FolderGone(Exception):
    """The folder itself cannot be read: unmounted, removed, or not ours to read."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the folder looked like, without its files having been opened: equal looks mean equal contents.

    `place` is the folder's own device and inode: an unmounted folder is another, empty one under the same name.
    """

    place: tuple[int, int]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """The folder's Python files by path from the folder: their text, or why there is none."""

    texts: Mapping[str, str]
    problems: Mapping[str, str]

    @property
    def candidates(self) -> tuple[str, ...]:
        """Return the files that may be strategies: those of the top, but for tests and what begins with ``_``."""
        top = [path for path in (*self.texts, *self.problems) if "/" not in path]
        return tuple(sorted(path for path in top if not path.startswith(("_", "test_")) and path != "conftest.py"))


def look(folder: Path) -> Look:
    """Return what the folder looks like. Raises FolderGone."""
    try:
        own = folder.stat()
    except OSError as error:
        raise FolderGone(f"{folder}: {error.strerror}") from error
    marks = []
    for path, file in _files(folder):
        try:
            found = file.stat()
            marks.append((path, found.st_mtime_ns, found.st_size, found.st_ino))
        except OSError as error:
            marks.append((path, 0, 0, -(error.errno or 0)))
    return Look((own.st_dev, own.st_ino), tuple(sorted(marks)))


def read(folder: Path) -> Contents:
    """Return the text of every Python file. Raises FolderGone."""
    texts: dict[str, str] = {}
    problems: dict[str, str] = {}
    for path, file in _files(folder):
        try:
            texts[path] = _text(file)
        except FileNotFoundError:
            continue  # it went while we looked
        except (OSError, ValueError) as error:
            problems[path] = getattr(error, "strerror", None) or str(error)
    return Contents(texts, problems)


def _text(file: Path) -> str:
    """Return what a file says. Raises OSError, and ValueError with what is wrong with it."""
    # What is no plain file (a pipe, say) would keep us waiting; looked at after opening, it cannot be exchanged.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("is no plain file")
        raw = opened.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise ValueError(f"is longer than {MOST_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8: byte {error.start} is {raw[error.start]:#04x}") from error


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the Python files of a folder and of those below it, each folder once however it is linked."""
    seen: set[tuple[int, int]] = set()
    left = MOST_FILES
    waiting = [(folder, 0)]
    while waiting:
        here, depth = waiting.pop()
        try:
            own = here.stat()
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            if here == folder:
                raise FolderGone(f"{folder}: {error.strerror or errno.errorcode.get(error.errno or 0)}") from error
            continue
        if (own.st_dev, own.st_ino) in seen:
            continue
        seen.add((own.st_dev, own.st_ino))
        for entry in entries:
            stem = entry.name.removesuffix(".py")
            if not stem.isidentifier() or stem == "__pycache__":
                continue
            path = Path(entry.path)
            if stem != entry.name:
                left -= 1
                if left < 0:
                    return
                yield path.relative_to(folder).as_posix(), path
            elif depth < DEEPEST and path.is_dir():
                waiting.append((path, depth + 1))
