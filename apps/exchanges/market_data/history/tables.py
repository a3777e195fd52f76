"""The time-series tables as SQLAlchemy sees them; migration 0008 makes them.

They are no Django models: rows come and go by COPY and by whole partitions, and none is ever an object.
"""

from __future__ import annotations

from types import MappingProxyType

from sqlalchemy import (
    Column,
    DateTime,
    Double,
    Identity,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from apps.exchanges.market_data.history.series import Kind

metadata = MetaData()

# One row per series, so that its name is not repeated in each of a million bars.
SERIES = Table(
    "exchanges_series",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("venue", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("seconds", Integer, nullable=False),
    UniqueConstraint("venue", "kind", "symbol", "seconds"),
)


def _rows_of(name: str, *columns: Column[float] | Column[int] | Column[str]) -> Table:
    series = Column("series_id", Integer, primary_key=True)
    return Table(name, metadata, series, Column("at", DateTime(timezone=True), primary_key=True), *columns)


CANDLES = _rows_of(
    "exchanges_candle",
    *(Column(name, Double, nullable=False) for name in ("open", "high", "low", "close", "volume")),
)
TRADES = _rows_of(
    "exchanges_trade",
    Column("trade_id", Text, primary_key=True),
    Column("side", SmallInteger, nullable=False),
    Column("price", Double, nullable=False),
    Column("size", Double, nullable=False),
)
FUNDING = _rows_of("exchanges_funding_rate", Column("rate", Double, nullable=False))

TABLES = MappingProxyType({Kind.CANDLES: CANDLES, Kind.TRADES: TRADES, Kind.FUNDING: FUNDING})
