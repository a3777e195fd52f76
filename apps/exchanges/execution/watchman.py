"""Watches the triggers of orders that wait with us, and lets the due ones go.

It runs beside the user stream of its venue, several times a second, on the marks that the market stream keeps in
Redis (the middle of the book where a venue has no marks, or they stopped coming). A mark that comes and goes between
two looks is not seen. While there is no fresh price nothing is released, and a person is told. Killed at any moment it
loses nothing: what it knows is in the rows.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.exchanges.execution.fresh_prices import fresh_prices
from apps.exchanges.execution.timing import lasting
from apps.exchanges.market_data.cache import MarketCache
from apps.exchanges.models import AccountEvent
from apps.exchanges.orders.events import Alarm, alarm_news, alarm_once
from apps.exchanges.orders.held import HeldOrder, Release, held_orders, orders_release, triggers_move
from apps.exchanges.orders.triggers import beyond, reached, released_as, still_out, trailed, worst_after
from apps.exchanges.orders.wake import wake_accounts
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Rounding
from moondev.domain.orders import OrderType, Purpose
from moondev.domain.values import Price

logger = logging.getLogger(__name__)

# Real seconds between two looks.
WATCH_SECONDS = 0.1
# Real seconds: how long orders go unwatched before a person is told, and how long an order that opens is worth sending
# once it is released. One that reduces stays so for a day.
UNWATCHED_SECONDS = 5.0
OPENING_SECONDS = 10.0
REDUCING_VALID = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look came to: how many orders wait, which were released, how many triggers moved, what has no price."""

    waiting: int = 0
    released: frozenset[int] = frozenset()
    moved: int = 0
    blind: tuple[str, ...] = ()


class Watchman:
    """Looks after the held orders of one venue."""

    def __init__(
        self,
        venue: str,
        clock: Clock,
        cache: MarketCache,
        wake: Callable[[Iterable[int]], None] = wake_accounts,
    ) -> None:
        """Wake senders by `wake`."""
        self._venue, self._clock, self._cache, self._wake = venue, clock, cache, wake
        self._blind_since: dict[str, datetime] = {}

    def look(self) -> Watched:
        """Look once: move trailing triggers, release what is due, tell of what cannot be watched."""
        held = held_orders(self._venue)
        if not held:
            self._blind_since.clear()
            return Watched()
        now = self._clock.now()
        prices = fresh_prices(self._cache, self._clock, {order.instrument for order in held}, now)
        blind = self._note_blind(held, prices, now)
        seen = [(order, prices[order.instrument]) for order in held if order.instrument in prices]
        moved = self._trail(seen, now)
        released = self._release(seen, now)
        return Watched(len(held), released, moved, blind)

    def _trail(self, seen: Sequence[tuple[HeldOrder, Price]], now: datetime) -> int:
        moves = {}
        for order, price in seen:
            if order.trail is None:
                continue
            trigger = trailed(order.side, order.trigger, order.trail, price, order.grid)
            if trigger != order.trigger:
                worst = worst_after(order.trigger, order.price, trigger)
                moves[order.order_id] = (trigger, worst)
        return triggers_move(moves, now)

    def _release(self, seen: Sequence[tuple[HeldOrder, Price]], now: datetime) -> frozenset[int]:
        due = [
            (order, price)
            for order, price in seen
            # One that reduces and has nothing to reduce would open; it is taken out by `protection`.
            if reached(order.order_type, order.side, order.trigger, price)
            and not (order.reduces and not order.closable)
        ]
        if not due:
            return frozenset()
        releases = [release for order, price in due if (release := self._readied(order, price, now)) is not None]
        released = orders_release(releases, now) if releases else frozenset()
        self._wake({order.account_id for order, _ in due if order.order_id in released})
        for order, price in due:
            if order.order_id in released and _overrun(order, price):
                _tell_overrun(order, price, now)
        return released

    def _readied(self, order: HeldOrder, price: Price, now: datetime) -> Release | None:
        """Return an order made ready to be sent; None for one whose price fits no grid, which must stop no other."""
        try:
            return self._released(order, price, now)
        except InvalidValue:
            logger.exception("order %s cannot be released", order.order_id)
            return None

    def _released(self, order: HeldOrder, price: Price, now: datetime) -> Release:
        quantity = min(order.quantity, order.closable) if order.reduces else order.quantity
        worth = REDUCING_VALID if order.reduces else lasting(self._clock, OPENING_SECONDS)
        bound = still_out(order.side, order.price, price) if _overrun(order, price) else order.price
        worst = order.grid.rounded(bound.value, Rounding.aggressive(order.side))
        reason = f"{price} has reached the trigger {order.trigger}"
        first, *further = order.parts(quantity)
        return Release(order.order_id, first, worst, now + worth, reason, tuple(further))

    def _note_blind(self, held: Sequence[HeldOrder], prices: Mapping[str, Price], now: datetime) -> tuple[str, ...]:
        """Tell, once an hour and account, of orders that have been without a price for a while."""
        blind = {order.instrument for order in held if order.instrument not in prices}
        self._blind_since = {key: self._blind_since.get(key, now) for key in blind}
        patience = lasting(self._clock, UNWATCHED_SECONDS)
        long_blind = {key for key, since in self._blind_since.items() if now - since >= patience}
        unwatched: defaultdict[int, set[str]] = defaultdict(set)
        for order in held:
            if order.instrument in long_blind:
                unwatched[order.account_id].add(order.instrument)
        for account_id, keys in sorted(unwatched.items()):
            text = f"no fresh price of {', '.join(sorted(keys))}: the stops there cannot be watched"
            alarm_once(account_id, Alarm(AccountEvent.Kind.UNWATCHED_ORDER, text), now)
        return tuple(sorted(blind))


def _overrun(order: HeldOrder, price: Price) -> bool:
    """Return whether the market has gone past the worst price of an order that must get out, as after a gap."""
    leaves = order.purpose is Purpose.PROTECTIVE and released_as(order.order_type)[0] is OrderType.MARKET
    return leaves and beyond(order.side, order.price, price)


def _tell_overrun(order: HeldOrder, price: Price, now: datetime) -> None:
    text = (
        f"{order.instrument} is at {price}, beyond {order.price.value.normalize():f},"
        f" the worst price of {order.order_type.value} {order.order_id}: released with a bound from here"
    )
    alarm_news(order.account_id, Alarm(AccountEvent.Kind.UNPROTECTED, text), now)
