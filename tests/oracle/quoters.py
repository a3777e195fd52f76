"""A plain quoter on recorded books, under several queues, delays and rules of filling."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.oracle.questions import Engine, Given, Question
from tests.oracle.series import recording

HFTBACKTEST = Engine("hftbacktest", "hftbacktest_quoter.py")
RECORD = "l2/binance_usdm_BTCUSDT_20240808.parquet"
TICK, LOT = 0.1, 0.001
_MS = 1_000_000
_PLAIN = {"feed_ns": 5 * _MS, "shift_ns": 0, "entry_ns": 5 * _MS, "answer_ns": 5 * _MS, "power": None}
CASES: tuple[dict[str, Any], ...] = (
    {**_PLAIN, "name": "touch", "offset": 0, "lots": 1, "filled": "whole"},
    {**_PLAIN, "name": "touch, 50 lots", "offset": 0, "lots": 50, "filled": "whole"},
    {**_PLAIN, "name": "touch, 50 lots in parts", "offset": 0, "lots": 50, "filled": "partial"},
    {**_PLAIN, "name": "2 behind, 20 lots in parts", "offset": 2, "lots": 20, "filled": "partial"},
    {**_PLAIN, "name": "10 behind, 200 lots in parts", "offset": 10, "lots": 200, "filled": "partial"},
    {**_PLAIN, "name": "20 behind", "offset": 20, "lots": 10, "filled": "whole"},
    {**_PLAIN, "name": "touch, slow orders", "offset": 0, "lots": 10, "filled": "whole", "entry_ns": 80 * _MS},
    {**_PLAIN, "name": "touch, shared queue", "offset": 0, "lots": 10, "filled": "whole", "power": 1.0},
    {**_PLAIN, "name": "5 behind, squared queue", "offset": 5, "lots": 10, "filled": "whole", "power": 2.0},
    {**_PLAIN, "name": "touch, as recorded", "offset": 0, "lots": 10, "filled": "whole", "feed_ns": None,
     "shift_ns": 1_280 * _MS},
)  # fmt: skip
COLUMNS = ("local_ts_ns", "exch_ts_ms", "type", "side", "price", "size", "seq", "prev_seq")


def recorded_events() -> dict[str, np.ndarray]:
    """Return the record as it lies there. Raises RecordingAbsent."""
    table = pq.read_table(recording(RECORD)).rename_columns({"qty": "size"})
    return {name: table[name].to_numpy() for name in COLUMNS}


class _Walk:
    """A made-up book of ten levels a side: whole numbers from one seed, so the same on every machine."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._middle, self._ms, self._seq = 600_000, 1_700_000_000_000, 1_000
        self._book = {side: {self._middle - side * (d + 1): self._size() for d in range(10)} for side in (1, -1)}
        self.rows: list[tuple[int, int, int, int, int, int, int]] = []

    def _size(self) -> int:
        return int(self._random.integers(1, 60))

    def _add(self, kind: int, side: int, tick: int, lots: int, seq: int, previous: int) -> None:
        self.rows.append((self._ms, kind, side, tick, lots, seq, previous))

    def play(self, messages: int) -> None:
        for side, levels in self._book.items():
            for tick, lots in levels.items():
                self._add(4, side, tick, lots, self._seq, 0)
        for number in range(messages):
            self._ms += int(self._random.integers(1, 40))
            if self._random.integers(0, 3) == 0:
                self._trades(number)
            else:
                self._changes()

    def _best(self, side: int) -> int:
        return side * max(side * tick for tick in self._book[side])

    def _trades(self, number: int) -> None:
        side = 1 if self._random.integers(0, 2) else -1
        best = self._best(-side)
        standing = self._book[-side][best]
        lots = min(self._size(), standing)
        self._add(3, side, best, lots, number + 1, 0)
        self._tell({(-side, best): standing - lots})

    def _changes(self) -> None:
        side = 1 if self._random.integers(0, 2) else -1
        best, other = self._best(side), self._best(-side)
        room = abs(other - best) > 1
        tick = (
            best + side
            if room and self._random.integers(0, 4) == 0
            else best - side * int(self._random.integers(0, 10))
        )
        lots = 0 if self._random.integers(0, 3) == 0 else self._size()
        self._tell({(side, tick): lots})

    def _tell(self, changes: dict[tuple[int, int], int]) -> None:
        """Tell changes as one message, with what keeps ten levels on a side from running dry."""
        for (side, tick), lots in list(changes.items()):
            self._book[side].pop(tick, None)
            if lots:
                self._book[side][tick] = lots
            while len(self._book[side]) < 5:
                below = (
                    side * min(side * level for level in self._book[side]) - side if self._book[side] else tick - side
                )
                self._book[side][below] = changes[side, below] = self._size()
        before, self._seq = self._seq, self._seq + len(changes)
        for (side, tick), lots in changes.items():
            self._add(2, side, tick, lots, self._seq, before)


def walked_events(messages: int = 8_000) -> dict[str, np.ndarray]:
    """Return a made-up record, received 1.2 s too early and a few milliseconds late, as recorders do."""
    walk = _Walk(seed=8)
    walk.play(messages)
    ms, kinds, sides, ticks, lots, seq, previous = (
        np.array(column, np.int64) for column in zip(*walk.rows, strict=True)
    )
    late = np.random.default_rng(9).integers(1, 9, len(ms)) * _MS
    received = np.maximum.accumulate(ms * _MS + late) - 1_200 * _MS
    return {
        "local_ts_ns": received, "exch_ts_ms": ms, "type": kinds.astype(np.int8), "side": sides.astype(np.int8),
        "price": np.round(ticks * TICK, 1), "size": np.round(lots * LOT, 3), "seq": seq, "prev_seq": previous,
    }  # fmt: skip


def table_of(events: dict[str, np.ndarray]) -> pa.Table:
    """Return a record as our reader takes it from a file."""
    return pa.table(events)


EVENTS = MappingProxyType({"recorded": recorded_events, "walk": walked_events})
_PARAMETERS = {"tick": TICK, "lot": LOT, "cases": list(CASES)}
QUOTERS = MappingProxyType(
    {
        data: Question(f"quoter.{data}.hftbacktest", HFTBACKTEST, lambda events=events: Given(events(), _PARAMETERS))
        for data, events in EVENTS.items()
    }
)
