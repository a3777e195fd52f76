"""The replay: market, orders and answers, each at its time, until the record ends."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol

from apps.strategies.backtest.quoting.ear import Ear
from apps.strategies.backtest.quoting.floor import Floor
from apps.strategies.backtest.quoting.latency import OrderDelays
from apps.strategies.backtest.quoting.told import Fill, Told
from moondev.domain.orders import OrderRequest


class Trader(Protocol):
    """Whoever trades: woken when it asked to be, told what became of its orders."""

    def next_wake(self, now_ns: int) -> int | None:
        """Return when to be woken by the clock after `now_ns`; None: never again."""
        ...

    def wake(self, now_ns: int) -> Sequence[OrderRequest]:
        """Return what to ask of the venue now."""
        ...

    def hear(self, told: Told) -> bool:
        """Take note of an answer; return whether to be woken at once."""
        ...


class _Turn(IntEnum):
    """What goes first at one moment; rows of the market, which lie on the tapes, go before all of it."""

    ANSWER = 0
    ARRIVAL = 1
    NUDGE = 2
    WAKE = 3


class _Item(NamedTuple):
    at_ns: int
    turn: _Turn
    number: int
    what: Told | OrderRequest | None


class Session:
    """One trader at several markets of one or more venues."""

    def __init__(self, floors: Mapping[str, Floor], ears: Mapping[str, Ear], delays: OrderDelays) -> None:
        """Join the venue's side and ours of every market, by instrument key."""
        self._floors, self._ears, self._delays = floors, ears, delays
        self._post: list[_Item] = []
        self._number = 0
        self.fills: list[Fill] = []
        self.asked = 0

    @property
    def starts_ns(self) -> int:
        """Return when every market has been heard of."""
        return max(ear.starts_ns for ear in self._ears.values())

    @property
    def ends_ns(self) -> int:
        """Return when the last news of any market is heard."""
        return max(ear.ends_ns for ear in self._ears.values())

    def run(self, trader: Trader, on_progress: Callable[[float], None] | None = None) -> None:
        """Play everything; `on_progress` is told the share that is done, at every wake."""
        starts, ends = self.starts_ns, self.ends_ns
        self._put(trader.next_wake(starts), _Turn.WAKE, None)
        while True:
            next_ns = self._post[0].at_ns if self._post else ends + 1
            if self._play_row(min(next_ns, ends)):
                continue
            if next_ns > ends:
                return
            item = heapq.heappop(self._post)
            if item.turn is _Turn.ARRIVAL:
                self._arrive(item)
            elif item.turn is _Turn.ANSWER:
                self._answer(item, trader)
            else:
                self._wake(item, trader)
                if on_progress is not None and ends > starts:
                    on_progress(min(1.0, max(0, item.at_ns - starts) / (ends - starts)))

    def _play_row(self, until_ns: int) -> bool:
        """Let the earliest row that concerns an order of ours happen; return whether there was one."""
        first: tuple[int, int, Floor] | None = None
        for floor in self._floors.values():
            row = floor.next_row(until_ns)
            if row is None:
                continue
            at_ns = int(floor.tape.happened_ns[row])
            if first is None or at_ns < first[0]:
                first = (at_ns, row, floor)
        if first is None:
            return False
        first[2].play(first[1])
        self._collect(first[2])
        return True

    def _arrive(self, item: _Item) -> None:
        if item.what is None or isinstance(item.what, Told):
            return
        floor = self._floors[item.what.instrument]
        floor.skip(item.at_ns)
        floor.receive(item.what, item.at_ns)
        self._collect(floor)

    def _collect(self, floor: Floor) -> None:
        """Send off what a market tells."""
        if not floor.told:
            return
        for told in floor.told:
            if isinstance(told, Fill):
                self.fills.append(told)
            back = self._delays.answer_ns(self._ears[told.instrument].news_age(told.at_ns))
            self._put(told.at_ns + back, _Turn.ANSWER, told)
        floor.told.clear()

    def _answer(self, item: _Item, trader: Trader) -> None:
        if isinstance(item.what, Told) and trader.hear(item.what):
            self._put(item.at_ns, _Turn.NUDGE, None)

    def _wake(self, item: _Item, trader: Trader) -> None:
        now_ns = item.at_ns
        requests = trader.wake(now_ns)
        self.asked += len(requests)
        for request in requests:
            there = self._delays.entry_ns(self._ears[request.instrument].news_age(now_ns))
            self._put(now_ns + there, _Turn.ARRIVAL, request)
        if item.turn is _Turn.WAKE:
            self._put(trader.next_wake(now_ns), _Turn.WAKE, None)

    def _put(self, at_ns: int | None, turn: _Turn, what: Told | OrderRequest | None) -> None:
        if at_ns is not None:
            self._number += 1
            heapq.heappush(self._post, _Item(at_ns, turn, self._number, what))
