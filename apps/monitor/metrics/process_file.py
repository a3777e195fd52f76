"""The numbers of one process as another reads them."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from apps.monitor.metrics.sources.machine import Living
from moondev.counting.files import DOUBLE, NAMES, NUMBERS

Key = tuple[str, tuple[str, ...]]
Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]


class ProcessFile:
    """One process's two files, kept open; names are read as they are added."""

    def __init__(self, path: Path) -> None:
        """Open the files of which `path` is the common name. Raises OSError and ValueError when they cannot be read."""
        self.name = path.name
        self._numbers = os.open(f"{path}{NUMBERS}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._names = os.open(f"{path}{NAMES}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            os.close(self._numbers)
            raise
        self._read_to = 0
        self._waiting: list[list[Any]] = []
        self._keys: list[tuple[Key, int, int]] = []
        self._places = 0
        try:
            first, *self._waiting = [json.loads(line) for line in self._new_lines()]
            self.whose = Living(str(first["process"]), int(first["pid"]), int(first.get("born", 0)))
        except (ValueError, LookupError, TypeError) as error:
            self.close()
            raise ValueError(f"its first line says nothing: {error}") from error

    def lives(self) -> bool:
        """Return whether the process that counts here is there: it holds a lock that nobody can take from it."""
        try:
            fcntl.flock(self._numbers, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._numbers, fcntl.LOCK_UN)
        return False

    def series(self) -> Iterator[tuple[Key, Numbers]]:
        """Yield every series with its numbers as they are now."""
        self._waiting += [json.loads(line) for line in self._new_lines()]
        for name, labels, width in self._waiting:
            self._keys.append(((name, tuple(labels)), self._places, width))
            self._places += width
        self._waiting = []
        raw = os.pread(self._numbers, self._places * DOUBLE, 0)
        row = np.frombuffer(raw[: len(raw) // DOUBLE * DOUBLE])
        for key, place, width in self._keys:
            yield key, row[place : place + width]

    def close(self) -> None:
        """Close the files."""
        os.close(self._numbers)
        os.close(self._names)

    def _new_lines(self) -> list[bytes]:
        """Return the whole lines that were added since they were last read."""
        size = os.fstat(self._names).st_size
        if size <= self._read_to:
            return []
        text = os.pread(self._names, size - self._read_to, self._read_to)
        whole = text[: text.rfind(b"\n") + 1]
        self._read_to += len(whole)
        return whole.splitlines()
