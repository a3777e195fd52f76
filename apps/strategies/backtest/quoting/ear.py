"""Our side of one market: what we have heard of it by a given moment, and nothing that comes later."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np

from apps.strategies.backtest.quoting.floor import Tables
from apps.strategies.backtest.quoting.house import moment
from apps.strategies.backtest.quoting.latency import Feed
from apps.strategies.backtest.quoting.levels import Ladder, Levels
from moondev.domain.market_data import Book, BookLevel


class Ear:
    """Listens to one tape through a feed."""

    def __init__(self, tables: Tables, feed: Feed) -> None:
        """Prepare what is heard and when. Raises InvalidValue for news from the future."""
        tape = tables.tape
        heard = feed.heard_ns(tape)
        if np.all(np.diff(heard) >= 0):
            order, levels = np.arange(len(tape)), replace(tables.levels, at_ns=heard[tables.levels.rows])
        else:
            order = np.argsort(heard, kind="stable")
            levels = Levels.of(tape, order, heard)
        self.tape, self.order, self.heard_ns = tape, order, heard[order]
        self._ladder = Ladder(levels)
        self._tick, self._lot = float(tape.tick), float(tape.lot)
        # The opening book is known from the start.
        self.starts_ns = int(self.heard_ns[max(0, tape.opening - 1)])

    @property
    def ends_ns(self) -> int:
        """Return when the last row is heard."""
        return int(self.heard_ns[-1])

    def news_age(self, now_ns: int) -> int:
        """Return how long the newest news by `now_ns` took to us, in nanoseconds."""
        last = int(np.searchsorted(self.heard_ns, now_ns, side="right")) - 1
        return int(self.heard_ns[last] - self.tape.happened_ns[self.order[last]]) if last >= 0 else 0

    def newest_ns(self, now_ns: int) -> int | None:
        """Return when the newest news by `now_ns` was heard; None when there was none."""
        last = int(np.searchsorted(self.heard_ns, now_ns, side="right")) - 1
        return int(self.heard_ns[last]) if last >= 0 else None

    def touch(self, now_ns: int) -> tuple[int, int] | None:
        """Return best bid and best ask in ticks, as heard by `now_ns`; None while a side is empty or they cross."""
        self._ladder.move(now_ns)
        bid, ask = self._ladder.best_bid(), self._ladder.best_ask()
        return None if bid is None or ask is None or bid >= ask else (bid, ask)

    def book(self, now_ns: int, depth: int) -> Book | None:
        """Return the best `depth` levels a side, as heard by `now_ns`; None while nobody could trade on them."""
        if self.touch(now_ns) is None:
            return None
        last = int(np.searchsorted(self.heard_ns, now_ns, side="right")) - 1
        sides = (islice(self._ladder.bids(), depth), islice(self._ladder.asks(), depth))
        bids, asks = (tuple(self._level(tick, lots) for tick, lots in side) for side in sides)
        sent = int(self.tape.happened_ns[self.order[last]])
        return Book(bids, asks, moment(sent), moment(int(self.heard_ns[last])))

    def _level(self, tick: int, lots: int) -> BookLevel:
        return BookLevel(_clean(tick * self._tick), _clean(lots * self._lot))


def _clean(number: float) -> float:
    """Return a product of a whole number and a step without the dust of the multiplication."""
    return round(number, 9)
