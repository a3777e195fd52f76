"""Where rows go that are to be kept: into the lake, and into the database while they are young enough for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

import pyarrow as pa

from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.series import Kind, SeriesKey, within
from apps.exchanges.market_data.history.sound import LAST_MS
from apps.exchanges.market_data.history.store import HistoryStore
from apps.exchanges.market_data.history.tables import TABLES
from moondev.domain.clock import milliseconds

FLUSH_ROWS = 20_000

Waiting = dict[SeriesKey, list[pa.Table]]


@dataclass(slots=True)
class Sink:
    """Gathers rows and writes them in large pieces. `hot_since`: older rows of a kind go to the lake alone.

    `keeps`: the kinds that go into the database at all; the lake takes every kind. Rows are safe once `flush` has
    returned; it may run in a thread of its own while another one puts. A database that is away holds up nothing that
    is for the lake. Raises InvalidValue for rows that cannot have happened, OSError when the disk does not take them,
    Connectivity when the database does not.
    """

    lake: Lake | None
    store: HistoryStore | None
    hot_since: dict[Kind, datetime] = field(default_factory=dict)
    keeps: frozenset[Kind] = frozenset(TABLES)
    _waiting: Waiting = field(default_factory=dict)
    _for_store: Waiting = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def waiting(self) -> int:
        """Return how many rows are not written everywhere yet."""
        with self._lock:
            queues = (*self._waiting.values(), *self._for_store.values())
            return sum(len(rows) for tables in queues for rows in tables)

    def put(self, key: SeriesKey, rows: pa.Table) -> None:
        """Take rows of one series."""
        if len(rows):
            with self._lock:
                self._waiting.setdefault(key, []).append(rows)

    def flush(self) -> int:
        """Write what waits; return how many rows came since the last time. What could not be written waits on."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
        count = sum(len(rows) for tables in taken.values() for rows in tables)
        self._into_lake(taken)
        self._into_store(taken)
        return count

    def _into_lake(self, taken: Waiting) -> None:
        if self.lake is None:
            return
        for key in list(taken):
            try:
                self.lake.write(key, pa.concat_tables(taken[key]))
            except BaseException:
                with self._lock:
                    _in_front(self._waiting, taken)
                raise
            # Written: if a later series fails, this one is not for the lake again.
            if self.store is not None:
                _in_front(self._for_store, {key: taken[key]})
            del taken[key]

    def _into_store(self, taken: Waiting) -> None:
        if self.store is None:
            return
        _in_front(self._for_store, taken)
        batch = {
            key: self._young(key, pa.concat_tables(tables))
            for key, tables in self._for_store.items()
            if key.kind in self.keeps
        }
        self.store.write_many(batch)
        self._for_store = {}

    def _young(self, key: SeriesKey, rows: pa.Table) -> pa.Table:
        since = self.hot_since.get(key.kind)
        return rows if since is None else within(rows, milliseconds(since), LAST_MS)


def _in_front(queue: Waiting, tables: Waiting) -> None:
    for key, rows in tables.items():
        queue[key] = rows + queue.get(key, [])
