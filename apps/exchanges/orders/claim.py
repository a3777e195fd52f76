"""Claim an account's work: the lease of its one sender, and a batch of rows that nobody else will touch.

A claimed order stays APPROVED; it becomes SENDING in `begin`, the last commit before the bytes leave. A sender that
dies in between therefore loses nothing: its claim lapses and another claims the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.exchanges.bulk import Row, fetch
from apps.exchanges.locks import lease_take, lock_account
from apps.exchanges.models import CommandKind
from apps.exchanges.orders.ending import unsent_end
from apps.exchanges.orders.triggers import released_as
from apps.exchanges.ports import Amendment
from moondev.domain.decisions import RiskApproved
from moondev.domain.orders import AmendOrder, CancelOrder, OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Bps, Price, Quantity, Side

PASSED_ITS_TIME = "not sent in time"


@dataclass(frozen=True, slots=True)
class ClaimedOrder:
    """One order of a claim, ready to be placed, with what the gate has to know.

    `released`: its trigger was ours to watch and is reached, so it goes as what it becomes then. `tick`: it came of.
    """

    order_id: int
    approved: RiskApproved[PlaceOrder]
    strategy: str
    valid_until: datetime
    released: bool = False
    tick: str = ""

    @property
    def client_order_id(self) -> UUID:
        """Return the id by which the venue will know it."""
        return self.approved.request.client_order_id

    @property
    def reduces(self) -> bool:
        """Return whether it can only shrink a position."""
        return self.approved.request.reduce_only

    @property
    def protects(self) -> bool:
        """Return whether a position goes without its stop, or its way out, for as long as this is not sent."""
        return self.approved.request.purpose is Purpose.PROTECTIVE or (self.released and self.reduces)


@dataclass(frozen=True, slots=True)
class ClaimedCancel:
    """One cancel of a claim."""

    command_id: int
    order_id: int
    request: CancelOrder
    strategy: str


@dataclass(frozen=True, slots=True)
class ClaimedAmend:
    """One amend of a claim, with what the venue wants repeated about the order."""

    command_id: int
    order_id: int
    amendment: Amendment
    strategy: str
    venue_order_id: str

    @property
    def request(self) -> AmendOrder:
        """Return what is asked for."""
        return self.amendment.approved.request


@dataclass(frozen=True, slots=True)
class Claim:
    """What one sender may do now for one account. `fence` names its lease, which ends at `until`."""

    account_id: int
    worker: str
    fence: int
    until: datetime
    cancels: tuple[ClaimedCancel, ...] = field(default=())
    amends: tuple[ClaimedAmend, ...] = field(default=())
    orders: tuple[ClaimedOrder, ...] = field(default=())

    @property
    def reducing(self) -> tuple[ClaimedOrder, ...]:
        """Return the orders that reduce, oldest first."""
        return tuple(order for order in self.orders if order.reduces)

    @property
    def opening(self) -> tuple[ClaimedOrder, ...]:
        """Return the orders that open, oldest first."""
        return tuple(order for order in self.orders if not order.reduces)

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.cancels or self.amends or self.orders)


def orders_claim(*, account_id: int, worker: str, lease_seconds: float, limit: int = 50, now: datetime) -> Claim | None:
    """Take the account's lease and claim up to `limit` rows of each kind; None when it is another's or idle.

    Rows past their time end first: orders EXPIRED with their exposure freed, commands DROPPED. `lease_seconds` are
    seconds of the run's clock. A lease that `worker` holds already is taken anew with a higher fence. An account that
    is disabled has its cancels sent and nothing else.
    """
    overdue_end(account_id, now)
    with transaction.atomic():
        lease = lock_account(account_id)
        if lease is None or lease.held_by_other(worker, now):
            return None
        fence, until = lease.fence + 1, now + timedelta(seconds=lease_seconds)
        claim = Claim(
            account_id,
            worker,
            fence,
            until,
            cancels=_claim_cancels(account_id, worker, until, limit, now),
            amends=_claim_amends(account_id, worker, until, limit, now) if lease.enabled else (),
            orders=_claim_orders(account_id, worker, until, limit, fence, now) if lease.enabled else (),
        )
        if not claim:
            return None
        lease_take(account_id, worker, until, fence)
        return claim


def overdue_end(account_id: int, now: datetime) -> int:
    """End what was not sent in time: orders EXPIRED, commands DROPPED; return how many orders."""
    condition = "o.status = 'approved' AND o.account_id = %s AND o.valid_until <= %s"
    ended = unsent_end(
        condition, (account_id, now), status=OrderStatus.EXPIRED, reason=PASSED_ITS_TIME, source="claim", now=now
    )
    fetch(
        "UPDATE exchanges_ordercommand SET status = 'dropped', reason = %s, done_at = %s WHERE id IN"
        " (SELECT id FROM exchanges_ordercommand WHERE account_id = %s AND status = 'approved'"
        " AND valid_until <= %s ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) RETURNING id",
        (PASSED_ITS_TIME, now, account_id, now),
    )
    return ended


_ORDER_FIELDS = (
    "o.id, o.client_order_id, i.venue_id, i.symbol, o.side, o.order_type, o.time_in_force, o.quantity, o.price,"
    " o.purpose, o.signal_id, o.trigger_price, o.strategy, o.valid_until, o.trail_bps, o.triggered, o.tick_id"
)


def _claim_orders(
    account_id: int, worker: str, until: datetime, limit: int, fence: int, now: datetime
) -> tuple[ClaimedOrder, ...]:
    # Reducing orders first, then oldest first. While it has yet to be asked what happened in a silence of the account's
    # stream, orders that open wait. The picking is materialised: as a plain sub-select the planner may run it again for
    # every row, and then LIMIT bounds nothing.
    rows = fetch(
        "WITH picked AS MATERIALIZED (SELECT id FROM exchanges_order"  # noqa: S608  columns of ours
        " WHERE account_id = %s AND status = 'approved' AND valid_until > %s"
        " AND (claimed_until IS NULL OR claimed_until <= %s OR claimed_by = %s)"
        " AND (purpose <> 'opening' OR NOT (SELECT unreconciled FROM exchanges_account WHERE id = %s))"
        " ORDER BY (purpose = 'opening'), created_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED)"
        " UPDATE exchanges_order o SET claimed_by = %s, claimed_until = %s, fence = %s"
        " FROM picked, exchanges_instrument i WHERE o.id = picked.id AND i.id = o.instrument_id"
        f" RETURNING {_ORDER_FIELDS}",
        (account_id, now, now, worker, account_id, limit, worker, until, fence),
    )
    claimed = [claimed_order(row) for row in rows]
    return tuple(sorted(claimed, key=lambda order: (not order.reduces, order.order_id)))


def claimed_order(row: Row) -> ClaimedOrder:
    """Return a claimed row as an approved order; only rows that were APPROVED may be given here."""
    released = bool(row[15])
    order_type, time_in_force = OrderType(row[5]), TimeInForce(row[6])
    if released:
        order_type, time_in_force = released_as(order_type)
    request = PlaceOrder(
        client_order_id=row[1],
        instrument=f"{row[2]}:{row[3]}",
        side=Side(row[4]),
        order_type=order_type,
        time_in_force=time_in_force,
        quantity=Quantity(plain(row[7])),
        price=Price(plain(row[8])),
        purpose=Purpose(row[9]),
        signal_id=row[10],
        leg="",
        trigger_price=None if released or row[11] is None else Price(plain(row[11])),
        trail=None if released or row[14] is None else Bps(plain(row[14])),
    )
    return ClaimedOrder(row[0], RiskApproved(request), row[12], row[13], released, row[16])


def plain(amount: Decimal) -> Decimal:
    """Return a stored amount without its trailing zeros, as venues want it."""
    return amount.normalize()


_PICKED_COMMANDS = (
    "WITH picked AS MATERIALIZED (SELECT c.id FROM exchanges_ordercommand c JOIN exchanges_order o ON o.id = c.order_id"
    " WHERE c.account_id = %s AND c.kind = %s AND c.status = 'approved' AND c.valid_until > %s"
    " AND (c.claimed_until IS NULL OR c.claimed_until <= %s OR c.claimed_by = %s) AND o.status = ANY(%s)"
    " ORDER BY c.created_at, c.id LIMIT %s FOR NO KEY UPDATE OF c SKIP LOCKED)"
    " UPDATE exchanges_ordercommand c SET claimed_by = %s, claimed_until = %s"
    " FROM picked, exchanges_order o, exchanges_instrument i"
    " WHERE c.id = picked.id AND o.id = c.order_id AND i.id = o.instrument_id RETURNING "
)
# A cancel may chase an order whose fate is unknown; an amend needs one that rests.
_CANCELLABLE = ["open", "partially_filled", "unknown", "amending"]
_AMENDABLE = ["open", "partially_filled"]


def _claim_cancels(
    account_id: int, worker: str, until: datetime, limit: int, now: datetime
) -> tuple[ClaimedCancel, ...]:
    rows = fetch(
        f"{_PICKED_COMMANDS} c.id, o.id, o.client_order_id, i.venue_id, i.symbol, c.reason, o.strategy",
        (account_id, CommandKind.CANCEL.value, now, now, worker, _CANCELLABLE, limit, worker, until),
    )
    return tuple(
        ClaimedCancel(row[0], row[1], CancelOrder(row[2], f"{row[3]}:{row[4]}", row[5]), row[6]) for row in sorted(rows)
    )


def _claim_amends(account_id: int, worker: str, until: datetime, limit: int, now: datetime) -> tuple[ClaimedAmend, ...]:
    rows = fetch(
        f"{_PICKED_COMMANDS} c.id, o.id, o.client_order_id, i.venue_id, i.symbol, c.remaining, c.price,"
        " c.filled_when_planned, o.side, o.order_type, o.time_in_force, o.purpose, o.trigger_price, o.strategy,"
        " o.venue_order_id",
        (account_id, CommandKind.AMEND.value, now, now, worker, _AMENDABLE, limit, worker, until),
    )
    return tuple(_claimed_amend(row) for row in sorted(rows, key=lambda row: int(row[0])))


def _claimed_amend(row: Row) -> ClaimedAmend:
    request = AmendOrder(
        client_order_id=row[2],
        instrument=f"{row[3]}:{row[4]}",
        remaining=Quantity(plain(row[5])),
        price=Price(plain(row[6])),
        filled_when_planned=Quantity(plain(row[7])),
    )
    amendment = Amendment(
        approved=RiskApproved(request),
        side=Side(row[8]),
        order_type=OrderType(row[9]),
        time_in_force=TimeInForce(row[10]),
        reduce_only=Purpose(row[11]).reduces,
        trigger_price=None if row[12] is None else Price(plain(row[12])),
    )
    return ClaimedAmend(row[0], row[1], amendment, row[13], row[14])


def halting_claim(order_ids: Sequence[int], worker: str, until: datetime) -> tuple[ClaimedOrder, ...]:
    """Claim the exits that a halt has just written, for the halt itself; it needs no account lease."""
    rows = fetch(
        "UPDATE exchanges_order o SET claimed_by = %s, claimed_until = %s FROM exchanges_instrument i"  # noqa: S608  columns of ours
        " WHERE i.id = o.instrument_id AND o.id = ANY(%s) AND o.status = 'approved' AND o.purpose <> 'opening'"
        f" RETURNING {_ORDER_FIELDS}",
        (worker, until, list(order_ids)),
    )
    return tuple(sorted((claimed_order(row) for row in rows), key=lambda order: order.order_id))
