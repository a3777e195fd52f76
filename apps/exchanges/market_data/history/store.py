"""Market data in SQL: written by COPY into a staging table and from there in one statement, read by COPY.

Writing the same rows again changes nothing; a row told anew with other numbers replaces the old one. Trades never
change.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np
import psycopg2
import pyarrow as pa
import pyarrow.csv as pa_csv
from django.db import connections
from numpy.typing import NDArray
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class, whatever it is called
from sqlalchemy import BigInteger, Connection, Engine, Table, create_engine, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from apps.exchanges.market_data.history import partitions
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey, conform, empty, stamps, tidy
from apps.exchanges.market_data.history.sound import require_sound
from apps.exchanges.market_data.history.tables import SERIES, TABLES
from moondev.domain.clock import milliseconds
from moondev.domain.errors import Connectivity, InvalidValue

STAGING = "staging_rows"
# Numbers as text sort by their length first; trades of one millisecond keep the venue's order that way.
ORDER_OF_TRADES = 'at, length(trade_id), trade_id COLLATE "C"'


@dataclass(frozen=True, slots=True)
class Extent:
    """What is stored of one series: first and last stamp in milliseconds UTC, rows, and bytes as far as known."""

    key: SeriesKey
    first_ms: int
    last_ms: int
    rows: int
    size_bytes: int | None = None


class HistoryStore:
    """The time-series tables. Safe to share between threads; `close` gives the connections back."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, key: SeriesKey, rows: pa.Table) -> int:
        """Store the rows of one series; return how many were new or changed. Raises as `write_many` does."""
        return self.write_many({key: rows})

    def write_many(self, batch: Mapping[SeriesKey, pa.Table]) -> int:
        """Store rows of many series in one transaction, all or nothing; return how many were new or changed.

        Raises InvalidValue for rows that cannot have happened and kinds that only the lake keeps, Connectivity when
        the database does not take them.
        """
        for key in batch:
            if key.kind not in TABLES:
                raise InvalidValue("kind", key.kind.value, f"{', '.join(TABLES)}; the rest is for the lake")
        ready = {key: tidy(key.kind, rows) for key, rows in batch.items()}
        for key, rows in ready.items():
            require_sound(key, rows)
        with self._transaction() as connection:
            ids = _series_ids(connection, [key for key, rows in ready.items() if len(rows)])
            return sum(
                _write_kind(connection, kind, {ids[key]: rows for key, rows in ready.items() if key in ids})
                for kind, ready in _by_kind(ready).items()
            )

    def read(self, key: SeriesKey, start: datetime, end: datetime) -> pa.Table:
        """Return the rows stamped in [start, end), oldest first. Raises Connectivity."""
        with self._transaction() as connection:
            found = _find(connection, key)
            return empty(key.kind) if found is None else _copy_out(connection, key.kind, found, start, end)

    def read_partition(self, partition: partitions.Partition) -> dict[SeriesKey, pa.Table]:
        """Return every series' rows of one partition. Raises Connectivity."""
        with self._transaction() as connection:
            return rows_between(connection, partition.kind, partition.start, partition.end)

    def extents(self) -> list[Extent]:
        """Return what is stored of each series, by name. Raises Connectivity."""
        with self._transaction() as connection:
            return sorted(
                (extent for kind in TABLES for extent in _extents(connection, kind)), key=lambda extent: str(extent.key)
            )

    def stamps(self, key: SeriesKey) -> NDArray[np.int64]:
        """Return every stamp of a series, in milliseconds UTC, sorted. Raises Connectivity."""
        with self._transaction() as connection:
            found = _find(connection, key)
            at = TABLES[key.kind].c.at
            query = select((func.extract("epoch", at) * 1000).cast(BigInteger)).order_by(at)
            if found is None:
                return np.empty(0, np.int64)
            rows = connection.execute(query.where(TABLES[key.kind].c.series_id == found)).scalars()
            return np.fromiter(rows, np.int64)

    def last(self, key: SeriesKey) -> datetime | None:
        """Return the newest stamp of a series; None when nothing is stored of it. Raises Connectivity."""
        with self._transaction() as connection:
            found = _find(connection, key)
            if found is None:
                return None
            table = TABLES[key.kind]
            newest: datetime | None = connection.execute(
                select(func.max(table.c.at)).where(table.c.series_id == found)
            ).scalar()
            return newest

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection for statements that belong together. Raises Connectivity when the database fails."""
        with self._transaction() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except (DBAPIError, psycopg2.Error) as error:
            raise Connectivity(f"history store: {error}") from error


@contextmanager
def open_store() -> Iterator[HistoryStore]:
    """Open the store in the database of the settings; its connections end with the block."""
    store = HistoryStore(store_engine())
    try:
        yield store
    finally:
        store.close()


def store_engine() -> Engine:
    """Return a new engine on Django's database: same server, same name, connections of its own."""
    return create_engine(
        "postgresql+psycopg2://",
        creator=lambda: psycopg2.connect(**connections["default"].get_connection_params()),
        pool_size=1,
        max_overflow=4,
        pool_pre_ping=True,
    )


def rows_between(connection: Connection, kind: Kind, start: datetime, end: datetime) -> dict[SeriesKey, pa.Table]:
    """Return the rows of every series of one kind that are stamped in [start, end)."""
    table = TABLES[kind]
    present = select(table.c.series_id).where(table.c.at >= start, table.c.at < end).distinct()
    series = connection.execute(select(SERIES).where(SERIES.c.id.in_(present))).all()
    return {_key(row): _copy_out(connection, kind, row.id, start, end) for row in series}


def _by_kind(batch: Mapping[SeriesKey, pa.Table]) -> dict[Kind, dict[SeriesKey, pa.Table]]:
    kinds = {key.kind for key in batch}
    return {kind: {key: rows for key, rows in batch.items() if key.kind is kind} for kind in TABLES if kind in kinds}


def _series_ids(connection: Connection, keys: Sequence[SeriesKey]) -> dict[SeriesKey, int]:
    found = {key: number for key in keys if (number := _find(connection, key)) is not None}
    missing = [key for key in keys if key not in found]
    if missing:
        rows = [{"venue": k.venue, "kind": k.kind.value, "symbol": k.symbol, "seconds": k.seconds} for k in missing]
        connection.execute(insert(SERIES).values(rows).on_conflict_do_nothing())
        found |= {key: number for key in missing if (number := _find(connection, key)) is not None}
    return found


def _find(connection: Connection, key: SeriesKey) -> int | None:
    wanted = (key.venue, key.kind.value, key.symbol, key.seconds)
    columns = (SERIES.c.venue, SERIES.c.kind, SERIES.c.symbol, SERIES.c.seconds)
    clause = (column == value for column, value in zip(columns, wanted, strict=True))
    return connection.execute(select(SERIES.c.id).where(*clause)).scalar()


def _write_kind(connection: Connection, kind: Kind, rows_by_series: Mapping[int, pa.Table]) -> int:
    if not rows_by_series:
        return 0
    table = TABLES[kind]
    first = min(int(stamps(rows)[0]) for rows in rows_by_series.values())
    last = max(int(stamps(rows)[-1]) for rows in rows_by_series.values())
    partitions.ensure(connection, list(partitions.partitions_between(kind, first, last)))
    names = [column.name for column in table.columns]
    with closing(_cursor(connection)) as cursor:
        cursor.execute(f"CREATE TEMP TABLE {STAGING} (LIKE {table.name}) ON COMMIT DROP")
        for series_id, rows in rows_by_series.items():
            cursor.copy_expert(f"COPY {STAGING} ({', '.join(names)}) FROM STDIN (FORMAT csv)", _csv(series_id, rows))
        cursor.execute(_upsert(table))
        changed = int(cursor.rowcount)
        cursor.execute(f"DROP TABLE {STAGING}")
    return changed


def _upsert(table: Table) -> str:
    """Return the statement that moves the staged rows in; rows that say the same are left alone."""
    key = [column.name for column in table.primary_key]
    told = [column.name for column in table.columns if column.name not in key]
    if table is TABLES[Kind.TRADES]:
        action = "NOTHING"
    else:
        differs = " OR ".join(f"t.{name} IS DISTINCT FROM excluded.{name}" for name in told)
        action = f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in told)} WHERE {differs}"
    # S608: the names come from our own table definitions.
    return f"INSERT INTO {table.name} AS t SELECT * FROM {STAGING} ON CONFLICT ({', '.join(key)}) DO {action}"  # noqa: S608


def _csv(series_id: int, rows: pa.Table) -> io.BytesIO:
    at = rows.column("ts").cast(pa.timestamp("ms", tz="UTC"))
    columns = [pa.array([series_id] * 1, pa.int32()).take(pa.array([0] * len(rows))), at]
    table = pa.table([*columns, *rows.columns[1:]], names=["series_id", "at", *rows.column_names[1:]])
    sink = io.BytesIO()
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(include_header=False))
    sink.seek(0)
    return sink


def _cursor(connection: Connection) -> Cursor:
    """Return the driver's own cursor, which alone knows COPY."""
    return cast(Cursor, connection.connection.cursor())


def _copy_out(connection: Connection, kind: Kind, series_id: int, start: datetime, end: datetime) -> pa.Table:
    schema = SCHEMAS[kind]
    columns = ["(extract(epoch FROM at) * 1000)::bigint AS ts", *schema.names[1:]]
    order = ORDER_OF_TRADES if kind is Kind.TRADES else "at"
    sink = io.BytesIO()
    with closing(_cursor(connection)) as cursor:
        query = f"SELECT {', '.join(columns)} FROM {TABLES[kind].name} WHERE series_id = %s AND at >= %s AND at < %s"  # noqa: S608
        bound = cursor.mogrify(f"{query} ORDER BY {order}", (series_id, start, end))
        cursor.copy_expert(f"COPY ({bound.decode()}) TO STDOUT (FORMAT csv, HEADER)", sink)
    sink.seek(0)
    types = pa_csv.ConvertOptions(column_types=dict(zip(schema.names, schema.types, strict=True)))
    return conform(kind, pa_csv.read_csv(sink, convert_options=types))


def _extents(connection: Connection, kind: Kind) -> list[Extent]:
    table = TABLES[kind]
    ranges = (
        select(table.c.series_id, func.min(table.c.at), func.max(table.c.at), func.count())
        .group_by(table.c.series_id)
        .subquery("ranges")
    )
    rows = connection.execute(select(SERIES, *list(ranges.c)[1:]).join(ranges, SERIES.c.id == ranges.c.series_id)).all()
    return [Extent(_key(row), milliseconds(row[5]), milliseconds(row[6]), int(row[7])) for row in rows]


def _key(row: Any) -> SeriesKey:  # noqa: ANN401 - a row of SQLAlchemy
    kind = Kind(row.kind)
    return SeriesKey(row.venue, kind, row.symbol, timedelta(seconds=row.seconds) if row.seconds else None)
