"""Make good what messages lost: one pass looks at the rows and wakes whoever has to act.

Called every half second by the user-stream process of each venue; harmless when several do. It sends nothing itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from apps.exchanges.bulk import fetch
from apps.exchanges.execution.leases_ahead import leases_ahead_end
from apps.exchanges.execution.timing import FORESIGHT, LEASE_SECONDS, lasting
from apps.exchanges.orders.claim import overdue_end
from apps.exchanges.orders.ending import ended_release
from apps.exchanges.orders.wake import wake_accounts
from moondev.celery import wake
from moondev.domain.clock import Clock, process_clock

logger = logging.getLogger(__name__)

# A row this young, in real seconds, was committed just now and its own wake-up is still on its way.
YOUNG_SECONDS = 0.2
# While an order's outcome is unknown the venue is asked after so long, then half as often each time, for so long; real
# seconds.
DOUBT_SECONDS, DOUBT_LASTS_SECONDS = 2.0, 30.0


@dataclass(frozen=True, slots=True)
class Swept:
    """What a pass found: accounts woken, orders past their time, whether leases lapsed and halts wait."""

    woken: tuple[int, ...]
    expired: int
    released: int
    lapsed: bool
    halts: bool


def sweep(venue: str, now: datetime) -> Swept:
    """Look over one venue's rows once and publish the wake-ups that are missing."""
    leases_ahead_end(venue, now)
    expired = sum(overdue_end(account_id, now) for account_id in _with_overdue(venue, now))
    released = sum(ended_release(account_id) for account_id in _with_leftovers(venue))
    waiting = _with_work(venue, now)
    wake_accounts(waiting)
    lapsed = _any_lapsed(venue, now)
    if lapsed:
        wake("exchanges.orders_reconcile", venue=venue)
    halts = _any_halt(venue, now)
    if halts:
        wake("exchanges.orders_veto", venue=venue)
    return Swept(tuple(waiting), expired, released, lapsed, halts)


def _with_work(venue: str, now: datetime) -> list[int]:
    """Return accounts with rows that nobody has claimed and whose lease nobody holds.

    A disabled account's rows wait, but for its cancels.
    """
    old = now - lasting(process_clock(), YOUNG_SECONDS)
    rows = fetch(
        "SELECT a.id FROM exchanges_account a WHERE a.venue_id = %s"
        " AND (a.sender_until IS NULL OR a.sender_until <= %s) AND ("
        " a.enabled AND EXISTS (SELECT 1 FROM exchanges_order o WHERE o.account_id = a.id AND o.status = 'approved'"
        " AND o.created_at < %s AND (o.claimed_until IS NULL OR o.claimed_until <= %s))"
        " OR EXISTS (SELECT 1 FROM exchanges_ordercommand c JOIN exchanges_order o ON o.id = c.order_id"
        " WHERE c.account_id = a.id AND c.status = 'approved' AND c.created_at < %s"
        " AND (a.enabled OR c.kind = 'cancel') AND o.status IN ('open', 'partially_filled', 'unknown', 'amending')"
        " AND (c.claimed_until IS NULL OR c.claimed_until <= %s))) ORDER BY a.id",
        (venue, now, old, now, old, now),
    )
    return [account_id for (account_id,) in rows]


def _with_overdue(venue: str, now: datetime) -> list[int]:
    rows = fetch(
        "SELECT a.id FROM exchanges_account a WHERE a.venue_id = %s AND ("
        " EXISTS (SELECT 1 FROM exchanges_order o WHERE o.account_id = a.id AND o.status = 'approved'"
        " AND o.valid_until <= %s) OR EXISTS (SELECT 1 FROM exchanges_ordercommand c WHERE c.account_id = a.id"
        " AND c.status = 'approved' AND c.valid_until <= %s)) ORDER BY a.id",
        (venue, now, now),
    )
    return [account_id for (account_id,) in rows]


def _with_leftovers(venue: str) -> list[int]:
    """Return accounts with ended orders that still hold exposure."""
    rows = fetch(
        "SELECT a.id FROM exchanges_account a WHERE a.venue_id = %s AND EXISTS (SELECT 1 FROM exchanges_order o"
        " WHERE o.account_id = a.id AND o.reserved > 0"
        " AND o.status IN ('filled', 'cancelled', 'expired', 'rejected', 'refused')) ORDER BY a.id",
        (venue,),
    )
    return [account_id for (account_id,) in rows]


def _any_lapsed(venue: str, now: datetime) -> bool:
    rows = fetch(
        "SELECT 1 FROM exchanges_account a WHERE a.venue_id = %s AND ("
        " EXISTS (SELECT 1 FROM exchanges_order o WHERE o.account_id = a.id AND o.status = 'sending'"
        " AND (o.claimed_until IS NULL OR o.claimed_until <= %s)) OR EXISTS (SELECT 1 FROM exchanges_ordercommand c"
        " WHERE c.account_id = a.id AND c.status = 'sending'"
        " AND (c.claimed_until IS NULL OR c.claimed_until <= %s))) LIMIT 1",
        (venue, now, now),
    )
    return bool(rows)


def _any_halt(venue: str, now: datetime) -> bool:
    rows = fetch(
        "SELECT 1 FROM exchanges_veto WHERE venue_id = %s AND done_at IS NULL"
        " AND (worker_until IS NULL OR worker_until <= %s OR worker_until > %s) LIMIT 1",
        (venue, now, now + FORESIGHT * lasting(process_clock(), LEASE_SECONDS)),
    )
    return bool(rows)


class DoubtWatch:
    """Wakes reconciliation while an order's outcome has lately become unknown: its schedule alone is too slow for that.

    What stays unknown for longer is left to the schedule, which does not tire of a venue that is away.
    """

    def __init__(self, venue: str, clock: Clock, publish: Callable[..., object] = wake) -> None:
        self._venue, self._clock, self._publish = venue, clock, publish
        self._again_at: datetime | None = None
        self._pause = DOUBT_SECONDS

    def look(self) -> None:
        """Look at our own rows, and publish a wake-up when one is due."""
        now = self._clock.now()
        if self._again_at is not None and now < self._again_at:
            return
        if not self._in_doubt(now):
            self._pause = DOUBT_SECONDS
            return
        self._publish("exchanges.orders_reconcile", venue=self._venue)
        self._again_at = now + lasting(self._clock, self._pause)
        self._pause *= 2

    def _in_doubt(self, now: datetime) -> bool:
        newest, oldest = (now - lasting(self._clock, seconds) for seconds in (YOUNG_SECONDS, DOUBT_LASTS_SECONDS))
        rows = fetch(
            "SELECT 1 FROM exchanges_order o JOIN exchanges_account a ON a.id = o.account_id WHERE a.venue_id = %s"
            " AND o.status = 'unknown' AND o.updated_at BETWEEN %s AND %s UNION ALL"
            " SELECT 1 FROM exchanges_ordercommand c JOIN exchanges_account a ON a.id = c.account_id"
            " WHERE a.venue_id = %s AND c.status = 'unknown' AND c.sent_at BETWEEN %s AND %s LIMIT 1",
            (self._venue, oldest, newest, self._venue, oldest, newest),
        )
        return bool(rows)
