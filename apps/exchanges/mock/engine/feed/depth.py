"""Replays of recorded order books: depth events with their trades, or plain book snapshots."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from apps.exchanges.mock.engine.feed.mirror import Mirror
from apps.exchanges.mock.engine.feed.recorded import require_replay_clock
from apps.exchanges.mock.engine.feed.recording import Columns, Kind, Recording
from apps.exchanges.mock.engine.grid import Grid
from apps.exchanges.mock.engine.house import House
from apps.exchanges.mock.engine.market import Market
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue

_LEVELS = 20
_RAW_LEVELS = 400
_DELTA_ROW, _TRADE_ROW, _SNAPSHOT_ROW = 2, 3, 4
_MARK_INTERVAL_MS = 1_000
_SYNC_MS = 10
# Rows per call, so that a late start does not block the venue.
_MAX_ROWS = 50_000

Sizes = dict[int, int]


def levels_of(raw: dict[float, float], grid: Grid, *, is_buy: bool) -> Sizes:
    """Return the best levels of a recorded side on our grid; finer prices are added up outwards."""
    levels: Sizes = {}
    for price in sorted(raw, reverse=is_buy)[:_RAW_LEVELS]:
        units = round(price * grid.price_unit)
        px = grid.floor(units) if is_buy else grid.ceil(units)
        if px not in levels and len(levels) == _LEVELS:
            break
        levels[px] = levels.get(px, 0) + round(raw[price] * grid.size_unit)
    return {px: size for px, size in levels.items() if size > 0}


class Script(Protocol):
    """Plays rows of one kind of file."""

    def play(self, now_ms: int) -> int:
        """Play what is due by `now_ms`; return the time that was reached."""
        ...


class SnapshotScript:
    """Shows each recorded book at its time. There are no trades in it, so bars follow the middle."""

    def __init__(self, columns: Columns, house: House, market: Market) -> None:
        """Begin at the first row."""
        self._columns = columns
        self._times = columns.times_ms
        self._house, self._market = house, market
        self._mirror = Mirror(house, market)
        self._row = 0

    def play(self, now_ms: int) -> int:
        """Show the rows that are due; of several only the newest matters."""
        end = int(np.searchsorted(self._times, now_ms, side="right"))
        if end == self._row:
            return now_ms
        self._row, row = end, end - 1
        self._house.at(int(self._times[row]))
        bids, asks = self._side(row, "b", is_buy=True), self._side(row, "a", is_buy=False)
        self._mirror.show(bids, asks)
        middle = self._market.grid.floor((max(bids) + min(asks)) // 2)
        self._house.print(self._market, middle, 0)
        self._house.refresh_mark(self._market, middle)
        return now_ms

    def _side(self, row: int, name: str, *, is_buy: bool) -> Sizes:
        raw = {
            float(self._columns[f"{name}{level}"][row]): float(self._columns[f"{name}v{level}"][row])
            for level in range(1, 11)
        }
        return levels_of(raw, self._market.grid, is_buy=is_buy)


class DepthScript:
    """Rebuilds the book from its snapshot and deltas and lets every recorded trade happen."""

    def __init__(self, columns: Columns, house: House, market: Market, start_ms: int) -> None:
        """Load the snapshot and the deltas after it, up to the start."""
        self._columns = columns
        self._times = columns.times_ms
        self._house, self._market = house, market
        self._mirror = Mirror(house, market)
        self._bids: dict[float, float] = {}
        self._asks: dict[float, float] = {}
        self._row = self._next_mark_ms = self._synced_ms = 0
        self._snapshot_seq = 0
        self._load_snapshot(start_ms)

    def play(self, now_ms: int) -> int:
        """Apply the rows that are due, then show the book."""
        due = int(np.searchsorted(self._times, now_ms, side="right"))
        end = min(due, self._row + _MAX_ROWS)
        if end <= self._row:
            return now_ms
        span = slice(self._row, end)
        names = ("type", "side", "price", "qty", "seq")
        rows = zip(self._times[span].tolist(), *(self._columns[name][span].tolist() for name in names), strict=True)
        for time_ms, kind, side, price, size, seq in rows:
            if kind == _DELTA_ROW and seq > self._snapshot_seq:
                self._change(self._bids if side == 1 else self._asks, price, size)
            elif kind == _TRADE_ROW:
                self._trade(time_ms, price, size, is_buy=side == 1)
        self._row = end
        self._show(int(self._times[end - 1]))
        return now_ms if end == due else int(self._times[end - 1])

    def _load_snapshot(self, start_ms: int) -> None:
        kinds = self._columns["type"]
        rows = np.flatnonzero(kinds == _SNAPSHOT_ROW)
        self._snapshot_seq = int(self._columns["seq"][rows[0]])
        for row in rows.tolist():
            own = self._bids if self._columns["side"][row] == 1 else self._asks
            own[float(self._columns["price"][row])] = float(self._columns["qty"][row])
        # Deltas that were received before the snapshot but belong after it are in its future.
        for row in np.flatnonzero((kinds == _DELTA_ROW) & (np.arange(len(kinds)) < rows[-1])).tolist():
            if self._columns["seq"][row] > self._snapshot_seq:
                own = self._bids if self._columns["side"][row] == 1 else self._asks
                self._change(own, float(self._columns["price"][row]), float(self._columns["qty"][row]))
        self._row = int(rows[-1]) + 1
        self._show(start_ms)

    @staticmethod
    def _change(own: dict[float, float], price: float, size: float) -> None:
        if size:
            own[price] = size
        else:
            own.pop(price, None)

    def _trade(self, time_ms: int, price: float, size: float, *, is_buy: bool) -> None:
        grid = self._market.grid
        if time_ms >= self._synced_ms + _SYNC_MS:
            self._show(time_ms)
        self._house.at(time_ms)
        px, units = grid.nearest(price), round(size * grid.size_unit)
        if units > 0:
            reach = grid.ceil(round(price * grid.price_unit)) if is_buy else grid.floor(round(price * grid.price_unit))
            self._house.take(self._market, reach, units, is_buy=is_buy)
        self._house.print(self._market, px, max(0, units))

    def _show(self, time_ms: int) -> None:
        self._synced_ms = time_ms
        self._house.at(time_ms)
        bids = levels_of(self._bids, self._market.grid, is_buy=True)
        asks = levels_of(self._asks, self._market.grid, is_buy=False)
        if not bids or not asks or max(bids) >= min(asks):
            return  # half an update; the next row completes it
        self._mirror.show(bids, asks)
        if time_ms >= self._next_mark_ms:
            self._next_mark_ms = time_ms + _MARK_INTERVAL_MS
            self._house.refresh_mark(self._market, self._market.grid.floor((max(bids) + min(asks)) // 2))


class BookFeed:
    """Replays one recorded book."""

    def __init__(self, columns: Columns, recording: Recording) -> None:
        """Prepare; nothing happens before `start`."""
        self._columns = columns
        self._recording = recording
        self._script: Script | None = None

    def start(self, house: House, now_ms: int) -> None:
        """Open the market with the first recorded book."""
        require_replay_clock(self._recording, now_ms)
        house.rewind(min(now_ms, milliseconds(self._recording.start)))
        market = house.market(self._recording.coin)
        market.bars.from_tape = True
        house.start(market, market.grid.nearest(self._recording.price))
        if self._recording.kind is Kind.BOOKS:
            self._script = SnapshotScript(self._columns, house, market)
        else:
            self._script = DepthScript(self._columns, house, market, milliseconds(self._recording.start))

    def advance(self, now_ms: int) -> int:
        """Play the rows that are due."""
        if self._script is None:
            raise InvalidValue("feed", "not started", "a feed that is attached to an exchange")
        return self._script.play(now_ms)

    def skip_to(self, now_ms: int) -> None:
        """Catch up with the book as it is at `now_ms`: a book cannot leave out its deltas."""
        self.advance(now_ms)
