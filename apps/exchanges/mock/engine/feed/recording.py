"""What a recorded file holds: looked at before anything is replayed, refused with a reason.

Four kinds of Parquet files are understood, told apart by their columns:
candles ``ts open high low close volume`` (ts = open time, ms), trades ``timestamp id side price
amount`` (side = aggressor, ms), depth events ``local_ts_ns type side price qty seq ...`` (2 delta,
3 trade, 4 snapshot level) and books ``ts b1..b10 bv1.. a1.. av1..`` (ms).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.exchanges.mock.engine.bars import INTERVALS, MINUTE_MS
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue

DEFAULT_HISTORY_BARS = 300
NANOSECONDS_IN_MS = 1_000_000
_SYMBOL = re.compile(r"[A-Z0-9]*[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
_QUOTES = ("USDT", "USDC", "BUSD", "USD")
_CANDLE = ("ts", "open", "high", "low", "close", "volume")
_TRADE = ("timestamp", "side", "price", "amount")
_DEPTH = ("local_ts_ns", "type", "side", "price", "qty", "seq")
_SNAPSHOT_ROW = 4

Column = NDArray[Any]


class Kind(StrEnum):
    """What was recorded."""

    CANDLES = "candles"
    TRADES = "trades"
    DEPTH = "depth"
    BOOKS = "books"


@dataclass(frozen=True, slots=True)
class Recording:
    """One file. `interval` belongs to candles; the replay's clock starts at `start`.

    What lies before `start` is served as history; `history_bars` of `interval` (1m for trades).
    """

    path: Path
    kind: Kind
    coin: str
    interval: str | None
    rows: int
    first: datetime
    last: datetime
    start: datetime
    history_bars: int
    price: float


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file, by name, as arrays of one length."""

    path: Path
    kind: Kind
    arrays: dict[str, Column]

    def __getitem__(self, name: str) -> Column:
        """Return one column."""
        return self.arrays[name]

    @property
    def times_ms(self) -> NDArray[np.int64]:
        """Return the time of each row in whole milliseconds."""
        if self.kind is Kind.DEPTH:
            return np.asarray(self["local_ts_ns"] // NANOSECONDS_IN_MS, dtype=np.int64)
        return np.asarray(self["timestamp" if self.kind is Kind.TRADES else "ts"], dtype=np.int64)


def replay_start(path: str | Path, history_bars: int = DEFAULT_HISTORY_BARS) -> datetime:
    """Return the time at which a replay of `path` starts; give it to the ReplayClock as t0.

    Raises InvalidValue for a file that cannot be replayed.
    """
    return describe(path, history_bars).start


def describe(path: str | Path, history_bars: int = DEFAULT_HISTORY_BARS) -> Recording:
    """Return what `path` holds. Raises InvalidValue for a file that cannot be replayed."""
    return examined(load(path), history_bars)


def load(path: str | Path) -> Columns:
    """Read `path`. Raises InvalidValue when it is missing, no Parquet file or of no known kind."""
    place = Path(path)
    if not place.is_file():
        raise InvalidValue("feed", str(path), "'synthetic' or an existing Parquet file")
    # A quarter of the mock's memory, and only recordings need it.
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        table = pq.read_table(place)
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidValue("feed", str(path), "a readable Parquet file") from error
    kind = _kind(place, table.column_names)
    if table.num_rows < 2:
        raise InvalidValue("feed", f"{place.name}: {table.num_rows} rows", "at least two rows")
    arrays = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    return Columns(place, kind, arrays)


def examined(columns: Columns, history_bars: int) -> Recording:
    """Return the facts about `columns`. Raises InvalidValue when they cannot be replayed."""
    if history_bars < 0:
        raise InvalidValue("history_bars", history_bars, "0 or more")
    times = columns.times_ms
    back = np.flatnonzero(np.diff(times) < (1 if columns.kind is Kind.CANDLES else 0))
    if len(back):
        raise _refused(columns, f"row {int(back[0]) + 1} is not later than the row before", "rising times")
    interval, start_ms, history = None, int(times[0]), 0
    if columns.kind is Kind.CANDLES:
        interval = _interval(columns, times)
        _check_candles(columns)
        history = min(history_bars, len(times) - 1)
        start_ms = int(times[history])
    elif columns.kind is Kind.TRADES:
        history = _history_minutes(times, history_bars)
        start_ms = int(times[0]) - int(times[0]) % MINUTE_MS + history * MINUTE_MS if history else start_ms
    elif columns.kind is Kind.DEPTH:
        start_ms = int(times[_last_snapshot_row(columns)])
    return Recording(
        path=columns.path,
        kind=columns.kind,
        coin=coin_of(columns.path),
        interval=interval,
        rows=len(times),
        first=from_milliseconds(int(times[0])),
        last=from_milliseconds(int(times[-1])),
        start=from_milliseconds(start_ms),
        history_bars=history,
        price=_price(columns, int(np.searchsorted(times, start_ms))),
    )


def coin_of(path: Path) -> str:
    """Return the coin in a file name such as ``venue_BTCUSDC_1m_....parquet``.

    Raises InvalidValue when there is no symbol, or one that is not quoted in dollars.
    """
    symbols = [part for part in path.stem.split("_") if _SYMBOL.fullmatch(part)]
    if not symbols:
        raise InvalidValue("feed", path.name, "a name with a symbol, e.g. venue_BTCUSDC_1m_202507.parquet")
    words = symbols[0].removesuffix("-SWAP").replace("-", "")
    for quote in _QUOTES:
        if words.endswith(quote) and words != quote:
            return words.removesuffix(quote)
    if words.endswith(("ETH", "BTC")) and words not in {"ETH", "BTC"}:
        raise InvalidValue("feed", path.name, f"a symbol quoted in {', '.join(_QUOTES)}")
    return words


def _kind(path: Path, names: list[str]) -> Kind:
    known = set(names)
    wanted = {Kind.CANDLES: _CANDLE, Kind.TRADES: _TRADE, Kind.DEPTH: _DEPTH, Kind.BOOKS: _book_columns()}
    for kind, columns in wanted.items():
        if known.issuperset(columns):
            return kind
    allowed = " or ".join(f"{kind} ({' '.join(columns[:6])})" for kind, columns in wanted.items())
    raise InvalidValue("feed", f"{path.name}: columns {' '.join(names[:12])}", allowed)


def _book_columns() -> tuple[str, ...]:
    return ("ts", *(f"{side}{level}" for side in ("b", "bv", "a", "av") for level in range(1, 11)))


def _refused(columns: Columns, found: str, allowed: str) -> InvalidValue:
    return InvalidValue("feed", f"{columns.path.name}: {found}", allowed)


def _interval(columns: Columns, times: NDArray[np.int64]) -> str:
    step = Counter(np.diff(times).tolist()).most_common(1)[0][0]
    for interval, length_ms in INTERVALS.items():
        if length_ms != step:
            continue
        off = np.flatnonzero(times % step)
        if len(off):
            raise _refused(columns, f"row {int(off[0])} opens off the {interval} grid", "open times on the grid")
        return interval
    raise _refused(columns, f"bars of {step} ms", ", ".join(INTERVALS))


def _check_candles(columns: Columns) -> None:
    prices = {name: columns[name].astype(np.float64) for name in ("open", "high", "low", "close")}
    top = np.maximum(prices["open"], prices["close"])
    bottom = np.minimum(prices["open"], prices["close"])
    sound = (prices["high"] >= top) & (prices["low"] <= bottom) & (prices["low"] > 0)
    sound &= np.isfinite(prices["high"])
    broken = np.flatnonzero(~sound)
    if len(broken):
        raise _refused(columns, f"row {int(broken[0])} breaks low <= open, close <= high", "sound candles")


def _history_minutes(times: NDArray[np.int64], wanted: int) -> int:
    """Return how many minutes of trades may serve as history: half of the record at most."""
    return min(wanted, (int(times[-1]) - int(times[0])) // 2 // MINUTE_MS)


def _last_snapshot_row(columns: Columns) -> int:
    rows = np.flatnonzero(columns["type"] == _SNAPSHOT_ROW)
    if not len(rows):
        raise _refused(columns, "no snapshot row (type 4)", "a book that can be rebuilt")
    return int(rows[-1])


def _price(columns: Columns, row: int) -> float:
    row = min(row, len(columns.times_ms) - 1)
    if columns.kind is Kind.CANDLES:
        return float(columns["open"][row])
    if columns.kind is Kind.BOOKS:
        return float(columns["b1"][row])
    return float(columns["price"][row])
