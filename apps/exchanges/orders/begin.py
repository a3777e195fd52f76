"""The last commit before the bytes leave: claimed rows become SENDING, with what a survivor would have to know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.exchanges.bulk import fetch
from apps.exchanges.locks import lock_reports
from apps.exchanges.models import CommandKind
from apps.exchanges.orders.claim import Claim, ClaimedAmend, ClaimedCancel
from apps.exchanges.orders.events import Step, steps_append
from moondev.domain.orders import OrderStatus

OVERTAKEN = "overtaken by fills or by the order's end"


def orders_begin(
    claim: Claim, order_ids: Sequence[int], *, until: datetime, venue_expires_at: datetime, now: datetime
) -> frozenset[int]:
    """Mark claimed orders as being sent; return those that are still ours to send.

    Compare-and-set: an order that was cancelled or claimed by another since, or whose time has passed, is not in the
    answer and must not be sent; nor is any when the account's lease is no longer this claim's.
    """
    with transaction.atomic():
        rows = fetch(
            "UPDATE exchanges_order SET status = 'sending', sent_at = %s, venue_expires_at = %s, claimed_until = %s,"
            " updated_at = %s WHERE id = ANY(%s) AND status = 'approved' AND claimed_by = %s AND fence = %s"
            " AND valid_until > %s AND EXISTS (SELECT 1 FROM exchanges_account a WHERE a.id = %s AND a.fence = %s"
            " AND a.sender_until > %s) RETURNING id",
            (
                *(now, venue_expires_at, until, now, list(order_ids), claim.worker, claim.fence, now),
                *(claim.account_id, claim.fence, now),
            ),
        )
        begun = sorted(order_id for (order_id,) in rows)
        steps_append([Step(i, "send", OrderStatus.APPROVED, OrderStatus.SENDING) for i in begun], now)
        return frozenset(begun)


def exits_begin(
    order_ids: Sequence[int], worker: str, *, until: datetime, venue_expires_at: datetime, now: datetime
) -> frozenset[int]:
    """Mark the exits of a halt as being sent; return those that are still `worker`'s to send."""
    with transaction.atomic():
        rows = fetch(
            "UPDATE exchanges_order SET status = 'sending', sent_at = %s, venue_expires_at = %s, claimed_until = %s,"
            " updated_at = %s WHERE id = ANY(%s) AND status = 'approved' AND claimed_by = %s RETURNING id",
            (now, venue_expires_at, until, now, list(order_ids), worker),
        )
        begun = sorted(order_id for (order_id,) in rows)
        steps_append([Step(i, "veto", OrderStatus.APPROVED, OrderStatus.SENDING) for i in begun], now)
        return frozenset(begun)


def orders_begin_again(
    claim: Claim, order_ids: Sequence[int], *, until: datetime, venue_expires_at: datetime, now: datetime
) -> frozenset[int]:
    """Move the times of orders that the venue refused to look at; return those that are still being sent.

    The others have been given up since, by whoever found them lapsed, and must not be offered to it once more.
    """
    rows = fetch(
        "UPDATE exchanges_order SET sent_at = %s, venue_expires_at = %s, claimed_until = %s, updated_at = %s"
        " WHERE id = ANY(%s) AND status = 'sending' AND fence = %s RETURNING id",
        (now, venue_expires_at, until, now, list(order_ids), claim.fence),
    )
    return frozenset(order_id for (order_id,) in rows)


def orders_put_back(claim: Claim, order_ids: Sequence[int], *, again_at: datetime, reason: str, now: datetime) -> None:
    """Make orders that provably did not leave claimable again from `again_at` on, as if they had not been begun.

    Those that somebody has given up since are left as they are.
    """
    with transaction.atomic():
        rows = fetch(
            "UPDATE exchanges_order SET status = 'approved', sent_at = NULL, venue_expires_at = NULL,"
            " claimed_by = '', claimed_until = %s, updated_at = %s"
            " WHERE id = ANY(%s) AND status = 'sending' AND fence = %s RETURNING id",
            (again_at, now, list(order_ids), claim.fence),
        )
        waiting = sorted(order_id for (order_id,) in rows)
        steps_append([Step(i, "send", OrderStatus.SENDING, OrderStatus.APPROVED, reason) for i in waiting], now)


def cancels_begin(claim: Claim, cancels: Sequence[ClaimedCancel], now: datetime) -> frozenset[int]:
    """Mark cancels as being sent and their resting orders as CANCELLING; return the commands still to be sent."""
    with transaction.atomic():
        lock_reports(claim.account_id)
        begun = _commands_sending(claim, [c.command_id for c in cancels], now)
        orders = [c.order_id for c in cancels if c.command_id in begun]
        _mark_changing(orders, OrderStatus.CANCELLING, CommandKind.CANCEL, now)
        return begun


def cancels_await(command_ids: Sequence[int], until: datetime) -> None:
    """Give the user stream until `until` to say that cancelled orders are gone; then they are asked about."""
    fetch(
        "UPDATE exchanges_ordercommand SET claimed_until = %s WHERE id = ANY(%s) AND status = 'sending' RETURNING id",
        (until, list(command_ids)),
    )


def amends_begin(claim: Claim, amends: Sequence[ClaimedAmend], now: datetime) -> frozenset[int]:
    """Mark amends as being sent; return those still to be sent.

    An amend that fills have overtaken since it was planned, or whose order rests no more, is DROPPED.
    """
    with transaction.atomic():
        lock_reports(claim.account_id)
        stale = fetch(
            "UPDATE exchanges_ordercommand c SET status = 'dropped', reason = %s, done_at = %s FROM exchanges_order o"
            " WHERE o.id = c.order_id AND c.id = ANY(%s) AND c.status = 'approved'"
            " AND (o.filled_quantity <> c.filled_when_planned OR o.status NOT IN ('open', 'partially_filled'))"
            " RETURNING c.id",
            (OVERTAKEN, now, [a.command_id for a in amends]),
        )
        dropped = {command_id for (command_id,) in stale}
        begun = _commands_sending(claim, [a.command_id for a in amends if a.command_id not in dropped], now)
        orders = [a.order_id for a in amends if a.command_id in begun]
        _mark_changing(orders, OrderStatus.AMENDING, CommandKind.AMEND, now)
        return begun


def _commands_sending(claim: Claim, command_ids: Sequence[int], now: datetime) -> frozenset[int]:
    rows = fetch(
        "UPDATE exchanges_ordercommand SET status = 'sending', sent_at = %s WHERE id = ANY(%s) AND status = 'approved'"
        " AND claimed_by = %s AND EXISTS (SELECT 1 FROM exchanges_account a WHERE a.id = %s AND a.fence = %s"
        " AND a.sender_until > %s) RETURNING id",
        (now, list(command_ids), claim.worker, claim.account_id, claim.fence, now),
    )
    return frozenset(command_id for (command_id,) in rows)


def _mark_changing(order_ids: Sequence[int], status: OrderStatus, kind: CommandKind, now: datetime) -> None:
    """Show on resting orders that they are being changed; one whose fate is unknown stays as it is."""
    if not order_ids:
        return
    rows = fetch(
        "UPDATE exchanges_order o SET status = %s, updated_at = %s FROM (SELECT id, status FROM exchanges_order"
        " WHERE id = ANY(%s) AND status IN ('open', 'partially_filled')) AS was WHERE o.id = was.id"
        " RETURNING o.id, was.status",
        (status.value, now, sorted(order_ids)),
    )
    steps_append([Step(i, "send", was, status, kind.value) for i, was in sorted(rows)], now)
