"""Matching: an incoming order trades against the book, best price first, oldest order first."""

from __future__ import annotations

from apps.exchanges.mock.engine.api import CancelReason, OrderStatus, SelfTrade
from apps.exchanges.mock.engine.holds import affordable
from apps.exchanges.mock.engine.lifecycle import Lifecycle
from apps.exchanges.mock.engine.orders import Order
from apps.exchanges.mock.engine.settlement import Settlement
from apps.exchanges.mock.engine.venue import Venue


class Matcher:
    """Executes orders that have passed every check."""

    __slots__ = ("_lifecycle", "_settlement", "_venue")

    def __init__(self, venue: Venue, lifecycle: Lifecycle, settlement: Settlement) -> None:
        self._venue = venue
        self._lifecycle = lifecycle
        self._settlement = settlement

    def match(self, taker: Order) -> None:
        """Trade `taker` as far as price and book allow; what remains is left to the caller, unless it ended."""
        side = taker.market.book.other_side(taker)
        while taker.remaining:
            maker = side.first()
            if maker is None or not taker.crosses(maker.px):
                return
            if maker.account is taker.account and taker.self_trade is not SelfTrade.ALLOW:
                self._prevent(taker, maker)
                if taker.status.final:
                    return
                continue
            size = min(taker.remaining, maker.remaining)
            if self._unaffordable(maker, size):
                self._lifecycle.cancel(maker, CancelReason.MARGIN)
                continue
            self._settlement.trade(taker, maker, size)

    def _prevent(self, taker: Order, maker: Order) -> None:
        """End what `taker` wants to have ended when its owner's own order stands in the way."""
        if taker.self_trade is not SelfTrade.CANCEL_TAKER:
            self._lifecycle.cancel(maker, CancelReason.SELF_TRADE)
        if taker.self_trade is not SelfTrade.CANCEL_MAKER:
            self._lifecycle.cancel(taker, CancelReason.SELF_TRADE)

    def can_fill(self, taker: Order) -> bool:
        """Return whether the book gives `taker` all it wants at its price, what it may not trade with left out."""
        wanted, rule = taker.remaining, taker.self_trade
        for level in taker.market.book.other_side(taker):
            if not taker.crosses(level.px):
                return False
            for order in level.orders.values():
                own = order.account is taker.account and rule is not SelfTrade.ALLOW
                if own and rule is not SelfTrade.CANCEL_MAKER:
                    return False
                wanted -= 0 if own else order.remaining
                if wanted <= 0:
                    return True
        return False

    def run(self, order: Order) -> bool:
        """Match `order`, then end it or let the remainder rest.

        Return False for an immediate order that found nothing: the caller decides how it ends.
        """
        self.match(order)
        if order.status.final:
            return True
        if not order.remaining:
            self._lifecycle.fill_out(order)
        elif not order.tif.immediate:
            self._lifecycle.rest(order)
        elif order.filled:
            self._lifecycle.cancel(order, CancelReason.IMMEDIATE_REMAINDER)
        else:
            return False
        return True

    def _unaffordable(self, maker: Order, size: int) -> bool:
        if maker.account.house or maker.reduce_only or maker.market.base is not None:
            return False
        return not self._venue.margin.survives_fill(maker, size)

    def bears(self, order: Order) -> bool:
        """Return whether the owner has the margin, or the balance, that `order` needs."""
        return affordable(order) if order.market.base is not None else self._venue.margin.allows(order)

    def fire(self, order: Order) -> None:
        """Send a triggered order on its way."""
        self._lifecycle.withdraw(order)
        order.status, order.status_ms = OrderStatus.TRIGGERED, self._venue.now_ms
        self._lifecycle.announce(order)
        order.status = OrderStatus.OPEN
        if order.reduce_only and not fits_position(order):
            self._lifecycle.cancel(order, CancelReason.REDUCE_ONLY)
        elif not order.reduce_only and not self.bears(order):
            self._lifecycle.cancel(order, CancelReason.MARGIN)
        elif not self.run(order):
            self._lifecycle.cancel(order, CancelReason.IMMEDIATE_REMAINDER)


def fits_position(order: Order) -> bool:
    """Cut a reduce-only `order` to the position; return False when there is nothing to reduce."""
    held = order.account.size_of(order.market.coin)
    if held == 0 or (held > 0) is order.is_buy:
        return False
    if order.remaining > abs(held):
        order.shrink(abs(held))
    return True
