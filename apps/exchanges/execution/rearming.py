"""Writes lost stops and take-profits again while the position they protect stands, and tells a person.

A venue may refuse one (its trigger is passed already, too many requests at once), or drop it: until the next tick
nobody else would notice. Killed at any moment it loses nothing: what it knows is in the rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import DataError, IntegrityError

from apps.exchanges.execution.fresh_prices import fresh_prices
from apps.exchanges.execution.gate import GateScope, gate_modes
from apps.exchanges.execution.timing import lasting
from apps.exchanges.market_data.cache import MarketCache
from apps.exchanges.models import AccountEvent, TradingMode
from apps.exchanges.orders.events import Alarm, alarm_news
from apps.exchanges.orders.lost import Lost, lost_orders, write_again
from apps.exchanges.orders.wake import wake_accounts
from moondev.domain.clock import Clock
from moondev.domain.errors import TradingError
from moondev.domain.values import Price

logger = logging.getLogger(__name__)

ATTEMPTS = 5
# Real seconds before the first attempt, twice as long before each further one: a fill that explains the loss (the other
# end of a bracket has traded) is heard by then, and a venue that was asked too much has had its rest.
PAUSE_SECONDS = 1.0
# Real seconds: what was lost before is the planner's, which has looked since.
LOOK_BACK_SECONDS = 600.0


class Rearming:
    """Looks after the lost protection of one venue."""

    def __init__(
        self,
        venue: str,
        clock: Clock,
        cache: MarketCache,
        wake: Callable[[Iterable[int]], None] = wake_accounts,
    ) -> None:
        """Wake senders by `wake`."""
        self._venue, self._clock, self._cache, self._wake = venue, clock, cache, wake

    def look(self) -> int:
        """Look once: tell of what is lost and due, write what has attempts left; return how many orders it wrote."""
        now = self._clock.now()
        lost = lost_orders(self._venue, now - lasting(self._clock, LOOK_BACK_SECONDS))
        due = [(one, quantity) for one, quantity in _shared_out(_permitted(lost, now)) if self._due_at(one) <= now]
        if not due:
            return 0
        prices = fresh_prices(self._cache, self._clock, {one.instrument for one, _ in due}, now)
        written = [one for one, quantity in due if self._see_to(one, quantity, prices.get(one.instrument), now)]
        self._wake({one.account_id for one in written})
        return len(written)

    def _due_at(self, lost: Lost) -> datetime:
        return lost.closed_at + lasting(self._clock, PAUSE_SECONDS * 2.0**lost.attempts)

    def _see_to(self, lost: Lost, quantity: Decimal, price: Price | None, now: datetime) -> bool:
        """Tell of one and write it again; return whether it was written. One that cannot be must stop no other."""
        if lost.attempts >= ATTEMPTS:
            _tell_given_up(lost, quantity, now)
            return False
        _tell(lost, now)
        try:
            return write_again(lost, quantity, price, now)
        except (TradingError, DataError, IntegrityError):
            logger.exception("order %s was lost and cannot be written again", lost.order_id)
            return False


def _permitted(lost: Sequence[Lost], now: datetime) -> list[Lost]:
    """Leave out what lies in a halted scope: the halt has taken it out, and the gate would not let it leave again."""
    scopes = {one.order_id: GateScope(one.portfolio, *one.names, one.strategy, one.instrument) for one in lost}
    modes = gate_modes(scopes.values(), now) if scopes else {}
    return [one for one in lost if modes[scopes[one.order_id]] is not TradingMode.HALTED]


def _shared_out(lost: Iterable[Lost]) -> list[tuple[Lost, Decimal]]:
    """Return how much of its position each is to protect, the newest first: together never more than is bare."""
    bare: dict[object, Decimal] = {}
    shares = []
    for one in lost:
        left = bare.get(one.end, one.bare)
        share = min(one.remaining, left)
        if share > 0:
            shares.append((one, share))
            bare[one.end] = left - share
    return shares


def _tell(lost: Lost, now: datetime) -> None:
    """Tell of a loss: once an hour in the same words, so none of them names an order."""
    _alarm(lost, f"{_named(lost)} is lost and is written again: {lost.status}, {lost.reason}", now)


def _tell_given_up(lost: Lost, quantity: Decimal, now: datetime) -> None:
    text = f"{_named(lost)} for {quantity.normalize():f} is lost after {ATTEMPTS} further attempts"
    _alarm(lost, f"{text}; order {lost.order_id}: {lost.status}, {lost.reason}", now)


def _alarm(lost: Lost, text: str, now: datetime) -> None:
    if alarm_news(lost.account_id, Alarm(AccountEvent.Kind.UNPROTECTED, text), now):
        logger.error("account %s: unprotected: %s", lost.account_id, text)


def _named(lost: Lost) -> str:
    return f"{lost.instrument}: {lost.order_type.value.replace('_', ' ')} at {lost.trigger.value.normalize():f}"
