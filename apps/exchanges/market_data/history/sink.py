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


@dataclass(slots=True)
class Sink:
    """Gathers rows and writes them in large pieces. `hot_since`: older rows of a kind go to the lake alone.

    `keeps`: the kinds that go into the database at all; the lake takes every kind. Rows are safe once `flush` has
    returned; it may run in a thread of its own while another one puts. Raises InvalidValue for rows that cannot have
    happened, Connectivity when the database does not take them.
    """

    lake: Lake | None
    store: HistoryStore | None
    hot_since: dict[Kind, datetime] = field(default_factory=dict)
    keeps: frozenset[Kind] = frozenset(TABLES)
    _waiting: dict[SeriesKey, list[pa.Table]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def waiting(self) -> int:
        """Return how many rows are not written yet."""
        with self._lock:
            return sum(len(rows) for tables in self._waiting.values() for rows in tables)

    def put(self, key: SeriesKey, rows: pa.Table) -> None:
        """Take rows of one series."""
        if len(rows):
            with self._lock:
                self._waiting.setdefault(key, []).append(rows)

    def flush(self) -> int:
        """Write what waits; return how many rows. What could not be written waits on."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
        try:
            batch = {key: pa.concat_tables(tables) for key, tables in taken.items()}
            if self.store is not None:
                self.store.write_many({k: self._young(k, rows) for k, rows in batch.items() if k.kind in self.keeps})
            if self.lake is not None:
                for key, rows in batch.items():
                    self.lake.write(key, rows)
        except BaseException:
            self._put_back(taken)
            raise
        return sum(map(len, batch.values()))

    def _put_back(self, taken: dict[SeriesKey, list[pa.Table]]) -> None:
        with self._lock:
            for key, tables in taken.items():
                self._waiting[key] = tables + self._waiting.get(key, [])

    def _young(self, key: SeriesKey, rows: pa.Table) -> pa.Table:
        since = self.hot_since.get(key.kind)
        return rows if since is None else within(rows, milliseconds(since), LAST_MS)
