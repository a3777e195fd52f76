"""What ``manage.py data record`` runs: one venue's stream into the lake, its candles and trades into SQL too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from apps.exchanges.market_data.history.keeper import BarKeeper
from apps.exchanges.market_data.history.live import LiveRows
from apps.exchanges.market_data.history.series import Kind
from apps.exchanges.ports import MarketHandler, MarketSubscription, Stream
from moondev.domain.clock import monotonic

OpenStream = Callable[[Sequence[MarketSubscription], MarketHandler], Stream]

LOOK_EVERY_SECONDS = 0.5
# What waits for a disk that is full or a database that is away; beyond it the newest rows of the kinds that no
# history brings back are let go, and counted.
MOST_WAITING = 1_000_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How a recording does: rows heard by kind, rows written, and what did not go well."""

    seconds: float
    counts: dict[Kind, int]
    written: int
    waiting: int
    let_go: int
    refused: int
    unreadable: int
    connected: bool


@dataclass(slots=True)
class Recording:
    """Records `symbols` until it is stopped, or for `seconds` of real time when they are given."""

    keeper: BarKeeper
    open_stream: OpenStream
    symbols: Sequence[str]
    kinds: Collection[Kind]
    intervals: Sequence[timedelta]
    progress: Callable[[Progress], None] = lambda _: None
    seconds: float | None = None
    let_go: int = 0
    _stopping: bool = False
    _rows: LiveRows = field(init=False)
    _stream: Stream = field(init=False)

    def __post_init__(self) -> None:
        intervals = self.intervals if Kind.CANDLES in self.kinds else ()
        self._rows = LiveRows(
            self.keeper.venue, self.symbols, intervals, self.kinds, self.keeper.bars, self.keeper.doubt
        )
        wanted = [
            MarketSubscription(
                symbol,
                candles=tuple(intervals),
                book=Kind.BOOKS in self.kinds,
                trades=Kind.TRADES in self.kinds,
                mark=Kind.MARKS in self.kinds,
            )
            for symbol in self.symbols
        ]
        self._stream = self.open_stream(wanted, self._rows.take)
        for symbol in self.symbols:
            self.keeper.watch(symbol, tuple(intervals))

    def stop(self) -> None:
        """Ask `run` to write what it has and return."""
        self._stopping = True
        self._stream.stop()

    async def run(self) -> None:
        """Record until stopped. Raises what the stream raised."""
        streaming = asyncio.create_task(self._stream.run())
        keeping = asyncio.create_task(self.keeper.run())
        began = monotonic()
        try:
            while not (self._stopping or streaming.done() or self._over(began)):
                await asyncio.wait([streaming], timeout=LOOK_EVERY_SECONDS)
                self._rows.close_due(self.keeper.clock.now())
                self._hand_over()
                self.progress(self._state(began))
        finally:
            self._stream.stop()
            await asyncio.wait([streaming], timeout=LOOK_EVERY_SECONDS * 4)
            self._hand_over()
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            self.progress(self._state(began))
        if streaming.done() and not streaming.cancelled() and (error := streaming.exception()) is not None:
            raise error

    def _hand_over(self) -> None:
        drained = self._rows.drain()
        if self.keeper.sink.waiting > MOST_WAITING:
            self.let_go += sum(map(len, drained.values()))
            return
        for key, rows in drained.items():
            self.keeper.sink.put(key, rows)

    def _over(self, began: float) -> bool:
        return self.seconds is not None and monotonic() - began >= self.seconds

    def _state(self, began: float) -> Progress:
        return Progress(
            monotonic() - began, dict(self._rows.counts), self.keeper.written, self.keeper.sink.waiting, self.let_go,
            self._rows.refused, self._stream.unreadable, self._stream.connected,
        )  # fmt: skip
