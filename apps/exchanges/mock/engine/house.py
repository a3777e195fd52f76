"""The market's own flow: what a feed may do. House orders need no margin, pay nothing, tell nobody."""

from __future__ import annotations

from apps.exchanges.mock.engine.api import CancelReason, Tif
from apps.exchanges.mock.engine.bars import Bar
from apps.exchanges.mock.engine.lifecycle import Lifecycle
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.marks import Marks
from apps.exchanges.mock.engine.matching import Matcher
from apps.exchanges.mock.engine.orders import Order
from apps.exchanges.mock.engine.tape import Tape
from apps.exchanges.mock.engine.venue import HOUSE_MAKER, HOUSE_TAKER, Venue


class House:
    """Quotes, takes and prints on behalf of a feed. Prices and sizes in whole units."""

    __slots__ = ("_lifecycle", "_marks", "_matcher", "_tape", "_venue")

    def __init__(self, venue: Venue, lifecycle: Lifecycle, matcher: Matcher, marks: Marks, tape: Tape) -> None:
        self._venue = venue
        self._lifecycle = lifecycle
        self._matcher = matcher
        self._marks = marks
        self._tape = tape

    def markets(self) -> tuple[Market, ...]:
        """Return every market."""
        return tuple(self._venue.markets.values())

    def market(self, coin: str) -> Market:
        """Return the market of `coin`. Raises InvalidValue when there is none."""
        return self._venue.market(coin)

    def at(self, time_ms: int) -> None:
        """Let what follows happen at `time_ms`; time never runs back."""
        self._venue.now_ms = max(self._venue.now_ms, time_ms)

    def rewind(self, time_ms: int) -> None:
        """Begin the market at `time_ms`, earlier than now too; only while nothing has happened yet."""
        self._venue.now_ms = time_ms

    def quote(self, market: Market, px: int, size: int, *, is_buy: bool) -> Order | None:
        """Rest a maker order; where it crosses people's orders it trades with them first.

        Return the order, None when nothing of it was left to rest.
        """
        order = self._order(HOUSE_MAKER, market, px, size, Tif.GTC, is_buy=is_buy)
        self._matcher.run(order)
        return order if order.remaining else None

    def cut(self, order: Order, remaining: int) -> None:
        """Shrink a maker order; it keeps its place in the queue."""
        self._lifecycle.cut(order, remaining)

    def withdraw(self, order: Order) -> None:
        """Cancel a maker order."""
        self._lifecycle.cancel(order, CancelReason.USER)

    def take(self, market: Market, px: int, size: int, *, is_buy: bool) -> int:
        """Buy or sell up to `size` no worse than `px`; return how much was had."""
        order = self._order(HOUSE_TAKER, market, px, size, Tif.IOC, is_buy=is_buy)
        if not self._matcher.run(order):
            self._lifecycle.cancel(order, CancelReason.IMMEDIATE_REMAINDER)
        return order.filled

    def print(self, market: Market, px: int, size: int) -> None:
        """Count a recorded print into the bars; for feeds whose bars come from the record."""
        market.last = px
        self._tape.print(market, px, size)

    def load(self, market: Market, interval: str, bars: list[Bar]) -> None:
        """Serve finished `bars` as history and let the last close be the price."""
        market.bars.load(interval, bars)
        if bars:
            market.last = bars[-1].close
        market.bars.roll(self._venue.now_ms, market.last)

    def start(self, market: Market, px: int) -> None:
        """Set mark, oracle and last price before the market opens."""
        market.last = px
        self._marks.move(market, px, px)

    def set_mark(self, market: Market, mark: int, oracle: int) -> None:
        """Set mark and oracle as somebody else has them."""
        self._marks.move(market, mark, oracle)

    def refresh_mark(self, market: Market, oracle: int) -> None:
        """Set the oracle and let the mark follow the book."""
        self._marks.refresh(market, oracle)

    def _order(self, address: str, market: Market, px: int, size: int, tif: Tif, *, is_buy: bool) -> Order:
        order = Order(
            oid=self._venue.next_oid(),
            account=self._venue.accounts[address],
            market=market,
            is_buy=is_buy,
            px=px,
            size=size,
            tif=tif,
            reduce_only=False,
            cloid=None,
            placed_ms=self._venue.now_ms,
        )
        order.account.admit(order)
        return order
