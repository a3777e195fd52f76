"""What a stream tells of positions and balances, held against our books until the two agree.

Nothing is ever booked from it: positions follow from fills. But a position there that our fills do not add up to,
and still do not a moment later, means that a fill was not heard; then the venue is asked, without waiting for the next
turn of reconciliation. A balance that moved makes the accounts' worth be looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from threading import Lock

from apps.exchanges.accounts.equity import account_books
from apps.exchanges.execution.timing import lasting
from apps.exchanges.ports import BalanceBatch, PositionBatch, UserEvent
from moondev.celery import wake
from moondev.domain.clock import Clock
from moondev.domain.values import ZERO

logger = logging.getLogger(__name__)

# Real seconds: how long a fill may be on its way after the position that it made, how long an account that differed is
# left in peace after the venue was asked, and how often accounts are marked because a balance moved.
SETTLING_SECONDS = 2.0
ASKED_SECONDS = 10.0
MARK_SECONDS = 1.0

Wake = Callable[..., object]


@dataclass(slots=True)
class _Told:
    """What the venue told of one account, and when it is to be compared; None: it has been.

    `whole`: it has told of every position there is, so what it did not name is nothing.
    """

    positions: dict[str, Decimal] = field(default_factory=dict)
    whole: bool = False
    due: datetime | None = None


class Hints:
    """What one venue's user streams have told. Written by the accounts' threads, looked at by the sweeper's."""

    def __init__(self, venue: str, clock: Clock, publish: Wake = wake) -> None:
        """Publish wake-ups by `publish`."""
        self._venue, self._clock, self._publish = venue, clock, publish
        self._told: dict[int, _Told] = {}
        self._mark_due: datetime | None = None
        self._marked: datetime | None = None
        self._lock = Lock()

    def note(self, account_id: int, events: Sequence[UserEvent]) -> None:
        """Remember what `events`, in order, tell of positions and balances."""
        now = self._clock.now()
        with self._lock:
            for event in events:
                if isinstance(event, PositionBatch):
                    self._note_positions(account_id, event, now)
                elif isinstance(event, BalanceBatch):
                    self._mark_due = self._mark_due or now

    def look(self) -> None:
        """Compare what is due with the books, and wake whoever has to ask the venue."""
        now = self._clock.now()
        differing = [account_id for account_id, told in self._due(now).items() if _differs(account_id, told)]
        if differing:
            logger.warning("accounts %s: the stream tells other positions than the books have", differing)
            self._publish("exchanges.orders_reconcile", venue=self._venue)
        with self._lock:
            for account_id in differing:
                self._told[account_id].due = now + lasting(self._clock, ASKED_SECONDS)
        if self._take_mark(now):
            self._publish("exchanges.equity_mark", venue=self._venue)

    def _note_positions(self, account_id: int, batch: PositionBatch, now: datetime) -> None:
        told = self._told.setdefault(account_id, _Told())
        if batch.snapshot:
            told.positions.clear()
            told.whole = True
        told.positions |= {news.symbol: news.quantity.value for news in batch.positions}
        told.due = told.due or now + lasting(self._clock, SETTLING_SECONDS)

    def _due(self, now: datetime) -> dict[int, _Told]:
        """Take what is to be compared now."""
        with self._lock:
            due = [i for i, told in self._told.items() if told.due is not None and told.due <= now]
            taken = {i: replace(self._told[i], positions=dict(self._told[i].positions)) for i in due}
            for account_id in due:
                self._told[account_id].due = None
            return taken

    def _take_mark(self, now: datetime) -> bool:
        with self._lock:
            early = self._marked is not None and now < self._marked + lasting(self._clock, MARK_SECONDS)
            if self._mark_due is None or early:
                return False
            self._mark_due, self._marked = None, now
            return True


def _differs(account_id: int, told: _Told) -> bool:
    """Return whether the venue holds another size than our books of anything it told of."""
    held = account_books(account_id).held
    symbols = {*told.positions, *held} if told.whole else set(told.positions)
    return any(held.get(symbol, ZERO) != told.positions.get(symbol, ZERO) for symbol in symbols)
