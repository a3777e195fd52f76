"""Curves, trades and prices as compressed Parquet, a few bytes a row: small enough to lie beside their row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from apps.strategies.backtest.prices import PricePath
from apps.strategies.backtest.results import EquityCurve, Trade
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Side

_WORDS = pa.dictionary(pa.int32(), pa.string())
_TRADES = pa.schema(
    [
        ("instrument", _WORDS),
        ("side", _WORDS),
        ("quantity", pa.float64()),
        ("entered_ms", pa.int64()),
        ("entry_price", pa.float64()),
        ("exited_ms", pa.int64()),
        ("exit_price", pa.float64()),
        ("gross", pa.float64()),
        ("fees", pa.float64()),
        ("funding", pa.float64()),
        ("reason", _WORDS),
    ]
)
_CANDLE = ("open", "high", "low", "close")


def curve_to_bytes(curve: EquityCurve) -> bytes:
    """Return a curve as Parquet."""
    return _packed(pa.table({"ts": curve.times, "equity": curve.equity, "exposure": curve.exposure}))


def curve_from_bytes(packed: bytes) -> EquityCurve:
    """Return the curve that `curve_to_bytes` packed. Raises InvalidValue for other bytes."""
    table = _unpacked("curve", packed)
    return EquityCurve(*(np.asarray(table.column(name).to_numpy()) for name in ("ts", "equity", "exposure")))


def trades_to_bytes(trades: Sequence[Trade]) -> bytes:
    """Return trades as Parquet."""
    rows = {name: [getattr(trade, name) for trade in trades] for name in _TRADES.names if name != "side"}
    rows["side"] = [trade.side.value for trade in trades]
    return _packed(pa.table({name: rows[name] for name in _TRADES.names}, schema=_TRADES))


def trades_from_bytes(packed: bytes) -> tuple[Trade, ...]:
    """Return the trades that `trades_to_bytes` packed. Raises InvalidValue for other bytes."""
    rows = _unpacked("trades", packed).to_pylist()
    return tuple(Trade(**{**row, "side": Side(row["side"])}) for row in rows)


def prices_to_bytes(prices: Mapping[str, PricePath]) -> bytes:
    """Return the candles of every instrument as Parquet."""
    tables = [
        pa.table(
            {
                "instrument": pa.array([key] * len(path), _WORDS),
                "step_ms": pa.array([path.step_ms] * len(path), pa.int64()),
                "ts": path.opened_ms,
                **{name: getattr(path, name) for name in _CANDLE},
            }
        )
        for key, path in prices.items()
    ]
    return _packed(pa.concat_tables(tables).unify_dictionaries()) if tables else b""


def prices_from_bytes(packed: bytes) -> dict[str, PricePath]:
    """Return the candles that `prices_to_bytes` packed. Raises InvalidValue for other bytes."""
    if not packed:
        return {}
    table = _unpacked("prices", packed)
    keys = table.column("instrument").to_pylist()
    paths = {}
    for key in dict.fromkeys(keys):
        rows = table.filter(pa.array([one == key for one in keys]))
        columns = [np.asarray(rows.column(name).to_numpy()) for name in ("ts", *_CANDLE)]
        paths[key] = PricePath(rows.column("step_ms")[0].as_py(), *columns)
    return paths


def _packed(table: pa.Table) -> bytes:
    """Return a table as Parquet: words by number, times by their differences, and numbers split by significance."""
    encodings = {pa.float64(): "BYTE_STREAM_SPLIT", pa.int64(): "DELTA_BINARY_PACKED"}
    encoded = {field.name: encodings[field.type] for field in table.schema if field.type in encodings}
    words = [field.name for field in table.schema if field.name not in encoded]
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=words, column_encoding=encoded)
    return bytes(sink.getvalue())


def _unpacked(name: str, packed: bytes) -> pa.Table:
    try:
        return pq.read_table(pa.BufferReader(packed))
    except pa.ArrowInvalid as error:
        raise InvalidValue(name, f"{len(packed)} bytes", "Parquet as it was stored") from error
