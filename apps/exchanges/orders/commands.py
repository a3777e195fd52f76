"""What has become of cancels and amends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.exchanges.accounts.facts import account_facts
from apps.exchanges.bulk import fetch, values_run
from apps.exchanges.locks import lock_exposures, lock_reports, move_exposures
from apps.exchanges.models import CommandStatus
from apps.exchanges.orders.desk import Desk, DeskOrder
from apps.exchanges.orders.fill_rows import filled_under
from apps.exchanges.orders.progress import after_amend, after_refused_change, settled
from apps.exchanges.ports import ReportSource, RestingOrder
from moondev.domain.orders import OrderReport, OrderStatus

_LEFT_RESTING = frozenset({CommandStatus.FAILED, CommandStatus.DROPPED, CommandStatus.APPROVED})


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """How one command ended. FAILED, DROPPED: the order rests as before; UNKNOWN: reconciliation decides.

    APPROVED puts it back: the venue did not look at it, and it may be claimed again, from `again_at` on where given.
    """

    command_id: int
    order_id: int
    status: CommandStatus
    reason: str = ""
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Amended:
    """An amend the venue has carried out: what it made of the order, on how much filled, and the venue's word on it."""

    command_id: int
    order_id: int
    remaining: Decimal
    price: Decimal
    filled_when_planned: Decimal
    report: OrderReport


@dataclass(frozen=True, slots=True)
class Renamed:
    """An order as it rests at the venue: under an id that may be new, with its size there and its price where told.

    `remaining` is the whole size under that id, fills under it included. `price` None: not told, or no matter.
    """

    client_order_id: UUID
    venue_order_id: str
    remaining: Decimal | None = None
    price: Decimal | None = None

    @classmethod
    def as_shown(cls, client_order_id: UUID, order: RestingOrder) -> Renamed:
        """Return a live order as the venue lists it; the price of one that waits for a trigger is of no matter."""
        price = None if order.trigger_price is not None else order.price.value
        return cls(client_order_id, order.venue_order_id, order.quantity.value, price)


def commands_settle(account_id: int, outcomes: Sequence[CommandOutcome], now: datetime) -> None:
    """Write how commands ended, and let orders that nothing happened to rest again. Twice is once."""
    if not outcomes:
        return
    with transaction.atomic():
        lock_reports(account_id)
        resting = [o.order_id for o in outcomes if o.status in _LEFT_RESTING]
        desk = Desk.opened(account_facts(account_id), order_ids=resting)
        reasons = {o.order_id: o.reason for o in outcomes}
        for order in desk.orders.values():
            order.now = settled(after_refused_change(order.now))
            if order.changed:
                order.note("send", reasons.get(order.order_id, ""))
        _commit(desk, now)
        # After the counters: a tick that holds them may wait for these rows.
        _write(outcomes, now)


def amends_settle(account_id: int, amended: Sequence[Amended], now: datetime) -> None:
    """Write what accepted amends have made of their orders. Apply the venue's reports afterwards. Twice is once."""
    if not amended:
        return
    with transaction.atomic():
        lock_reports(account_id)
        account = account_facts(account_id)
        open_ids = _still_open([a.command_id for a in amended])
        fresh = [a for a in amended if a.command_id in open_ids]
        desk = Desk.opened(account, order_ids=[a.order_id for a in fresh])
        for item in fresh:
            _amend(desk.orders[item.order_id], item)
        _commit(desk, now)
        _write([CommandOutcome(a.command_id, a.order_id, CommandStatus.DONE) for a in fresh], now)


def renames_settle(account_id: int, renames: Sequence[Renamed], now: datetime) -> int:
    """Follow resting orders that have another id, size or price at the venue than here; return how many. Twice is once.

    Some venues rename what they amend, others change it in place. An amend that was given up and came into effect all
    the same shows only here.
    """
    if not renames:
        return 0
    with transaction.atomic():
        lock_reports(account_id)
        desk = Desk.opened(account_facts(account_id), [(rename.client_order_id, None) for rename in renames])
        for rename in renames:
            order = desk.find(rename.client_order_id, None)
            if order is not None and _is_news(order, rename):
                _rename(order, rename)
        _commit(desk, now)
        return sum(order.changed for order in desk.orders.values())


def _is_news(order: DeskOrder, rename: Renamed) -> bool:
    """Return whether id, size or price are new. While an amend is under way its own answer says what became of it."""
    now = order.now
    if not now.venue_order_id or now.status is OrderStatus.AMENDING or now.final:
        return False
    if rename.venue_order_id != now.venue_order_id:
        return rename.venue_order_id not in now.aliases
    resized = rename.remaining is not None and now.earlier + rename.remaining != now.quantity
    return resized or (rename.price is not None and rename.price != now.price)


def _rename(order: DeskOrder, rename: Renamed) -> None:
    now = order.now
    on_id = filled_under(order.order_id, rename.venue_order_id)
    price = now.price if rename.price is None else rename.price
    left = now.quantity - now.filled
    if rename.venue_order_id != now.venue_order_id:
        remaining = left + on_id if rename.remaining is None else rename.remaining
    else:
        remaining = left if rename.remaining is None else max(rename.remaining - on_id, Decimal(0))
    order.now = settled(after_amend(now, remaining, price, rename.venue_order_id, on_id))
    order.note(ReportSource.RECONCILE, f"at the venue as {rename.venue_order_id}: {remaining:f} @ {price:f}")


def _amend(order: DeskOrder, item: Amended) -> None:
    new_id = item.report.venue_order_id or ""
    on_new = filled_under(order.order_id, new_id) if new_id else Decimal(0)
    if order.now.final:
        return
    remaining = item.remaining
    if new_id in {"", order.now.venue_order_id}:
        # Changed in place: the venue was told the whole size, so what filled meanwhile comes off what is left.
        remaining = max(remaining + item.filled_when_planned - order.now.filled, Decimal(0))
    order.now = after_amend(order.now, remaining, item.price, new_id, on_new)
    order.note(item.report.source, f"amended to {remaining:f} @ {item.price:f}", item.report.time_exchange)


def _commit(desk: Desk, now: datetime) -> None:
    changes = desk.exposure_changes()
    if changes:
        lock_exposures(changes)
    desk.write(now)
    move_exposures(changes)


def _still_open(command_ids: Sequence[int]) -> frozenset[int]:
    rows = fetch(
        "SELECT id FROM exchanges_ordercommand WHERE id = ANY(%s) AND status IN ('sending', 'unknown')",
        (list(command_ids),),
    )
    return frozenset(command_id for (command_id,) in rows)


def _write(outcomes: Sequence[CommandOutcome], now: datetime) -> None:
    values_run(
        "UPDATE exchanges_ordercommand c SET status = v.status, reason = CASE WHEN v.reason = '' THEN c.reason ELSE"
        " v.reason END, done_at = CASE WHEN v.status IN ('done', 'dropped', 'failed') THEN v.now END,"
        " claimed_by = '', claimed_until = v.again_at FROM (VALUES %s) AS v(id, status, reason, now, again_at)"
        " WHERE c.id = v.id AND c.status IN ('sending', 'unknown')",
        [(o.command_id, o.status.value, o.reason[:300], now, o.again_at) for o in outcomes],
        "(%s, %s, %s, %s::timestamptz, %s::timestamptz)",
    )
