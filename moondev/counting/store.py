"""The numbers of one process: doubles in a file that another process reads while this one writes.

A series takes some places in one long row of doubles. The row is memory shared with a file (``<name>.numbers``); which
place means what is said, a line each, in ``<name>.names``. So counting is an addition in memory: no system call, no
thread, and nothing is lost when the process is killed.

Counting never fails. The file's space is taken before it is mapped, because writing through a mapping to a full disk
would end the process (SIGBUS). A folder that cannot be written, or a disk that is full, is said once in the log, and
the process counts on, unseen. A lock on the file tells readers that its process lives: it works across containers,
where process numbers do not, and no other process can be mistaken for it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from django.conf import settings

from moondev.counting.files import NumberFile

logger = logging.getLogger(__name__)

DOUBLE = 8
# Places at first; a row that is full becomes twice as long.
FIRST_PLACES = 1 << 12
# No process counts more than this many: labels are few by design, and a mistake must not eat the machine.
MOST_PLACES = 1 << 18
Key = tuple[str, tuple[str, ...]]


class Store:
    """Numbers by series. Thread-safe; a forked process makes one of its own."""

    def __init__(self, folder: Path | None) -> None:
        """Count into files in `folder`; None counts in memory only."""
        self._lock = Lock()
        self._places: dict[Key, int] = {}
        self._taken = 0
        self._complained = False
        self._file: NumberFile | None = None
        self._row = _memory(FIRST_PLACES)
        if folder is not None:
            try:
                self._file = NumberFile.made(folder)
                self._row = self._file.row(FIRST_PLACES)
            except OSError as error:
                self._go_on_unseen(error)

    def add(self, key: Key, width: int, amounts: Iterable[tuple[int, float]]) -> None:
        """Add amounts at offsets of a series, which gets `width` places when it is new."""
        with self._lock:
            place = self._places.get(key)
            if place is None:
                place = self._make_place(key, width)
                if place is None:
                    return
            row = self._row
            for offset, amount in amounts:
                row[place + offset] += amount

    def put(self, key: Key, value: float) -> None:
        """Set a series of one place."""
        with self._lock:
            place = self._places.get(key)
            if place is None:
                place = self._make_place(key, 1)
                if place is None:
                    return
            self._row[place] = value

    def read(self, key: Key, width: int) -> list[float]:
        """Return the numbers of a series; zeros for one that nobody has counted."""
        with self._lock:
            place = self._places.get(key)
            return [0.0] * width if place is None else list(self._row[place : place + width])

    def let_go(self) -> None:
        """Close the file, without a word to whoever else has it open, and count in memory."""
        if self._file is not None:
            # What is mapped holds the file open, too.
            self._row = _copied(self._row, len(self._row))
            self._file.close()
            self._file = None

    def _make_place(self, key: Key, width: int) -> int | None:
        """Return where a new series is; None when there is no room for one more."""
        if self._taken + width > MOST_PLACES:
            self._complain(f"{key} is not counted: there are {self._taken} numbers already")
            return None
        place = self._taken
        try:
            if place + width > len(self._row):
                self._grow(2 * len(self._row))
            if self._file is not None:
                self._file.name(key, width)
        except OSError as error:
            self._go_on_unseen(error)
        self._taken += width
        self._places[key] = place
        return place

    def _grow(self, places: int) -> None:
        if self._file is not None:
            self._row = self._file.row(places)
        else:
            self._row = _copied(self._row, places)

    def _go_on_unseen(self, error: OSError) -> None:
        """Count in memory from here on: what was written so far stays, for readers, as that of a process that ended."""
        self._complain(f"metrics of this process cannot be seen from here on: {error}")
        if self._file is not None:
            self._row = _copied(self._row, 2 * len(self._row))
            self._file.close()
            self._file = None

    def _complain(self, words: str) -> None:
        if not self._complained:
            self._complained = True
            logger.error(words)


class _Own:
    """This process's store, made when it is first asked for, once however many threads ask."""

    def __init__(self) -> None:
        self._making = Lock()
        self._store: Store | None = None

    def store(self) -> Store:
        if self._store is None:
            with self._making:
                if self._store is None:
                    self._store = Store(settings.MOONDEV_METRICS_DIR)
        return self._store

    def forget(self) -> None:
        """Count for oneself, from zero: what a forked process has inherited is its parent's, its held locks too."""
        if self._store is not None:
            self._store.let_go()
        self._store, self._making = None, Lock()


_OWN = _Own()
os.register_at_fork(after_in_child=_OWN.forget)


def process_store() -> Store:
    """Return this process's numbers, in MOONDEV_METRICS_DIR."""
    return _OWN.store()


def process_store_forget() -> None:
    """Leave the numbers to readers, and begin anew with the next."""
    _OWN.forget()


def _memory(places: int) -> memoryview[float]:
    return memoryview(bytearray(places * DOUBLE)).cast("d")


def _copied(row: memoryview[float], places: int) -> memoryview[float]:
    longer = _memory(max(places, len(row)))
    longer[: len(row)] = row
    return longer
