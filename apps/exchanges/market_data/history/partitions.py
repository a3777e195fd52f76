"""Range partitions: made before they are written to, and taken away whole.

A table that TimescaleDB looks after has none of ours: `managed_by_us` says which it is.
https://www.postgresql.org/docs/current/ddl-partitioning.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select, text

from apps.exchanges.market_data.history.series import Kind
from apps.exchanges.market_data.history.tables import TABLES
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.errors import InvalidValue

# Trades are many and go early; a month of the other kinds is little.
DAILY = frozenset({Kind.TRADES})
# Held while a partition is made or taken away, so that two processes do not make the same one.
LOCK = 0x6D64_7061
# A write that spans more than this is a mistake in its stamps, not history.
MOST_PARTITIONS = 1_000
LOCK_TIMEOUT_MS = 5_000


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """The rows of one kind from `start` up to but without `end`."""

    start: datetime
    end: datetime
    kind: Kind

    @property
    def name(self) -> str:
        """Return the partition's table name."""
        return f"{TABLES[self.kind].name}_{self.start:{'%Y%m%d' if self.kind in DAILY else '%Y%m'}}"


def partition_of(kind: Kind, moment: datetime) -> Partition:
    """Return the partition in which `moment` falls."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if kind in DAILY:
        return Partition(day, day + timedelta(days=1), kind)
    first = day.replace(day=1)
    return Partition(first, (first + timedelta(days=32)).replace(day=1), kind)


def partitions_between(kind: Kind, first_ms: int, last_ms: int) -> Iterator[Partition]:
    """Return the partitions that stamps from `first_ms` to `last_ms` fall in, oldest first."""
    partition = partition_of(kind, from_milliseconds(first_ms))
    for _ in range(MOST_PARTITIONS):
        if partition.start > from_milliseconds(last_ms):
            return
        yield partition
        partition = partition_of(kind, partition.end)
    span = f"{from_milliseconds(first_ms).date()} to {from_milliseconds(last_ms).date()}"
    raise InvalidValue("ts", span, f"at most {MOST_PARTITIONS} partitions in one write")


def managed_by_us(connection: Connection, kind: Kind) -> bool:
    """Return whether the table is partitioned natively."""
    relkind = connection.execute(
        text("SELECT relkind FROM pg_class WHERE oid = to_regclass(:name)"), {"name": TABLES[kind].name}
    ).scalar_one()
    return str(relkind) == "p"


def existing(connection: Connection, kind: Kind) -> list[Partition]:
    """Return the partitions there are, oldest first; of a hypertable those that would hold its rows."""
    table = TABLES[kind].name
    if not managed_by_us(connection, kind):
        at = TABLES[kind].c.at
        first, last = connection.execute(select(func.min(at), func.max(at))).one()
        return [] if first is None else list(partitions_between(kind, milliseconds(first), milliseconds(last)))
    names = connection.execute(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:name)"), {"name": table}
    ).scalars()
    pattern = "%Y%m%d" if kind in DAILY else "%Y%m"
    starts = (datetime.strptime(name.rpartition("_")[2], pattern).replace(tzinfo=UTC) for name in names)
    return sorted(partition_of(kind, start) for start in starts)


def ensure(connection: Connection, wanted: list[Partition]) -> list[Partition]:
    """Make the partitions that are missing, inside the caller's transaction; return those that were made."""
    if not wanted or not managed_by_us(connection, wanted[0].kind):
        return []
    there = set(existing(connection, wanted[0].kind))
    missing = [partition for partition in wanted if partition not in there]
    if missing:
        take_lock(connection)
        there = set(existing(connection, wanted[0].kind))
    made = [partition for partition in missing if partition not in there]
    for partition in made:
        _make(connection, partition)
    return made


def take_lock(connection: Connection) -> None:
    """Wait for the lock on making and taking away, for the rest of the transaction."""
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def drop_if(connection: Connection, partition: Partition, rows: int) -> bool:
    """Take the partition away if it holds exactly so many rows; return whether it did.

    Nobody can write to it from the count on; a row that came after the caller had read it keeps it alive.
    """
    take_lock(connection)
    if managed_by_us(connection, partition.kind):
        connection.execute(text(f"LOCK TABLE {partition.name} IN ACCESS EXCLUSIVE MODE"))
    table = TABLES[partition.kind]
    inside = (table.c.at >= partition.start, table.c.at < partition.end)
    there = connection.execute(select(func.count()).select_from(table).where(*inside)).scalar_one()
    if there != rows:
        return False
    if managed_by_us(connection, partition.kind):
        connection.execute(text(f"ALTER TABLE {table.name} DETACH PARTITION {partition.name}"))
        connection.execute(text(f"DROP TABLE {partition.name}"))
    else:
        connection.execute(
            text("SELECT drop_chunks(to_regclass(:name), older_than => CAST(:end AS timestamptz))"),
            {"name": table.name, "end": partition.end},
        )
    return True


def _make(connection: Connection, partition: Partition) -> None:
    # Attaching takes a weaker lock than CREATE ... PARTITION OF: readers and writers go on.
    table = TABLES[partition.kind].name
    bounds = f"FROM ('{partition.start.isoformat()}') TO ('{partition.end.isoformat()}')"
    connection.execute(text(f"CREATE TABLE {partition.name} (LIKE {table} INCLUDING ALL)"))
    connection.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {partition.name} FOR VALUES {bounds}"))
