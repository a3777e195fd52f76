"""The stations of an order: held back, in the book, at its end. Every move goes through here."""

from __future__ import annotations

from apps.exchanges.mock.engine.api import CancelReason, OrderStatus, RejectCode
from apps.exchanges.mock.engine.brackets import Bracket
from apps.exchanges.mock.engine.holds import tie_up
from apps.exchanges.mock.engine.orders import Order, Place
from apps.exchanges.mock.engine.venue import Venue


class Lifecycle:
    """Keeps book, triggers, account and brackets in step with each order."""

    __slots__ = ("_venue",)

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def announce(self, order: Order) -> None:
        """Tell the owner how `order` stands now."""
        self._venue.outbox.order_updated(order, self._venue.now_ms)

    def rest(self, order: Order) -> None:
        """Put `order` into the book."""
        order.place = Place.BOOK
        self._venue.deadlines.note(order)
        order.market.book.own_side(order).add(order)
        self._venue.outbox.book_changed(order.market.coin)
        tie_up(order, order.remaining)
        if order.reduce_only:
            self._follow(order)
        self.announce(order)

    def hold(self, order: Order, place: Place) -> None:
        """Keep `order` out of the book until its trigger or its parent says so."""
        order.place = place
        self._venue.deadlines.note(order)
        if place is Place.TRIGGERS:
            order.market.triggers.add(order)
        if order.position_tpsl:
            self._follow(order)
        self.announce(order)

    def reduce(self, order: Order, by: int) -> None:
        """Take `by` off what remains of an order in the book; it keeps its place in the queue."""
        order.market.book.own_side(order).reduce(order, by)
        self._venue.outbox.book_changed(order.market.coin)
        tie_up(order, -by)
        order.remaining -= by

    def cut(self, order: Order, remaining: int) -> None:
        """Set what remains of `order`, as its position changed."""
        if order.place is Place.BOOK:
            order.market.book.own_side(order).reduce(order, order.remaining - remaining)
            self._venue.outbox.book_changed(order.market.coin)
        order.shrink(remaining)
        self.announce(order)

    def withdraw(self, order: Order) -> None:
        """Take `order` out of wherever it is kept."""
        account, market = order.account, order.market
        if order.place is Place.BOOK:
            market.book.own_side(order).remove(order)
            self._venue.outbox.book_changed(market.coin)
            tie_up(order, -order.remaining)
        elif order.place is Place.TRIGGERS:
            market.triggers.remove(order)
        order.place = Place.NOWHERE
        if order.reduce_only and (followers := account.followers.get(market.coin)):
            followers.pop(order.oid, None)

    def fill_out(self, order: Order) -> None:
        """End `order` as filled."""
        self._end(order, OrderStatus.FILLED, None)

    def cancel(self, order: Order, reason: CancelReason) -> None:
        """End `order` as cancelled."""
        self._end(order, OrderStatus.CANCELED, reason)

    def refuse(self, order: Order, code: RejectCode) -> None:
        """End `order` as refused; it stays on record."""
        self._end(order, OrderStatus.REJECTED, code)

    def _end(self, order: Order, status: OrderStatus, reason: CancelReason | RejectCode | None) -> None:
        self.withdraw(order)
        order.status, order.reason = status, reason
        order.status_ms = self._venue.now_ms
        order.account.archive(order)
        if order.expires_ms is not None:
            self._venue.deadlines.forget(order)
        self.announce(order)
        if order.bracket is not None:
            self._leave(order.bracket, order)

    def _leave(self, bracket: Bracket, order: Order) -> None:
        order.bracket = None
        if order is bracket.parent:
            bracket.parent = None
            self._settle_legs(bracket, order)
            return
        siblings = bracket.siblings_of(order)
        bracket.legs = siblings
        if order.status is OrderStatus.FILLED:
            for sibling in siblings:
                self.cancel(sibling, CancelReason.SIBLING_FILLED)

    def _settle_legs(self, bracket: Bracket, parent: Order) -> None:
        # A parent that ended half filled by no wish of its owner still needs its stop.
        wanted = parent.filled and parent.reason is not CancelReason.USER
        for leg in list(bracket.legs):
            if leg.place is not Place.BEHIND_PARENT:
                continue
            if wanted:
                self.hold(leg, Place.TRIGGERS)
            else:
                self.cancel(leg, CancelReason.PARENT)

    def _follow(self, order: Order) -> None:
        order.account.followers.setdefault(order.market.coin, {})[order.oid] = order
