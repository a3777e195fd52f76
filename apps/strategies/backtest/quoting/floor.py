"""One market at the venue: the recorded book, our orders in it, and what the record does to them.

What is assumed, because a record cannot tell what our orders would have changed:

- Our orders move nobody: the book and the trades go on as recorded.
- We fill when the record trades at our price and our turn in the queue has come, when it trades beyond our price, and
  when somebody offers at our price or better. Beyond our price we fill whole: whoever traded there had to pass us.
- What a trade brings to our price is given out once, oldest order of ours first. What we take from the book is gone
  until the record says anew how much stands at that price.
- Stops look at the last trade; at the middle of the book where no trades are recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.quoting.counter import Counter
from apps.strategies.backtest.quoting.house import TapeClock, opened
from apps.strategies.backtest.quoting.levels import Ladder, Levels
from apps.strategies.backtest.quoting.queues import Queue, QueueModel
from apps.strategies.backtest.quoting.reach import Reach
from apps.strategies.backtest.quoting.resting import Resting, Watch, before_each, best_first, other
from apps.strategies.backtest.quoting.tape import BUY, TRADE, Tape
from apps.strategies.backtest.quoting.told import Fills, Told
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import OrderRequest
from moondev.domain.values import Price

# Rows looked at in one go: enough to be quick, few enough that a fill does not waste the look.
_GLANCE = 20_000
_NOTHING: NDArray[np.intp] = np.zeros(0, np.intp)


class Tables:
    """What is computed once for a tape, whatever is then tried on it."""

    def __init__(self, tape: Tape) -> None:
        """Prepare `tape`."""
        self.tape = tape
        self.levels = Levels.of(tape, np.arange(len(tape)), tape.happened_ns)
        self.watch = Watch(tape)
        self.before = before_each(tape, self.levels.rows, self.levels.before)
        self.trades = np.flatnonzero(tape.kinds == TRADE)
        # Where a book is whole: the last row of each stamp.
        self.wholes = np.flatnonzero(np.diff(tape.happened_ns, append=tape.ends_ns + 1))


@dataclass(frozen=True, slots=True)
class Purse:
    """What our account at the venue holds, in the quote currency, and the leverage it trades with."""

    capital: Decimal
    leverage: Decimal


class Floor:
    """The venue's side of one market. What it tells is collected in `told`, in order, until somebody takes it."""

    def __init__(self, tables: Tables, costs: Costs, purse: Purse, queues: QueueModel, fills: Fills) -> None:
        """Open the market with the book the tape begins with."""
        self._tables, self._fills = tables, fills
        self.tape = tables.tape
        self.row = self.tape.opening
        self._ladder = Ladder(tables.levels)
        self._ladder.move_to(int(np.searchsorted(tables.levels.rows, self.row)))
        self._clock = TapeClock(self.tape.starts_ns)
        mark = Price(self._mark() * self.tape.tick)
        exchange = opened(self.tape, costs, purse.capital, purse.leverage, self._clock, mark)
        market = exchange.house().market(self.tape.key)
        reach = Reach(self.tape, tables.levels, self._ladder, exchange.house(), market)
        self._counter = Counter(self.tape, exchange, reach, self._clock, self._join)
        self._queues = queues
        self._ahead, self._looked_to = _NOTHING, self.row

    @property
    def told(self) -> list[Told]:
        """Return what was told since somebody last took it."""
        return self._counter.told

    @property
    def orders(self) -> dict[int, Resting]:
        """Return our resting orders by the venue's id."""
        return self._counter.resting

    @property
    def position(self) -> Decimal:
        """Return what we hold here by the venue's own account, signed."""
        return self._counter.position

    def next_row(self, until_ns: int) -> int | None:
        """Return the next row that concerns our orders and happened by `until_ns`; None when there is none."""
        if self._counter.changed:
            self._counter.changed, self._ahead, self._looked_to = False, _NOTHING, self.row
        while not len(self._ahead):
            stop = min(self._looked_to + _GLANCE, len(self.tape))
            idle = not self._counter.resting and not self._counter.waiting
            if idle or self._looked_to >= stop or self.tape.happened_ns[self._looked_to] > until_ns:
                return None
            self._ahead = self._concerning(self._looked_to, stop)
            self._looked_to = stop
        row = int(self._ahead[0])
        return row if self.tape.happened_ns[row] <= until_ns else None

    def _concerning(self, start: int, stop: int) -> NDArray[np.intp]:
        rows = self._tables.watch.concerned(self._counter.resting.values(), start, stop)
        if not self._counter.waiting:
            return rows
        if len(self._tables.trades):
            marks = self._tables.watch.traded_beyond(*self._counter.trigger_bounds(), start, stop)
        else:
            wholes = self._tables.wholes
            marks = wholes[np.searchsorted(wholes, start) : np.searchsorted(wholes, stop)]
        return np.union1d(rows, marks)

    def skip(self, until_ns: int) -> None:
        """Let everything up to `until_ns` have happened; call when no row of it concerns us."""
        row = int(np.searchsorted(self.tape.happened_ns, until_ns, side="right"))
        if row > self.row:
            self.row = row
            self._ahead = self._ahead[np.searchsorted(self._ahead, row) :]
            self._looked_to = max(self._looked_to, row)

    def play(self, row: int) -> None:
        """Let one row happen to our orders."""
        self._clock.now_ns = int(self.tape.happened_ns[row])
        self.row, self._ahead = row + 1, self._ahead[1:]
        side, tick, lots = int(self.tape.sides[row]), int(self.tape.ticks[row]), int(self.tape.lots[row])
        if self.tape.kinds[row] == TRADE:
            self._trade(other(side), tick, lots)
        else:
            for order in best_first(self._counter.resting.values(), side):
                if order.tick == tick:
                    order.queue.changed(int(self._tables.before[row]), lots)
            if lots:
                self._come_through(other(side), tick)
        if self._counter.waiting:
            self._ladder.move(self._clock.now_ns)
            self._counter.mark(self._mark())

    def _trade(self, side: int, tick: int, lots: int) -> None:
        """Let somebody trade `lots` at `tick` against our resting orders of `side`."""
        left = lots
        for order in best_first(self._counter.resting.values(), side):
            if order.tick > tick if side == BUY else order.tick < tick:
                self._counter.execute(order, order.remaining)
            elif order.tick == tick:
                order.queue.traded(lots)
                left -= self._counter.execute(order, self._turn(order, left))

    def _turn(self, order: Resting, left: int) -> int:
        due = order.queue.due
        if self._fills is Fills.WHOLE:
            return order.remaining if due else 0
        return min(due, left, order.remaining)

    def _come_through(self, side: int, tick: int) -> None:
        """Fill our resting orders of `side` that somebody now meets at `tick`."""
        for order in best_first(self._counter.resting.values(), side):
            if order.tick >= tick if side == BUY else order.tick <= tick:
                self._counter.execute(order, order.remaining)

    def receive(self, request: OrderRequest, at_ns: int) -> None:
        """Let a request of ours arrive at `at_ns`; everything up to then must have happened."""
        self._clock.now_ns = at_ns
        self._ladder.move(at_ns)
        self._counter.mark(self._mark())
        self._counter.receive(request)

    def _join(self, tick: int, side: int) -> Queue:
        """Return an order's place behind what stands at its price, ours included."""
        ours = sum(o.remaining for o in self._counter.resting.values() if o.is_buy is (side == BUY) and o.tick == tick)
        standing = self._ladder.standing(tick, is_buy=side == BUY)
        return self._queues.join(standing + ours)

    def _mark(self) -> int:
        """Return the last trade's tick; the middle of the book, cut to the grid, where none was recorded."""
        trades = self._tables.trades
        before = int(np.searchsorted(trades, self.row))
        if before:
            return int(self.tape.ticks[trades[before - 1]])
        bid, ask = self._ladder.best_bid(), self._ladder.best_ask()
        if bid is None or ask is None:
            raise InvalidValue(f"{self.tape.key}, book", "a side is empty", "bids and asks at all times")
        return (bid + ask) // 2
