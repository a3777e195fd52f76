"""Carry out halts: end what has not left, cancel what lives, ask until nothing does, flatten if asked.

The halt itself is the committed trading state; from then on the gate lets nothing of the scope out. This cleans up,
as its own signer and in its own process, so it waits for nobody. Every step can be taken again, so a worker that dies
is followed by another where the row says.

A HALTED scope loses every live order, its stops too; a REDUCING one keeps the orders that reduce.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from apps.exchanges.execution.flatten import Flattening
from apps.exchanges.execution.nonces import nonces_take
from apps.exchanges.execution.sender import worker_name
from apps.exchanges.execution.sessions import Session, Sessions, VenueSessions
from apps.exchanges.execution.timing import DENIAL_MARGIN_SECONDS, LEASE_SECONDS, lasting
from apps.exchanges.execution.veto_scope import VetoScope
from apps.exchanges.models import AccountEvent, Signer, TradingMode, TradingState, Veto
from apps.exchanges.orders.ending import BATCH, unsent_end
from apps.exchanges.orders.events import Alarm, alarm_once
from apps.exchanges.orders.services import reports_apply
from apps.exchanges.ports import CANNOT_BE_NAMED, LiveOrder
from moondev.domain.clock import Clock, monotonic, process_clock
from moondev.domain.errors import TradingError
from moondev.domain.orders import OrderStatus

logger = logging.getLogger(__name__)

SOURCE = "veto"
# Real seconds: the pause between two looks, and how long one pass works before it lets the next veto have a turn.
LOOK_SECONDS = 0.05
PASS_SECONDS = 30.0
# The venue has to say so many times running that nothing lives.
EMPTY_LOOKS = 2


@dataclass(frozen=True, slots=True)
class Hands:
    """With what a halt is carried out. `sleep` takes real seconds."""

    sessions: Sessions
    purpose: str
    clock: Clock
    worker: str
    sleep: Callable[[float], None] = time.sleep

    def session(self, account_id: int) -> Session:
        """Return the session of an account. Raises Configuration when there is no key."""
        return self.sessions.session(account_id, self.purpose)


def carry_out(
    venue: str,
    *,
    purpose: str = Signer.Purpose.VETOES,
    sessions: Sessions | None = None,
    clock: Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Veto]:
    """Carry out every open veto of a venue that nobody works on; return those that are done now.

    What one pass cannot finish stays open and is taken up by the next. `sessions` and `clock` None mean this
    process's own. Venue errors are noted in the row, never raised.
    """
    hands = Hands(sessions or VenueSessions(), purpose, clock or process_clock(), worker_name(), sleep)
    done = []
    for veto in Veto.objects.filter(venue_id=venue, done_at__isnull=True).order_by("engaged_at", "pk"):
        if not _lease(veto, hands):
            continue
        try:
            if Halt(veto, hands).carried_out():
                done.append(veto)
        finally:
            Veto.objects.filter(pk=veto.pk, worker=hands.worker).update(worker="", worker_until=None)
    return done


def _lease(veto: Veto, hands: Hands) -> bool:
    """Take or prolong the lease on a veto; return whether it is ours."""
    now = hands.clock.now()
    free = Q(worker_until__isnull=True) | Q(worker_until__lte=now) | Q(worker=hands.worker)
    rows = Veto.objects.filter(free, pk=veto.pk, done_at__isnull=True)
    return rows.update(worker=hands.worker, worker_until=now + lasting(hands.clock, LEASE_SECONDS)) == 1


class Halt:
    """One veto being carried out."""

    def __init__(self, veto: Veto, hands: Hands) -> None:
        self._veto, self._hands = veto, hands
        self._scope = VetoScope.of(veto)
        self._mode = _mode(veto)
        self._deadline = monotonic() + PASS_SECONDS
        self._uncancellable: dict[str, str] = {}

    def carried_out(self) -> bool:
        """Take every step; return whether the halt is done."""
        if self._mode is TradingMode.ACTIVE:
            return self._done("released before it was done")
        self._write(stage=Veto.Stage.CANCELLING)
        if not self._until_twice(self._nothing_lives):
            return False
        if self._veto.flatten:
            self._write(stage=Veto.Stage.FLATTENING)
            flattening = Flattening(self._veto, self._scope, self._hands)
            if not self._until_twice(flattening.is_flat):
                return False
        return self._done("; ".join(self._uncancellable.values()))

    def _end_unsent(self) -> int:
        """End every order of the scope that has not left, in one statement per thousand; return how many."""
        opening = "" if self._mode is TradingMode.HALTED else " AND o.purpose = 'opening'"
        reason = f"{self._mode.value}: {self._veto.reason}"
        total, ended = 0, BATCH
        while ended == BATCH and self._still_ours():
            ended = unsent_end(
                self._scope.condition + opening,
                self._scope.parameters,
                status=OrderStatus.CANCELLED,
                reason=reason,
                source=SOURCE,
                now=self._hands.clock.now(),
            )
            total += ended
        return total

    def _until_twice(self, look: Callable[[], bool]) -> bool:
        """Look again and again until the answer is yes twice running; return False when the pass is over first."""
        yes = 0
        while yes < EMPTY_LOOKS:
            if not self._still_ours():
                return False
            try:
                yes = yes + 1 if look() else 0
            except TradingError as error:
                logger.warning("veto %s: %s", self._veto.pk, error)
                self._write(detail=str(error)[:300])
                yes = 0
            if yes < EMPTY_LOOKS:
                self._hands.sleep(LOOK_SECONDS)
        return True

    def _nothing_lives(self) -> bool:
        """Cancel whatever lives of the scope; return whether there was nothing, and nothing on its way.

        What lives goes first: what has not left is held by the gate. Every account is looked at even when one of
        them cannot be asked; then nothing is sure.
        """
        before = self._hands.clock.now() - lasting(self._hands.clock, DENIAL_MARGIN_SECONDS)
        flying = self._scope.in_flight(before)
        failed: list[TradingError] = []
        found = 0
        for account_id in self._scope.account_ids():
            try:
                found += self._cancel_account(account_id)
            except TradingError as error:
                failed.append(error)
        found += self._end_unsent()
        if failed:
            raise failed[0]
        return not flying and not found

    def _cancel_account(self, account_id: int) -> int:
        """Cancel what lives of the scope on one account; return how many orders that were.

        What no cancel can name is not counted: waiting for it would keep open positions waiting with it.
        """
        session = self._hands.session(account_id)
        living = self._scope.of_account(account_id, session.client.live_orders())
        if self._mode is TradingMode.REDUCING:
            living = [order for order in living if not order.reduce_only]
        size = session.client.max_batch
        return sum(self._cancel(session, living[start : start + size]) for start in range(0, len(living), size))

    def _cancel(self, session: Session, orders: Sequence[LiveOrder]) -> int:
        """Cancel orders; return how many of them a cancel can name."""
        nonce = nonces_take(session.signer_id, 1, self._hands.clock.now())[0]
        reports = session.client.cancel_resting(orders, nonce)
        now = self._hands.clock.now()
        gone = [report for report in reports if report.status is not None]
        if gone and self._veto.first_cancel_at is None:
            self._write(first_cancel_at=now)
        reports_apply(account_id=session.account.account_id, reports=gone, now=now)
        nameless = [order for order, report in zip(orders, reports, strict=True) if report.reason == CANNOT_BE_NAMED]
        self._tell_of(session, nameless, now)
        return len(orders) - len(nameless)

    def _tell_of(self, session: Session, nameless: Sequence[LiveOrder], now: datetime) -> None:
        """Say that orders live on because no cancel can name them: a person has to end them at the venue."""
        for order in nameless:
            what = f"order {order.venue_order_id} in {order.symbol}"
            self._uncancellable[order.venue_order_id] = f"{session.account.code}: {what} cannot be cancelled"
        if nameless:
            text = "; ".join(self._uncancellable.values())
            alarm_once(session.account.account_id, Alarm(AccountEvent.Kind.UNCANCELLABLE_ORDER, text), now)

    def _still_ours(self) -> bool:
        return monotonic() < self._deadline and _lease(self._veto, self._hands)

    def _done(self, detail: str) -> bool:
        self._write(stage=Veto.Stage.DONE, done_at=self._hands.clock.now(), detail=detail[:300])
        logger.warning("veto %s done: %s", self._veto.pk, self._veto)
        return True

    def _write(self, **fields: str | datetime | Veto.Stage) -> None:
        """Write progress, as long as the row is ours."""
        for name, value in fields.items():
            setattr(self._veto, name, value)
        Veto.objects.filter(pk=self._veto.pk, worker=self._hands.worker).update(**fields)


def _mode(veto: Veto) -> TradingMode:
    """Return what the scope's row says now. A missing row is taken for a halt: somebody asked for one."""
    said = TradingState.objects.filter(scope_kind=veto.scope_kind, scope_key=veto.scope_key).first()
    return TradingMode.HALTED if said is None else TradingMode(said.mode)
