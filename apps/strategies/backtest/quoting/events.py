"""A record of book events: one snapshot, every change of depth, every trade."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from apps.exchanges.market_data.history.quality.dataset import Dataset
from apps.strategies.backtest.quoting.soundness import require_sides, require_unbroken
from apps.strategies.backtest.quoting.tape import LEVEL, NS_PER_MS, TRADE, Code, Tape, Whole, in_lots, in_ticks
from apps.strategies.backtest.results import DataSource
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument

_CHANGE_ROW, _TRADE_ROW, _SNAPSHOT_ROW = 2, 3, 4
_NEEDED = ("local_ts_ns", "exch_ts_ms", "type", "side", "price", "size", "seq", "prev_seq")

Columns = Mapping[str, NDArray[np.generic]]
Rows = NDArray[np.intp]


def events_tape(dataset: Dataset, instrument: Instrument, source: DataSource) -> Tape:
    """Return the tape: the snapshot, then what came after it, in the order of the venue's stamps.

    Changes up to the snapshot's own sequence number are in it already. Those after it that were received before it
    are kept; trades before it are history nobody could have traded on.
    """
    columns = _columns(dataset)
    kinds, seq, happened = columns["type"], columns["seq"], _whole(columns, "exch_ts_ms") * NS_PER_MS
    opening = np.flatnonzero(kinds == _SNAPSHOT_ROW)
    if not len(opening):
        raise InvalidValue(dataset.name, "no snapshot (rows of type 4)", "a book to begin with")
    changes = np.flatnonzero(kinds == _CHANGE_ROW)
    require_unbroken(dataset.name, _whole(columns, "seq")[changes], _whole(columns, "prev_seq")[changes], changes)
    after = changes[seq[changes] > seq[opening[0]]]
    trades = np.flatnonzero((kinds == _TRADE_ROW) & (happened >= happened[opening[0]]))
    later = np.sort(np.concatenate([after, trades]))
    rows = np.concatenate([opening, later[np.argsort(happened[later], kind="stable")]])
    return _tape(columns, rows, len(opening), happened, instrument, source, dataset.name)


def _tape(
    columns: Columns, rows: Rows, opening: int, happened: Whole, instrument: Instrument, source: DataSource, name: str
) -> Tape:
    sides: Code = np.asarray(columns["side"][rows], dtype=np.int8)
    require_sides(name, sides, rows)
    kinds = np.where(columns["type"][rows] == _TRADE_ROW, TRADE, LEVEL).astype(np.int8)
    received = _whole(columns, "local_ts_ns")[rows]
    # The book begins when its snapshot is there: what was received before is heard with it.
    received = np.maximum(received, received[0])
    stamps = happened[rows]
    stamps[:opening] = min(int(stamps[0]), int(stamps[opening]) if len(rows) > opening else int(stamps[0]))
    return Tape(
        instrument=instrument,
        kinds=kinds,
        sides=sides,
        ticks=in_ticks(instrument, np.asarray(columns["price"][rows], dtype=np.float64)),
        lots=in_lots(instrument, np.asarray(columns["size"][rows], dtype=np.float64)),
        happened_ns=stamps,
        received_ns=received,
        opening=opening,
        source=source,
    )


def _columns(dataset: Dataset) -> Columns:
    names = dataset.table.column_names
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise InvalidValue(f"columns of {dataset.name}", f"{', '.join(missing)} missing", ", ".join(_NEEDED))
    empty = [name for name in _NEEDED if dataset.table.column(name).null_count]
    if empty:
        raise InvalidValue(f"columns of {dataset.name}", f"empty cells in {', '.join(empty)}", "a value in every row")
    return {name: dataset.table.column(name).to_numpy() for name in _NEEDED}


def _whole(columns: Columns, name: str) -> Whole:
    return np.asarray(columns[name], dtype=np.int64)
