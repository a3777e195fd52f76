"""Exits as orders: written, claimed and sent by the halt itself, and taken back when the next stage has come.

They are rows like any other order, so their fills find their owners; they pass no gate, because a halt asked for them,
and the venue refuses whatever would grow a position.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

from apps.exchanges.bulk import fetch
from apps.exchanges.execution.asking import asking
from apps.exchanges.execution.batches import batches
from apps.exchanges.execution.exit_prices import Terms
from apps.exchanges.execution.exits import Exit
from apps.exchanges.execution.gone import gone_settle
from apps.exchanges.execution.hands import Hands
from apps.exchanges.execution.live_exits import TICK_PREFIX, LiveExit
from apps.exchanges.execution.nonces import nonces_take
from apps.exchanges.execution.outcomes import outcome_of, said
from apps.exchanges.execution.sessions import Session
from apps.exchanges.execution.timing import LEASE_SECONDS, VENUE_WINDOW_SECONDS, lasting
from apps.exchanges.models import Veto
from apps.exchanges.orders.begin import exits_begin
from apps.exchanges.orders.claim import ClaimedOrder, halting_claim
from apps.exchanges.orders.events import Step, steps_append
from apps.exchanges.orders.new_rows import GIVEN_COLUMNS, PLAIN, rows_insert
from apps.exchanges.orders.reconcile import Reconciliation
from apps.exchanges.orders.services import reports_apply
from moondev.domain.errors import RateLimited
from moondev.domain.orders import (
    CLIENT_ORDER_NAMESPACE,
    CancelOrder,
    OrderReport,
    OrderStatus,
    OrderType,
    Purpose,
)

logger = logging.getLogger(__name__)

SOURCE = "veto"
NEXT_STAGE = "the next stage of flattening"


@dataclass(frozen=True, slots=True)
class Offer:
    """An exit with the terms on which it goes out."""

    exit: Exit
    terms: Terms
    attempt: int


class ExitOrders:
    """Sends and takes back the exits of one veto on one account."""

    def __init__(self, veto: Veto, hands: Hands, session: Session) -> None:
        self._veto, self._hands, self._session = veto, hands, session

    def send(self, offers: Sequence[Offer]) -> dict[UUID, OrderReport]:
        """Send exits; return what the venue said of each by client order id. Raises RateLimited when it wants rest."""
        reports: dict[UUID, OrderReport] = {}
        for batch in batches(offers, self._session.client.max_batch):
            reports.update(self._send_batch(batch))
        return reports

    def take_back(self, exits: Sequence[LiveExit]) -> None:
        """Cancel exits that rest; how each ended, and with what fills, is settled before anything follows it."""
        clock = self._hands.clock
        gone: list[OrderReport] = []
        try:
            for batch in batches(exits, self._session.client.max_batch):
                nonce = nonces_take(self._session.signer_id, 1, clock.now())[0]
                cancels = [CancelOrder(one.client_order_id, one.instrument, NEXT_STAGE) for one in batch]
                gone += [r for r in self._session.client.cancel(cancels, nonce) if r.status is not None]
        finally:
            gone_settle(self._session, gone, clock)
        ended = {report.client_order_id for report in gone}
        Reconciliation(self._session, clock).ends_of(
            [(one.client_order_id, one.instrument) for one in exits if one.client_order_id not in ended]
        )

    def attempts(self, exit_: Exit) -> int:
        """Return how many exits of this position the veto has written: a number that makes the next one's id."""
        rows = fetch(
            "SELECT COUNT(*) FROM exchanges_order WHERE account_id = %s AND tick_id = %s AND strategy = %s"
            " AND instrument_id = %s",
            (self._session.account.account_id, self._tick, exit_.strategy, exit_.instrument_id),
        )
        return int(rows[0][0])

    def _send_batch(self, offers: Sequence[Offer]) -> dict[UUID, OrderReport]:
        clock, worker = self._hands.clock, self._hands.worker
        now = clock.now()
        until, expires = now + lasting(clock, LEASE_SECONDS), now + lasting(clock, VENUE_WINDOW_SECONDS)
        with transaction.atomic():
            ids = self._record(offers, now)
            orders = halting_claim(ids, worker, until)
            begun = exits_begin(ids, worker, until=until, venue_expires_at=expires, now=now)
            nonce = nonces_take(self._session.signer_id, 1, now)[0]
        return self._place([order for order in orders if order.order_id in begun], nonce, expires)

    def _place(self, orders: Sequence[ClaimedOrder], nonce: int, expires: datetime) -> dict[UUID, OrderReport]:
        """Send exits as one request and write what became of them. Raises RateLimited, for that says when to go on."""
        if not orders:
            return {}
        refused: RateLimited | None = None
        try:
            with asking(self._session, orders):
                reports = self._session.client.place([order.approved for order in orders], nonce, expires)
        except Exception as error:  # noqa: BLE001  whatever it was, the exits may be at the venue: their state must say so
            refused = error if isinstance(error, RateLimited) else None
            status, reason = outcome_of(error)
            logger.warning("veto %s: exits %s: %s", self._veto.pk, status, reason)
            reports = said([order.client_order_id for order in orders], status, reason, self._hands.clock.now())
        now = self._hands.clock.now()
        reports_apply(account_id=self._session.account.account_id, reports=reports, now=now)
        if refused is not None:
            raise refused
        return {report.client_order_id: report for report in reports if report.client_order_id is not None}

    def _record(self, offers: Sequence[Offer], now: datetime) -> list[int]:
        ids = sorted(rows_insert([self._row(offer, now) for offer in offers]).values())
        steps_append([Step(i, SOURCE, OrderStatus.CREATED, OrderStatus.APPROVED, "flatten") for i in ids], now)
        return ids

    def client_order_id(self, offer: Offer) -> UUID:
        """Return the id that the same try at the same position always gets, however often it is begun."""
        exit_ = offer.exit
        name = f"{self._session.account.code}/{exit_.strategy}/{exit_.instrument.symbol}/{offer.attempt}"
        # Parts of one exit are written together, and so are the same attempt.
        part = f".{exit_.part}" if exit_.part else ""
        return uuid5(CLIENT_ORDER_NAMESPACE, f"{self._tick}/{name}{part}")

    def _row(self, offer: Offer, now: datetime) -> tuple[object, ...]:
        exit_, terms = offer.exit, offer.terms
        values = {
            "account_id": self._session.account.account_id,
            "instrument_id": exit_.instrument_id,
            "strategy": exit_.strategy,
            "tick_id": self._tick,
            "client_order_id": self.client_order_id(offer),
            "side": exit_.side.value,
            "order_type": OrderType.LIMIT.value,
            "time_in_force": terms.time_in_force.value,
            "purpose": Purpose.REDUCING.value,
            "quantity": exit_.quantity,
            "price": terms.price.value,
            "trigger_price": None,
            "arrival_price": exit_.mark.value,
            "status": OrderStatus.APPROVED.value,
            "reserved": 0,
            "reason": self._veto.reason,
            "valid_until": now + lasting(self._hands.clock, LEASE_SECONDS),
            "created_at": now,
            "updated_at": now,
            "closed_at": None,
            **PLAIN,
        }
        return tuple(values.get(column, "") for column in GIVEN_COLUMNS)

    @property
    def _tick(self) -> str:
        return f"{TICK_PREFIX}{self._veto.pk}"
