"""The Parquet lake: venue=…/kind=…/symbol=…/date=…/part-000001.parquet, readable by any tool that knows Hive folders.

A folder holds a day of trades, books, marks or short bars, a month of bars of 15 minutes and more and of funding, a
year of daily bars: files of one row each would help nobody. A file appears whole or not at all: written beside its
place under a hidden name, flushed to the disk, renamed. Parts of one date are numbered; where two tell of the same
row, the higher number holds. A lock on the series' folder keeps writers and compaction apart and goes with the process
that held it, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings
from numpy.typing import NDArray

from apps.exchanges.market_data.history.coverage import Spans, read_spans, write_spans
from apps.exchanges.market_data.history.series import (
    Kind,
    SeriesKey,
    conform,
    empty,
    interval_of,
    interval_text,
    stamps,
    tidy,
)
from apps.exchanges.market_data.history.sound import require_sound
from apps.exchanges.market_data.history.store import Extent
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.errors import InvalidValue

COVERED = "covered.json"
MONTHLY_FROM_SECONDS, YEARLY_FROM_SECONDS = 900, 86_400
COMPRESSION = "zstd"
ROWS_PER_GROUP = 262_144
_DAILY = frozenset({Kind.TRADES, Kind.BOOKS, Kind.MARKS})
_PART = re.compile(r"part-(\d{6})\.parquet")
_FOLDER = re.compile(r"venue=([^/]+)/kind=([^/]+)/symbol=([^/]+)")


@dataclass(frozen=True, slots=True)
class Compaction:
    """What compacting a series did: dates touched, files before and after."""

    dates: int
    files_before: int
    files_after: int


class Lake:
    """One folder of Parquet files. Any number of processes may read and write it at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, key: SeriesKey, rows: pa.Table) -> int:
        """Add rows, one new file per day; return how many. Raises InvalidValue for rows that cannot have happened."""
        table = tidy(key.kind, rows)
        require_sound(key, table)
        if not len(table):
            return 0
        dates = _dates(key, stamps(table))
        edges = np.flatnonzero(dates[1:] != dates[:-1]) + 1
        bounds = [0, *edges.tolist(), len(table)]
        with self._locked(key):
            for first, end in pairwise(bounds):
                _add_part(self._date_folder(key, dates[first]), table.slice(first, end - first))
        return len(table)

    def read(self, key: SeriesKey, start: datetime, end: datetime) -> pa.Table:
        """Return the rows stamped in [start, end), oldest first, each once.

        Raises InvalidValue that names a file which is not what it should be.
        """
        first, last = milliseconds(start), milliseconds(end)
        if not self._folder(key).is_dir():
            return empty(key.kind)
        # Not while compaction takes files away that we have just seen.
        with self._locked(key, fcntl.LOCK_SH):
            low, high = _dates(key, np.array([first, last]))
            parts = [path for day in self.dates(key) if low <= day <= high for path in self._parts_of(key, day)]
            tables = [_read_part(key.kind, path) for path in parts]
        table = tidy(key.kind, pa.concat_tables([empty(key.kind), *tables]))
        return table.filter(pc.and_(pc.greater_equal(table["ts"], first), pc.less(table["ts"], last)))

    def dates(self, key: SeriesKey) -> list[np.datetime64]:
        """Return the days, months or years of which something is stored, oldest first."""
        names = (folder.name.removeprefix("date=") for folder in self._folder(key).glob("date=*") if _parts(folder))
        return sorted(np.datetime64(name) for name in names)

    def series(self) -> list[SeriesKey]:
        """Return the series there are, by name."""
        folders = (path.relative_to(self.root).as_posix() for path in self.root.glob("venue=*/kind=*/symbol=*"))
        found = [_key(*match.groups()) for folder in folders if (match := _FOLDER.fullmatch(folder))]
        return sorted(found, key=str)

    def extent(self, key: SeriesKey) -> Extent | None:
        """Return first and last stamp, rows (a row in two parts counts twice) and bytes; None when nothing is there.

        Only the files' footers are read.
        """
        parts = [path for day in self.dates(key) for path in self._parts_of(key, day)]
        footers = [_footer(path) for path in parts]
        if not footers:
            return None
        size = sum(path.stat().st_size for path in parts)
        first, last = min(footer[0] for footer in footers), max(footer[1] for footer in footers)
        return Extent(key, first, last, sum(footer[2] for footer in footers), size)

    def stamps(self, key: SeriesKey) -> NDArray[np.int64]:
        """Return every stamp of a series, sorted; nothing else is read of its files."""
        parts = [path for day in self.dates(key) for path in self._parts_of(key, day)]
        columns = [_read_stamps(path) for path in parts]
        return np.sort(np.concatenate([np.empty(0, np.int64), *columns]))

    def last(self, key: SeriesKey) -> datetime | None:
        """Return the newest stamp of a series; None when nothing is stored of it."""
        days = self.dates(key)
        ends = [_footer(path)[1] for path in self._parts_of(key, days[-1])] if days else []
        return from_milliseconds(max(ends)) if ends else None

    def compact(self, key: SeriesKey) -> Compaction:
        """Make one file of each date that has several, and clear away what a killed writer left behind."""
        days = self.dates(key)
        before = sum(len(self._parts_of(key, day)) for day in days)
        touched = sum(self.join(key, day) for day in days)
        with self._locked(key):
            # We hold the lock, so nobody is writing these.
            for leftover in self._folder(key).glob("date=*/.part-*.tmp"):
                leftover.unlink()
        return Compaction(touched, before, sum(len(self._parts_of(key, day)) for day in days))

    def join(self, key: SeriesKey, day: np.datetime64) -> bool:
        """Make one file of a date's several; return whether there was anything to do."""
        folder = self._date_folder(key, day)
        with self._locked(key):
            parts = _parts(folder)
            if len(parts) < 2:
                return False
            _add_part(folder, tidy(key.kind, pa.concat_tables([_read_part(key.kind, part) for part in parts])))
            # Killed before this is done, the old parts only repeat what the new one says.
            for part in parts:
                part.unlink()
        return True

    def fragmented(self, key: SeriesKey, now: datetime, many: int) -> list[np.datetime64]:
        """Return the dates of several files that are over, and those that have `many` already."""
        today = np.datetime64(milliseconds(now), "ms")
        counts = {day: len(self._parts_of(key, day)) for day in self.dates(key)}
        over = {day for day in counts if (day + 1).astype("datetime64[ms]") <= today}
        return [day for day, count in counts.items() if count >= many or (count > 1 and day in over)]

    def covered(self, key: SeriesKey) -> Spans:
        """Return the spans that were asked of the venue to their end, whether or not anything had happened in them."""
        return read_spans(self._folder(key) / COVERED)

    def cover(self, key: SeriesKey, start: datetime, end: datetime) -> None:
        """Write down that all of [start, end) was asked for and is stored."""
        with self._locked(key):
            spans = self.covered(key).with_span(milliseconds(start), milliseconds(end))
            write_spans(self._folder(key) / COVERED, spans)

    def drop_before(self, key: SeriesKey, moment: datetime) -> int:
        """Delete the dates that end before `moment`; return how many."""
        limit = np.datetime64(milliseconds(moment), "ms")
        with self._locked(key):
            old = [stored for stored in self.dates(key) if (stored + 1).astype("datetime64[ms]") <= limit]
            for stored in old:
                folder = self._date_folder(key, stored)
                for path in folder.iterdir():
                    path.unlink()
                folder.rmdir()
            if old:
                write_spans(self._folder(key) / COVERED, self.covered(key).after(milliseconds(moment)))
        return len(old)

    def _folder(self, key: SeriesKey) -> Path:
        kind = key.kind.value if key.interval is None else f"{key.kind}_{interval_text(key.interval)}"
        return self.root / f"venue={key.venue}" / f"kind={kind}" / f"symbol={quote(key.symbol, safe='')}"

    def _date_folder(self, key: SeriesKey, day: np.datetime64) -> Path:
        return self._folder(key) / f"date={day}"

    def _parts_of(self, key: SeriesKey, day: np.datetime64) -> Sequence[Path]:
        return _parts(self._date_folder(key, day))

    @contextmanager
    def _locked(self, key: SeriesKey, operation: int = fcntl.LOCK_EX) -> Iterator[None]:
        folder = self._folder(key)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("ab") as handle:
            fcntl.flock(handle, operation)
            yield


def configured_lake() -> Lake:
    """Return the lake of the settings (MOONDEV_LAKE_DIR)."""
    return Lake(Path(settings.MOONDEV_LAKE_DIR))


def write_whole(path: Path, table: pa.Table) -> None:
    """Write a Parquet file that is there whole or not at all, whatever happens meanwhile."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as handle:
        pq.write_table(table, handle, compression=COMPRESSION, row_group_size=ROWS_PER_GROUP)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.rename(path)
    # The rename itself must reach the disk, or a power cut could still undo it.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _add_part(folder: Path, table: pa.Table) -> None:
    folder.mkdir(exist_ok=True)
    numbers = [int(match[1]) for path in folder.iterdir() if (match := _PART.fullmatch(path.name))]
    write_whole(folder / f"part-{max(numbers, default=0) + 1:06d}.parquet", table)


def _parts(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.glob("part-*.parquet") if _PART.fullmatch(path.name))


def _read_part(kind: Kind, path: Path) -> pa.Table:
    try:
        # Not read_table(path): it would add the folders' names as columns.
        with path.open("rb") as handle:
            return conform(kind, pq.read_table(handle))
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidValue("lake file", str(path), f"a readable Parquet file ({error})") from error


def _read_stamps(path: Path) -> NDArray[np.int64]:
    try:
        with path.open("rb") as handle:
            return stamps(pq.read_table(handle, columns=["ts"]))
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidValue("lake file", str(path), f"a readable Parquet file ({error})") from error


def _footer(path: Path) -> tuple[int, int, int]:
    """Return first and last stamp and the number of rows."""
    try:
        with path.open("rb") as handle:
            footer = pq.read_metadata(handle)
            groups = [footer.row_group(number).column(0).statistics for number in range(footer.num_row_groups)]
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidValue("lake file", str(path), f"a readable Parquet file ({error})") from error
    return min(group.min for group in groups), max(group.max for group in groups), footer.num_rows


def _key(venue: str, kind: str, symbol: str) -> SeriesKey:
    name, _, length = kind.partition("_")
    return SeriesKey(venue, Kind(name), unquote(symbol), interval_of(length) if length else None)


def _dates(key: SeriesKey, opened_ms: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return in which folder each stamp belongs."""
    if key.kind in _DAILY or 0 < key.seconds < MONTHLY_FROM_SECONDS:
        unit = "D"
    else:
        unit = "Y" if key.seconds >= YEARLY_FROM_SECONDS else "M"
    return opened_ms.astype("datetime64[ms]").astype(f"datetime64[{unit}]")
