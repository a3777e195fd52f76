"""Keeping house: partitions made ahead, old ones moved to the lake, what is too old deleted, small files joined.

A partition leaves the database only when every row of it was read back from the lake. Whatever kills this in the
middle, the next run goes on: a row that is in both places is one row to every reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from apps.exchanges.market_data.history import partitions
from apps.exchanges.market_data.history.lake import Lake, configured_lake
from apps.exchanges.market_data.history.partitions import Partition, partition_of
from apps.exchanges.market_data.history.policy import Limits, limits
from apps.exchanges.market_data.history.series import Kind, SeriesKey, unlike
from apps.exchanges.market_data.history.store import HistoryStore, open_store
from apps.exchanges.market_data.history.tables import TABLES
from moondev.domain.clock import monotonic
from moondev.domain.errors import Invariant

# Held while one process keeps house, so that another one does not begin.
LOCK = 0x6D64_6B65
# A run ends at the next step after so long; the worker has other things to do, and the next run goes on.
BUDGET_SECONDS = 20.0
# Chunks of hypertables are compressed when they are this old.
COMPRESS_AFTER = timedelta(days=7)
# A date of the lake is joined into one file when it is over, or earlier when it has this many.
MANY_PARTS = 200


@dataclass(slots=True)
class Kept:
    """What a run did. `finished` is False when it ran out of time."""

    made: int = 0
    moved: int = 0
    rows_moved: int = 0
    dropped: int = 0
    joined: int = 0
    finished: bool = True

    def __str__(self) -> str:
        """Return it in one line."""
        return (
            f"{self.made} partitions made, {self.moved} moved ({self.rows_moved} rows), {self.dropped} deleted, "
            f"{self.joined} dates joined{'' if self.finished else ', more next time'}"
        )


def keep_configured_house(now: datetime) -> Kept:
    """Keep house in the database and the lake of the settings, by the operator's policies. Raises as `keep_house`."""
    with open_store() as store:
        return keep_house(store, configured_lake(), limits(), now)


def keep_house(store: HistoryStore, lake: Lake, by_kind: dict[Kind, Limits], now: datetime) -> Kept:
    """Do what is due, as far as the budget goes; nothing at all while another process does.

    Raises Connectivity, InvalidValue for a damaged file, Invariant when the lake does not give back what it took.
    """
    kept, until = Kept(), monotonic() + BUDGET_SECONDS
    with store.transaction() as guard:
        if not guard.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOCK}).scalar_one():
            return kept
        for _ in _steps(store, lake, by_kind, now, kept):
            if monotonic() > until:
                kept.finished = False
                break
    return kept


def _steps(store: HistoryStore, lake: Lake, by_kind: dict[Kind, Limits], now: datetime, kept: Kept) -> Iterator[None]:
    for kind in TABLES:
        kept.made += _make_ahead(store, kind, by_kind[kind], now)
        yield
        for partition in _old(store, kind, by_kind[kind], now):
            _move(store, lake, partition, kept)
            yield
    for key in lake.series():
        keep = by_kind[key.kind].keep
        if keep is not None:
            kept.dropped += lake.drop_before(key, now - keep)
            yield
        for day in lake.fragmented(key, now, MANY_PARTS):
            kept.joined += lake.join(key, day)
            yield


def _make_ahead(store: HistoryStore, kind: Kind, limits: Limits, now: datetime) -> int:
    """Make the partitions of now and soon, so that no write has to wait for one; let a hypertable compress itself."""
    with store.transaction() as connection:
        if not partitions.managed_by_us(connection, kind):
            _compress(connection, kind)
            return 0
        wanted = [partition_of(kind, now)]
        for _ in range(limits.partitions_ahead):
            wanted.append(partition_of(kind, wanted[-1].end))
        return len(partitions.ensure(connection, wanted))


def _compress(connection: Connection, kind: Kind) -> None:
    # https://docs.timescale.com/api/latest/compression/add_compression_policy/
    connection.execute(
        text("SELECT add_compression_policy(to_regclass(:name), CAST(:after AS interval), if_not_exists => true)"),
        {"name": TABLES[kind].name, "after": f"{COMPRESS_AFTER.days} days"},
    )


def _old(store: HistoryStore, kind: Kind, limits: Limits, now: datetime) -> list[Partition]:
    """Return the partitions that end before the time for which rows stay in the database, oldest first."""
    age = limits.hot if limits.hot is not None else limits.keep
    if age is None:
        return []
    with store.transaction() as connection:
        found = partitions.existing(connection, kind)
    return [partition for partition in found if partition.end <= now - age]


def _move(store: HistoryStore, lake: Lake, partition: Partition, kept: Kept) -> None:
    series = store.read_partition(partition)
    for key, rows in series.items():
        lake.write(key, unlike(rows, lake.read(key, partition.start, partition.end)))
        _require_there(lake, key, partition, len(rows))
    count = sum(map(len, series.values()))
    with store.transaction() as connection:
        if partitions.drop_if(connection, partition, count):
            kept.moved += 1
            kept.rows_moved += count


def _require_there(lake: Lake, key: SeriesKey, partition: Partition, count: int) -> None:
    there = len(lake.read(key, partition.start, partition.end))
    if there < count:
        raise Invariant(f"{key}: the lake has {there} of {count} rows of {partition.name}; nothing was dropped")
