"""Where rows go that are to be kept: into the lake, and into the database while they are young enough for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.series import SeriesKey
from apps.exchanges.market_data.history.store import HistoryStore
from moondev.domain.clock import milliseconds

FLUSH_ROWS = 20_000


@dataclass(slots=True)
class Sink:
    """Gathers rows and writes them in large pieces. `hot_since`: older rows go to the lake alone; None: none do.

    Rows are safe once `flush` has returned. Raises InvalidValue for rows that cannot have happened, Connectivity
    when the database does not take them.
    """

    lake: Lake | None
    store: HistoryStore | None
    hot_since: datetime | None = None
    _waiting: dict[SeriesKey, list[pa.Table]] = field(default_factory=dict)
    _count: int = 0

    def put(self, key: SeriesKey, rows: pa.Table) -> None:
        """Take rows of one series; write everything when enough has gathered."""
        if not len(rows):
            return
        self._waiting.setdefault(key, []).append(rows)
        self._count += len(rows)
        if self._count >= FLUSH_ROWS:
            self.flush()

    def flush(self) -> int:
        """Write what waits; return how many rows. What could not be written waits on."""
        batch = {key: pa.concat_tables(tables) for key, tables in self._waiting.items()}
        if self.store is not None:
            self.store.write_many({key: self._young(rows) for key, rows in batch.items()})
        if self.lake is not None:
            for key, rows in batch.items():
                self.lake.write(key, rows)
        count, self._count = self._count, 0
        self._waiting.clear()
        return count

    def _young(self, rows: pa.Table) -> pa.Table:
        if self.hot_since is None:
            return rows
        return rows.filter(pc.greater_equal(rows["ts"], milliseconds(self.hot_since)))
