"""A record of book snapshots: the best levels of each side at regular times, told as changes from one to the next.

Nothing says what traded in between: orders that rest are filled only when the other side comes through to them.
A level that leaves the window counts as gone, since nobody tells what became of it. Sizes are cut to whole lots: a
book shows what others may trade, in lots finer than ours.
"""

from __future__ import annotations

import numpy as np

from apps.exchanges.market_data.history.quality.dataset import Dataset
from apps.strategies.backtest.quoting.tape import BUY, LEVEL, NS_PER_MS, SELL, Tape, Whole, cut_to_lots, in_ticks
from apps.strategies.backtest.results import DataSource
from moondev.domain.instruments import Instrument


def snapshots_tape(dataset: Dataset, instrument: Instrument, source: DataSource) -> Tape:
    """Return the tape. Both stamps are the record's own time: it was taken and received then."""
    sides = [_changes(dataset, instrument, "b", BUY), _changes(dataset, instrument, "a", SELL)]
    at, ticks, lots, side = (np.concatenate([one[part] for one in sides]) for part in range(4))
    # What leaves goes before what comes, or the two sides would meet half-way.
    order = np.lexsort((lots > 0, at))
    stamps = dataset.stamps[at[order]] * NS_PER_MS
    return Tape(
        instrument=instrument,
        kinds=np.full(len(order), LEVEL, np.int8),
        sides=side[order].astype(np.int8),
        ticks=ticks[order],
        lots=lots[order],
        happened_ns=stamps,
        received_ns=stamps,
        opening=int(np.count_nonzero(at == 0)),
        source=source,
    )


def _changes(dataset: Dataset, instrument: Instrument, name: str, side: int) -> tuple[Whole, Whole, Whole, Whole]:
    """Return the changes of one side: in which snapshot, at which tick, to how many lots, and the side."""
    depth = sum(column.startswith(name) and column[1:].isdigit() for column in dataset.table.column_names)
    prices = np.stack([dataset.numbers(f"{name}{level}") for level in range(1, depth + 1)], axis=1)
    sizes = np.stack([dataset.numbers(f"{name}v{level}") for level in range(1, depth + 1)], axis=1)
    there = np.isfinite(prices) & (sizes > 0)
    at = np.repeat(np.arange(len(prices)), depth)[there.ravel()]
    ticks, lots = in_ticks(instrument, prices[there]), cut_to_lots(instrument, sizes[there])
    order = np.lexsort((at, ticks))
    at, ticks, lots = at[order], ticks[order], lots[order]
    same = (ticks[1:] == ticks[:-1]) & (at[1:] == at[:-1] + 1)
    news = np.concatenate([[True], ~(same & (lots[1:] == lots[:-1]))])
    # A level that is not in the next snapshot goes with it.
    goes = np.concatenate([~same, [True]]) & (at + 1 < len(prices))
    when = np.concatenate([at[news], at[goes] + 1])
    what = np.concatenate([lots[news], np.zeros(int(goes.sum()), np.int64)])
    where = np.concatenate([ticks[news], ticks[goes]])
    return when, where, what, np.full(len(when), side, np.int64)
