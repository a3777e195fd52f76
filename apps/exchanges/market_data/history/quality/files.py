"""Files of market data as other programs write them: Parquet, Feather or CSV, told by their columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from pyarrow import feather

from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape, factor_to_milliseconds, guessed_interval
from apps.exchanges.market_data.history.quality.levels import LISTS, level_columns
from apps.exchanges.market_data.history.series import interval_of
from moondev.domain.errors import InvalidValue

_STAMPS = ("ts", "timestamp", "time", "date", "datetime", "open_time", "opened_ms")
_RENAMED = MappingProxyType(
    {"amount": "size", "qty": "size", "id": "trade_id", "tid": "trade_id", "fundingrate": "rate"}
)
_INTERVAL = re.compile(r"(?<![A-Za-z0-9])([1-9][0-9]?[mhdw])(?![A-Za-z0-9])")
# Longest first, or BTCUSDT would end with USD.
_QUOTES = ("USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "BTC", "ETH")
_SIDES = MappingProxyType({"buy": 1, "b": 1, "1": 1, "sell": -1, "a": -1, "s": -1, "-1": -1})

_READERS: Mapping[str, Callable[[Path], pa.Table]] = MappingProxyType(
    {
        ".parquet": lambda path: pq.read_table(pa.OSFile(str(path))),
        ".feather": feather.read_table,
        ".csv": pa_csv.read_csv,
        ".gz": pa_csv.read_csv,
    }
)


def read_dataset(path: Path, interval: timedelta | None = None) -> Dataset:
    """Return a file's rows, as they lie there.

    The interval is the one given, the one in the file's name, or the commonest step. Raises InvalidValue for a
    file that cannot be read or whose columns are of no kind we know.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InvalidValue("file", str(path), f"a name that ends with {', '.join(_READERS)}")
    try:
        table = reader(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidValue("file", str(path), f"a file that can be read ({error})") from error
    if not len(table):
        raise InvalidValue("file", str(path), "at least one row")
    table = table.rename_columns([_RENAMED.get(name.lower(), name.lower()) for name in table.column_names])
    if set(table.column_names) >= LISTS:
        table = level_columns(table)
    shape = _shape(path, table)
    if shape is Shape.EVENTS:
        return Dataset(path.name, shape, table)
    table = _with_stamps(path, table)
    if shape is Shape.TRADES:
        table = _with_sides(table)
    if shape in {Shape.CANDLES, Shape.FUNDING}:
        interval = interval or _interval(path, table, shape)
    return Dataset(path.name, shape, table, interval, quote_of(path.stem))


def quote_of(name: str) -> str:
    """Return the quote currency that ends the symbol in a name such as ``venue_BTCUSDT_1h``; "" when none is seen."""
    for word in re.split(r"[_\-/:. ]", name.upper()):
        for quote in _QUOTES:
            if word.endswith(quote) and len(word) > len(quote):
                return quote
    return ""


def _shape(path: Path, table: pa.Table) -> Shape:
    names = set(table.column_names)
    needed = {
        Shape.CANDLES: {"open", "high", "low", "close", "volume"},
        Shape.EVENTS: {"local_ts_ns", "exch_ts_ms", "type", "side", "price"},
        Shape.BOOK: {"b1", "a1", "bv1", "av1"},
        Shape.TRADES: {"trade_id", "side", "price", "size"},
        Shape.MARKS: {"mark", "oracle", "funding"},
        Shape.FUNDING: {"rate"},
    }
    for shape, columns in needed.items():
        if columns <= names:
            return shape
    allowed = "; ".join(f"{', '.join(sorted(columns))} ({shape})" for shape, columns in needed.items())
    raise InvalidValue(f"columns of {path.name}", ", ".join(table.column_names), allowed)


def _with_stamps(path: Path, table: pa.Table) -> pa.Table:
    name = next((name for name in _STAMPS if name in table.column_names), None)
    if name is None:
        raise InvalidValue(f"columns of {path.name}", ", ".join(table.column_names), f"one of {', '.join(_STAMPS)}")
    column = table.column(name)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("ms")).cast(pa.int64())
    elif pa.types.is_floating(column.type):
        column = pc.round(column).cast(pa.int64())
    if not pa.types.is_integer(column.type) or column.null_count:
        raise InvalidValue(f"{path.name}, {name}", f"{column.type}, {column.null_count} empty", "a time in every row")
    return table.drop_columns([name]).add_column(0, "ts", column.cast(pa.int64()))


def _with_sides(table: pa.Table) -> pa.Table:
    words = [str(word).lower() for word in table.column("side").to_pylist()]
    sides = pa.array([_SIDES.get(word, 0) for word in words], pa.int8())
    table = table.set_column(table.column_names.index("side"), "side", sides)
    ids = table.column("trade_id").cast(pa.string())
    return table.set_column(table.column_names.index("trade_id"), "trade_id", ids)


def _interval(path: Path, table: pa.Table, shape: Shape) -> timedelta:
    named = _INTERVAL.search(path.stem)
    if named is not None:
        return interval_of(named[1])
    stamps = table.column("ts").to_numpy()
    factor = factor_to_milliseconds(float(np.median(stamps))) or 1
    stamps = (stamps * factor).astype(np.int64)
    if shape is Shape.FUNDING:
        # Booked some milliseconds after the hour.
        stamps = np.round(stamps / 60_000).astype(np.int64) * 60_000
    return guessed_interval(stamps)
