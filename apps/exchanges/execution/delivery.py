"""One claim on its way to the venue: cancels, then orders that reduce, amends, orders that open."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import transaction

from apps.exchanges.execution.abilities import by_ability, changes_in_place
from apps.exchanges.execution.asking import asking
from apps.exchanges.execution.batches import batches
from apps.exchanges.execution.changes import amend_all, cancel_all
from apps.exchanges.execution.ended import Ended, ended_settle
from apps.exchanges.execution.gate import GateScope, gate_modes, passes
from apps.exchanges.execution.nonces import nonces_take
from apps.exchanges.execution.outcomes import outcome_of, said
from apps.exchanges.execution.sessions import Session
from apps.exchanges.execution.timing import (
    LEASE_SECONDS,
    REQUEST_SECONDS,
    VENUE_WINDOW_SECONDS,
    again_at,
    lasting,
)
from apps.exchanges.locks import lease_extend
from apps.exchanges.models import AccountEvent, CommandStatus, TradingMode
from apps.exchanges.orders.begin import (
    amends_begin,
    cancels_begin,
    orders_begin,
    orders_begin_again,
    orders_put_back,
)
from apps.exchanges.orders.claim import Claim, ClaimedAmend, ClaimedCancel, ClaimedOrder
from apps.exchanges.orders.commands import CommandOutcome, commands_settle
from apps.exchanges.orders.ending import unsent_end
from apps.exchanges.orders.events import Alarm, alarm_once
from apps.exchanges.orders.held import orders_hold
from apps.exchanges.orders.instead import amends_as_cancels
from apps.exchanges.orders.services import reports_apply
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue, NotSent, RateLimited, TradingError
from moondev.domain.orders import OrderReport, OrderStatus

logger = logging.getLogger(__name__)

T = TypeVar("T")

GATE = "gate"
# Real seconds between two offers of an exit to a venue that cannot be reached.
AWAY_SECONDS = 2.0


class LeaseLapsed(Exception):
    """The account's lease is not ours any more, so nothing more may be sent."""


class Delivery:
    """Carries out one claim. Everything it learns goes through `reports_apply` or `commands_settle`."""

    def __init__(self, claim: Claim, session: Session, clock: Clock) -> None:
        self._claim, self._session, self._clock = claim, session, clock
        self._until = claim.until

    def run(self) -> None:
        """Send everything of the claim. Raises LeaseLapsed when another may have taken over."""
        ended = self._cancel() if self._claim.cancels else []
        if self._claim.amends:
            self._place(self._claim.reducing)
            self._amend()
            self._place(self._claim.opening)
        else:
            self._place(self._claim.orders)
        # Last: nothing new waits for this question, and until it is answered the cancelled orders count as live.
        ended_settle(self._session, ended, self._clock)

    def _cancel(self) -> list[Ended]:
        """Send the cancels; return those that ended their orders, to be settled."""
        return [one for batch in self._batches(self._claim.cancels) for one in self._cancel_batch(batch)]

    def _cancel_batch(self, claimed: Sequence[ClaimedCancel]) -> list[Ended]:
        self._hold_lease()
        begun = cancels_begin(self._claim, claimed, self._clock.now())
        cancels = [c for c in claimed if c.command_id in begun]
        if not cancels:
            return []
        nonce = nonces_take(self._session.signer_id, 1, self._clock.now())[0]
        self._require_lease()
        return cancel_all(self._session, cancels, nonce, self._clock)

    def _amend(self) -> None:
        for batch in self._batches(self._claim.amends):
            self._amend_batch(batch)

    def _amend_batch(self, claimed: Sequence[ClaimedAmend]) -> None:
        self._hold_lease()
        begun = amends_begin(self._claim, claimed, self._clock.now())
        amends = self._let_through_amends([a for a in claimed if a.command_id in begun])
        amends = self._cancel_instead(amends)
        if amends:
            now = self._clock.now()
            nonce = nonces_take(self._session.signer_id, 1, now)[0]
            self._require_lease()
            amend_all(self._session, amends, nonce, self._expiry(now), self._clock)

    def _let_through_amends(self, amends: Sequence[ClaimedAmend]) -> list[ClaimedAmend]:
        """Return the amends the gate passes; the others end, and their orders rest as before."""
        modes = self._modes([(a.strategy, a.request.instrument) for a in amends])
        passed, stopped = [], []
        for amend in amends:
            mode = modes[self._scope(amend.strategy, amend.request.instrument)]
            if passes(mode, reduces=amend.amendment.reduce_only):
                passed.append(amend)
            else:
                reason = f"the gate is {mode.value}"
                stopped.append(CommandOutcome(amend.command_id, amend.order_id, CommandStatus.DROPPED, reason))
        commands_settle(self._claim.account_id, stopped, self._clock.now())
        return passed

    def _cancel_instead(self, amends: Sequence[ClaimedAmend]) -> list[ClaimedAmend]:
        """Return the amends that the venue carries out; of the others the order is cancelled, to be planned anew.

        The cancel is a row of its own that the next claim finds; nothing new is placed before it is confirmed.
        """
        native = [a for a in amends if changes_in_place(a, self._session.capabilities)]
        others = [a for a in amends if a not in native]
        if others:
            amends_as_cancels(self._claim.account_id, others, self._clock.now())
        return native

    def _place(self, orders: Sequence[ClaimedOrder]) -> None:
        """Send new orders, as many at once as the venue takes. An order begins only when its own request is next."""
        for batch in self._batches(self._the_venue_s(orders)):
            self._place_batch(batch)

    def _the_venue_s(self, orders: Sequence[ClaimedOrder]) -> list[ClaimedOrder]:
        """Return the orders that the venue does itself; hold those we do in its stead, end those that nobody does."""
        found = by_ability(orders, self._session.capabilities)
        now = self._clock.now()
        if found.ours:
            orders_hold(self._claim, [order.order_id for order in found.ours], now)
        for order, error in found.refused:
            reason = outcome_of(error)[1]
            unsent_end(
                "o.id = %s", (order.order_id,), status=OrderStatus.CANCELLED, reason=reason, source="send", now=now
            )
        return found.native

    def _place_batch(self, orders: Sequence[ClaimedOrder]) -> None:
        """Send new orders as one request; whatever happens to it, every order has a state afterwards."""
        self._hold_lease()
        now = self._clock.now()
        expires = self._expiry(now)
        ids = [order.order_id for order in orders]
        with transaction.atomic():
            begun = orders_begin(self._claim, ids, until=self._until, venue_expires_at=expires, now=now)
            nonce = nonces_take(self._session.signer_id, 1, now)[0]
        self._offer([order for order in orders if order.order_id in begun], nonce, expires)

    def _offer(self, orders: Sequence[ClaimedOrder], nonce: int, expires: datetime) -> None:
        """Offer begun orders to the venue, once; what it does not look at waits for another claim."""
        orders = self._let_through(orders)
        if not orders:
            return
        self._require_lease()
        try:
            with asking(self._session, orders):
                reports = self._session.client.place([order.approved for order in orders], nonce, expires)
        except RateLimited as error:
            self._keep_back(orders, error)
        except InvalidValue as error:
            self._one_by_one(orders, error)
        except NotSent as error:
            self._give_up(self._wait_for_the_venue(orders, error), error)
        except Exception as error:  # noqa: BLE001  whatever it was, the orders may be at the venue: their state must say so
            self._give_up(orders, error)
        else:
            self._apply(reports)

    def _let_through(self, orders: Sequence[ClaimedOrder]) -> Sequence[ClaimedOrder]:
        """Return the orders the gate passes this moment; the others end here, unsent."""
        modes = self._modes([(o.strategy, o.approved.request.instrument) for o in orders])
        stopped: list[OrderReport] = []
        passed = []
        for order in orders:
            mode = modes[self._scope(order.strategy, order.approved.request.instrument)]
            if passes(mode, reduces=order.reduces):
                passed.append(order)
            else:
                reason = f"not sent: the gate is {mode.value}"
                now = self._clock.now()
                stopped += said([order.client_order_id], OrderStatus.CANCELLED, reason, now, GATE)
        self._apply(stopped)
        return passed

    def _keep_back(self, orders: Sequence[ClaimedOrder], error: RateLimited) -> None:
        """Put orders back that there is no room for now; exits among them are tried alone, in the reserved lane.

        The account's sender does not wait with them: a cancel that comes meanwhile must find it free.
        """
        exits = [order for order in orders if order.reduces]
        if not exits or len(exits) == len(orders):
            self._put_back(orders, error)
            return
        self._put_back([order for order in orders if not order.reduces], error)
        self._hold_lease()
        exits, expires = self._begin_again(exits)
        self._offer(exits, nonces_take(self._session.signer_id, 1, self._clock.now())[0], expires)

    def _wait_for_the_venue(self, orders: Sequence[ClaimedOrder], error: NotSent) -> list[ClaimedOrder]:
        """Return the orders to be given up; protection is offered again until the venue is back.

        That are exits whose trigger was ours, and stops and take-profits: who writes a bracket's writes them once.
        """
        exits = [order for order in orders if order.protects]
        if exits:
            now = self._clock.now()
            ids, when = [order.order_id for order in exits], now + lasting(self._clock, AWAY_SECONDS)
            orders_put_back(self._claim, ids, again_at=when, reason=str(error), now=now)
            text = f"{len(exits)} that protect, not taken: {error}"
            alarm_once(self._claim.account_id, Alarm(AccountEvent.Kind.UNRELEASED_ORDER, text), now)
        return [order for order in orders if order not in exits]

    def _put_back(self, orders: Sequence[ClaimedOrder], error: RateLimited) -> None:
        """Make orders claimable again a moment later; those whose time would have passed by then end at once."""
        when = again_at(self._clock, error)
        self._give_up([order for order in orders if order.valid_until <= when], error)
        waiting = [order.order_id for order in orders if order.valid_until > when]
        orders_put_back(self._claim, waiting, again_at=when, reason=str(error), now=self._clock.now())

    def _begin_again(self, orders: Sequence[ClaimedOrder]) -> tuple[list[ClaimedOrder], datetime]:
        """Move the times of begun orders; return those still ours to offer, and until when the venue may take them."""
        now = self._clock.now()
        expires = self._expiry(now)
        ids = [order.order_id for order in orders]
        begun = orders_begin_again(self._claim, ids, until=self._until, venue_expires_at=expires, now=now)
        return [order for order in orders if order.order_id in begun], expires

    def _one_by_one(self, orders: Sequence[ClaimedOrder], error: InvalidValue) -> None:
        """One order of the batch is not fit to be sent; find which, so that the others are not held up by it."""
        if len(orders) == 1:
            self._give_up(orders, error)
            return
        for order in orders:
            self._hold_lease()
            still_ours, expires = self._begin_again([order])
            nonce = nonces_take(self._session.signer_id, 1, self._clock.now())[0]
            self._offer(still_ours, nonce, expires)

    def _give_up(self, orders: Sequence[ClaimedOrder], error: Exception) -> None:
        """Write what `error` means for the orders."""
        status, reason = outcome_of(error)
        if status is OrderStatus.UNKNOWN:
            surprise = None if isinstance(error, TradingError) else error
            logger.warning("account %s: %d orders: %s", self._claim.account_id, len(orders), reason, exc_info=surprise)
        self._apply(said([order.client_order_id for order in orders], status, reason, self._clock.now()))

    def _apply(self, reports: Sequence[OrderReport]) -> None:
        reports_apply(account_id=self._claim.account_id, reports=reports, now=self._clock.now())

    def _batches(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        return batches(items, self._session.client.max_batch)

    def _modes(self, orders: Sequence[tuple[str, str]]) -> dict[GateScope, TradingMode]:
        return gate_modes({self._scope(*order) for order in orders}, self._clock.now())

    def _scope(self, strategy: str, instrument: str) -> GateScope:
        return GateScope.of(self._session.account, strategy, instrument)

    def _expiry(self, now: datetime) -> datetime:
        return now + lasting(self._clock, VENUE_WINDOW_SECONDS)

    def _hold_lease(self) -> None:
        """See to it that the lease outlives the next request."""
        if self._until - self._clock.now() < lasting(self._clock, REQUEST_SECONDS):
            self._extend(LEASE_SECONDS)

    def _extend(self, real_seconds: float) -> None:
        now = self._clock.now()
        until = now + lasting(self._clock, real_seconds)
        if not lease_extend(self._claim.account_id, self._claim.fence, now, until):
            raise LeaseLapsed(f"lease {self._claim.fence} has lapsed")
        self._until = until

    def _require_lease(self) -> None:
        """Immediately before signing: a lease that lapsed, say while the process stood still, sends nothing."""
        if self._clock.now() >= self._until:
            raise LeaseLapsed(f"lease {self._claim.fence} has lapsed before sending")
