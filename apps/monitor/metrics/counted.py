"""What the processes of this machine have counted, added up: those that live, and those that have ended.

The numbers of a process that has ended are added to one file (`ended.json`) and its own are removed, so that a counter
never falls and the folder never fills, however often a pool replaces its processes.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np

from apps.monitor.metrics.process_file import Key, Numbers, ProcessFile
from apps.monitor.metrics.sources.machine import Living
from moondev.counting.files import NAMES, NUMBERS
from moondev.counting.measures import Gauge, Measure
from moondev.counting.table import MEASURES

logger = logging.getLogger(__name__)

ENDED, LOCK = "ended.json", ".lock"
OURS: Mapping[str, Measure] = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True, slots=True)
class Ended:
    """What processes had counted that have ended; `names` are of those whose own files may still be there."""

    names: frozenset[str] = frozenset()
    series: Mapping[Key, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counted:
    """Numbers by measure and label values, and who counts."""

    series: Mapping[Key, list[float]] = field(default_factory=dict)
    living: tuple[Living, ...] = ()


class CountedFolder:
    """Reads one folder again and again; what the names in it mean is read once. Thread-safe."""

    def __init__(self, path: Path | None) -> None:
        """Read `path`; it need not be there yet, and None is nowhere."""
        self._path = path or Path("/nonexistent")
        self._lock = Lock()
        self._files: dict[str, ProcessFile] = {}
        self._ended, self._ended_version = Ended(), (0, 0)

    def read(self) -> Counted:
        """Return what was counted up to now. Raises OSError when the folder cannot be read."""
        if not self._path.is_dir():
            return Counted()
        with self._lock, _locked(self._path, fcntl.LOCK_SH):
            return self._read()

    def fold(self) -> int:
        """Put away what processes that have ended have counted; return how many. Raises OSError."""
        if not self._path.is_dir():
            return 0
        with self._lock, _locked(self._path, fcntl.LOCK_EX):
            self._look()
            ended = [file for file in self._files.values() if not file.lives()]
            if ended:
                self._put_away(ended)
            return len(ended)

    def _read(self) -> Counted:
        self._look()
        ended = self._read_ended()
        sums = Sums(ended.series)
        living = []
        for file in self._files.values():
            if file.name in ended.names:
                continue
            lives = file.lives()
            if lives:
                living.append(file.whose)
            sums.add(file.series(), gauges=lives)
        return Counted(sums.series(), tuple(living))

    def _look(self) -> None:
        """Open files that are new, forget those that are gone."""
        there = {entry.name.removesuffix(NUMBERS) for entry in os.scandir(self._path) if entry.name.endswith(NUMBERS)}
        for name in self._files.keys() - there:
            self._files.pop(name).close()
        for name in there - self._files.keys():
            try:
                self._files[name] = ProcessFile(self._path / name)
            except (OSError, ValueError) as error:
                logger.warning("%s: the numbers of a process cannot be read: %s", name, error)

    def _read_ended(self) -> Ended:
        """Return the numbers of processes that have ended; read again only when they were written again."""
        try:
            state = (self._path / ENDED).stat()
        except FileNotFoundError:
            return Ended()
        version = (state.st_mtime_ns, state.st_ino)
        if self._ended_version != version:
            self._ended, self._ended_version = _ended_in(self._path / ENDED), version
        return self._ended

    def _put_away(self, ended: list[ProcessFile]) -> None:
        before = self._read_ended()
        sums = Sums(before.series)
        for file in ended:
            # One that is named there was added by somebody who was stopped before he could remove it.
            if file.name not in before.names:
                sums.add(file.series(), gauges=False)
        series = [[*key, numbers] for key, numbers in sums.series().items()]
        fresh = self._path / f"{ENDED}.new"
        fresh.write_text(json.dumps({"names": [file.name for file in ended], "series": series}), encoding="utf-8")
        fresh.replace(self._path / ENDED)
        for file in ended:
            self._files.pop(file.name).close()
            for suffix in (NUMBERS, NAMES):
                (self._path / f"{file.name}{suffix}").unlink(missing_ok=True)


class Sums:
    """Numbers of several processes on their way to be added up."""

    def __init__(self, before: Mapping[Key, list[float]]) -> None:
        """Begin with what was there before."""
        self._sums: dict[Key, Numbers] = {
            key: np.array(numbers) for key, numbers in before.items() if _measure_of(key, len(numbers)) is not None
        }

    def add(self, series: Iterable[tuple[Key, Numbers]], *, gauges: bool) -> None:
        """Add one process's numbers; its gauges only where they say what is now."""
        for key, numbers in series:
            measure = _measure_of(key, len(numbers))
            if measure is None or (isinstance(measure, Gauge) and not gauges):
                continue
            there = self._sums.get(key)
            if there is None:
                self._sums[key] = numbers
            elif isinstance(measure, Gauge) and measure.over == "max":
                self._sums[key] = np.maximum(there, numbers)
            else:
                self._sums[key] = there + numbers

    def series(self) -> dict[Key, list[float]]:
        """Return the sums."""
        return {key: numbers.tolist() for key, numbers in self._sums.items()}


def _measure_of(key: Key, width: int) -> Measure | None:
    """Return what was counted; None when another version of the platform did, which had no such measure or another."""
    measure = OURS.get(key[0])
    if measure is None or measure.width != width or len(measure.labels) != len(key[1]):
        return None
    return measure


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """Keep who reads and who puts away apart, of whatever process they are."""
    lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(lock, how)
        yield
    finally:
        os.close(lock)


def _ended_in(path: Path) -> Ended:
    """Return what stands in the file of those that have ended; one that cannot be read begins anew."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        series = {(name, tuple(labels)): numbers for name, labels, numbers in said["series"]}
        return Ended(frozenset(said["names"]), series)
    except (ValueError, LookupError, TypeError) as error:
        logger.warning("%s cannot be read and begins anew: %s", path, error)
        return Ended()
