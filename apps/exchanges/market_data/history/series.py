"""What is kept: series of candles, trades, funding rates, books and marks, as tables of columns.

A series is named by venue, kind, symbol and, for candles, the length of a bar. Its rows travel as an Arrow table,
between files, lake and database alike; `ts` is milliseconds UTC: a bar's open time, a trade's time, a payment's time,
a book's time by the venue, and when a mark was heard, for no venue stamps those.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries

_UNITS = MappingProxyType({"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800})
_INTERVAL = re.compile(r"([1-9][0-9]{0,3})([smhdw])")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9][A-Za-z0-9_.:-]*)?")


class Kind(StrEnum):
    """What a row of a series is."""

    CANDLES = "candles"
    TRADES = "trades"
    FUNDING = "funding"
    BOOKS = "books"
    MARKS = "marks"


_LEVELS = pa.list_(pa.float64())
SCHEMAS = MappingProxyType(
    {
        Kind.CANDLES: pa.schema(
            [("ts", pa.int64()), *((name, pa.float64()) for name in ("open", "high", "low", "close", "volume"))]
        ),
        # The side is the aggressor's: 1 bought, -1 sold.
        Kind.TRADES: pa.schema(
            [
                ("ts", pa.int64()),
                ("trade_id", pa.string()),
                ("side", pa.int8()),
                ("price", pa.float64()),
                ("size", pa.float64()),
            ]
        ),
        # A fraction of the notional per payment; above zero, longs pay shorts.
        Kind.FUNDING: pa.schema([("ts", pa.int64()), ("rate", pa.float64())]),
        # Snapshots, each side from its best price on. `received_ms` is our own clock's.
        Kind.BOOKS: pa.schema(
            [
                ("ts", pa.int64()),
                ("received_ms", pa.int64()),
                *((name, _LEVELS) for name in ("bid_prices", "bid_sizes", "ask_prices", "ask_sizes")),
            ]
        ),
        # NaN: the venue did not say.
        Kind.MARKS: pa.schema([("ts", pa.int64()), *((name, pa.float64()) for name in ("mark", "oracle", "funding"))]),
    }
)
# Two rows that agree in these are the same row told twice.
IDENTITY = MappingProxyType(
    {
        Kind.CANDLES: ("ts",),
        Kind.TRADES: ("ts", "trade_id"),
        Kind.FUNDING: ("ts",),
        Kind.BOOKS: ("ts", "received_ms"),
        Kind.MARKS: ("ts",),
    }
)


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Names one series. `interval` is None for everything but candles."""

    venue: str
    kind: Kind
    symbol: str
    interval: timedelta | None = None

    def __post_init__(self) -> None:
        """Refuse names that could not be folders, and candles without a length."""
        for field in ("venue", "symbol"):
            name = getattr(self, field)
            if not _NAME.fullmatch(name) or ".." in name:
                raise InvalidValue(field, name, "letters, digits and _ . : - (one / between a spot pair's coins)")
        if (self.kind is Kind.CANDLES) != (self.interval is not None):
            raise InvalidValue("interval", self.interval, "a length for candles, None for everything else")
        if self.interval is not None:
            interval_text(self.interval)

    def __str__(self) -> str:
        """Return the name people read, such as ``hyperliquid BTC candles 1m``."""
        length = "" if self.interval is None else f" {interval_text(self.interval)}"
        return f"{self.venue} {self.symbol} {self.kind}{length}"

    @property
    def seconds(self) -> int:
        """Return the length of a bar in seconds; 0 for what is no candle."""
        return 0 if self.interval is None else round(self.interval.total_seconds())

    @property
    def step_ms(self) -> int | None:
        """Return the milliseconds between bars; None for what has no grid."""
        return None if self.interval is None else self.seconds * 1000


def interval_of(text: str) -> timedelta:
    """Return the length that ``1m``, ``15m``, ``4h``, ``1d`` or ``1w`` stand for. Raises InvalidValue for another."""
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise InvalidValue("interval", text, "a whole number and s, m, h, d or w, such as 1m or 4h")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def interval_text(interval: timedelta) -> str:
    """Return the short text of a length, in the largest unit that divides it. Raises InvalidValue when it has none."""
    seconds = interval.total_seconds()
    if seconds < 1 or seconds != int(seconds):
        raise InvalidValue("interval", str(interval), "whole seconds, at least one")
    if interval == timedelta(days=7):
        return "1w"
    unit = max((u for u in "smhd" if seconds % _UNITS[u] == 0), key=lambda u: _UNITS[u])
    return f"{int(seconds) // _UNITS[unit]}{unit}"


def empty(kind: Kind) -> pa.Table:
    """Return a table of this kind without rows."""
    return SCHEMAS[kind].empty_table()


def tidy(kind: Kind, rows: pa.Table) -> pa.Table:
    """Return the rows with the kind's columns and types, oldest first, each once; of equal ones the last is kept.

    Raises InvalidValue when a column is missing, of another type or lacks values.
    """
    table = conform(kind, rows)
    if len(table) > 1:
        table = _sorted(table)
        table = table.filter(pa.array(_last_of_each(table, IDENTITY[kind])))
    return table.combine_chunks()


def conform(kind: Kind, rows: pa.Table) -> pa.Table:
    """Return the columns of the kind in its order and types. Raises InvalidValue naming the column that will not do."""
    schema = SCHEMAS[kind]
    missing = [name for name in schema.names if name not in rows.column_names]
    if missing:
        raise InvalidValue("columns", ", ".join(rows.column_names), f"{', '.join(schema.names)} for {kind}")
    try:
        table = rows.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidValue("columns", str(error), f"types of {kind}: {schema}") from error
    for name in schema.names:
        if table.column(name).null_count:
            raise InvalidValue(name, f"{table.column(name).null_count} empty values", "a value in every row")
    return table


def absent_from(kind: Kind, rows: pa.Table, other: pa.Table) -> pa.Table:
    """Return those of `rows` that `other` has not, by their identity. Both are tidy."""
    if not len(rows) or not len(other):
        return rows
    keys = list(IDENTITY[kind])
    numbered = rows.select(keys).append_column("_row", pa.array(np.arange(len(rows))))
    left = numbered.join(other.select(keys), keys, join_type="left anti")
    return rows.take(pa.array(np.sort(left.column("_row").to_numpy())))


def unlike(rows: pa.Table, other: pa.Table) -> pa.Table:
    """Return those of `rows` that `other` has not, or has with other numbers. Both are of a kind without lists."""
    if not len(rows) or not len(other):
        return rows
    names = rows.column_names
    numbered = rows.append_column("_row", pa.array(np.arange(len(rows))))
    left = numbered.join(other, names, join_type="left anti")
    return rows.take(pa.array(np.sort(left.column("_row").to_numpy())))


def within(rows: pa.Table, start_ms: int, end_ms: int) -> pa.Table:
    """Return the rows stamped in [start_ms, end_ms)."""
    return rows.filter(pc.and_(pc.greater_equal(rows["ts"], start_ms), pc.less(rows["ts"], end_ms)))


def column(rows: pa.Table, name: str) -> NDArray[np.float64]:
    """Return a column of prices or sizes as numbers."""
    return cast("NDArray[np.float64]", rows.column(name).to_numpy())


def stamps(rows: pa.Table) -> NDArray[np.int64]:
    """Return the times in milliseconds UTC."""
    return cast("NDArray[np.int64]", rows.column("ts").to_numpy())


def table_of_bars(series: BarSeries) -> pa.Table:
    """Return bars as rows of candles."""
    columns = (series.opened_ms, series.open, series.high, series.low, series.close, series.volume)
    return pa.table([pa.array(values) for values in columns], schema=SCHEMAS[Kind.CANDLES])


def bars_of_table(rows: pa.Table, interval: timedelta) -> BarSeries:
    """Return rows of candles as bars. Raises InvalidValue when they break a rule of bars."""
    return BarSeries(interval, stamps(rows), *(column(rows, name) for name in SCHEMAS[Kind.CANDLES].names[1:]))


def _sorted(rows: pa.Table) -> pa.Table:
    """Return the rows by time; trades of one millisecond by number, the same row told twice in the order told."""
    numbered, keys = rows.append_column("_told", pa.array(np.arange(len(rows)))), ["ts"]
    if "received_ms" in rows.column_names:
        keys.append("received_ms")
    if "trade_id" in rows.column_names:
        numbered = numbered.append_column("_digits", pc.utf8_length(rows.column("trade_id")))
        keys += ["_digits", "trade_id"]
    order = pc.sort_indices(numbered, sort_keys=[(name, "ascending") for name in (*keys, "_told")])
    return rows.take(order)


def _last_of_each(rows: pa.Table, names: tuple[str, ...]) -> NDArray[np.bool_]:
    differs = np.zeros(len(rows) - 1, dtype=bool)
    for name in names:
        values = rows.column(name).to_numpy(zero_copy_only=False)
        differs |= values[1:] != values[:-1]
    return np.append(differs, True)
