"""End orders that never left, and free what ended orders still hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from apps.exchanges.bulk import fetch, run
from apps.exchanges.locks import ExposureKey, exposure_keys, lock_exposures, lock_free_exposures, move_exposures
from apps.exchanges.orders.counted import ended_count
from apps.exchanges.orders.events import Step, steps_append
from moondev.domain.orders import FINAL, OrderReport, OrderStatus

BATCH = 1_000
# What has not left us: nobody but us has to be asked to end it.
UNSENT = frozenset({OrderStatus.APPROVED, OrderStatus.HELD})

_HOLDINGS = (
    "SELECT o.id, o.reserved, a.portfolio_id, a.code, o.strategy, i.asset FROM exchanges_order o"
    " JOIN exchanges_account a ON a.id = o.account_id JOIN exchanges_instrument i ON i.id = o.instrument_id"
)


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one order holds, and the counters it holds it in."""

    order_id: int
    reserved: Decimal
    keys: tuple[ExposureKey, ...]


def reservations(condition: str, parameters: Sequence[object]) -> list[Reservation]:
    """Return the reservations of orders (``o``) that meet an SQL condition of ours, by id."""
    rows = fetch(f"{_HOLDINGS} WHERE {condition} ORDER BY o.id LIMIT {BATCH}", parameters)
    return [Reservation(row[0], row[1], exposure_keys(*row[2:])) for row in rows]


def releases(freed: Iterable[Reservation]) -> dict[ExposureKey, Decimal]:
    """Return by how much every counter changes when `freed` hold nothing any more."""
    changes: defaultdict[ExposureKey, Decimal] = defaultdict(Decimal)
    for reservation in freed:
        if reservation.reserved:
            for key in reservation.keys:
                changes[key] -= reservation.reserved
    return changes


def keys_of(held: Iterable[Reservation]) -> set[ExposureKey]:
    """Return every counter in which `held` hold something."""
    return {key for reservation in held if reservation.reserved for key in reservation.keys}


def unsent_end(
    condition: str, parameters: Sequence[object], *, status: OrderStatus, reason: str, source: str, now: datetime
) -> int:
    """End up to `BATCH` orders that have not left us and meet `condition`, freeing their exposure; return how many.

    `status` is CANCELLED or EXPIRED. An order that a sender begins to send at this moment is left alone.
    """
    with transaction.atomic():
        candidates = reservations(f"o.status IN ('approved', 'held') AND {condition}", parameters)
        if not candidates:
            return 0
        lock_exposures(keys_of(candidates))
        ended = _end_unsent([c.order_id for c in candidates], status, reason, now, reserved="0")
        move_exposures(releases(c for c in candidates if c.order_id in ended))
        steps_append([Step(i, source, was, status, reason) for i, was in sorted(ended.items())], now)
        return len(ended)


def unsent_cancel_in_place(order_ids: Sequence[int], reasons: Mapping[int, str], now: datetime) -> frozenset[int]:
    """Cancel orders that have not left us, inside the caller's transaction, never waiting for a lock; return which.

    The caller may hold exposure rows that sort after those needed here; what cannot be freed at once stays reserved
    until `ended_release`.
    """
    held = reservations("o.status IN ('approved', 'held') AND o.id = ANY(%s)", (list(order_ids),))
    ended = _end_unsent([h.order_id for h in held], OrderStatus.CANCELLED, "cancelled before it was sent", now)
    locked = lock_free_exposures(keys_of(h for h in held if h.order_id in ended))
    free = [h for h in held if h.order_id in ended and h.reserved and locked.issuperset(h.keys)]
    if free:
        run("UPDATE exchanges_order SET reserved = 0 WHERE id = ANY(%s)", ([h.order_id for h in free],))
        move_exposures(releases(free))
    steps_append(
        [Step(i, "tick", was, OrderStatus.CANCELLED, reasons.get(i, "")) for i, was in sorted(ended.items())], now
    )
    return frozenset(ended)


def cancelling_note(account_id: int, reports: Sequence[OrderReport], source: str, now: datetime) -> None:
    """Mark resting orders whose cancel the venue has only acknowledged as CANCELLING: they count as live."""
    with transaction.atomic():
        rows = fetch(
            "UPDATE exchanges_order o SET status = 'cancelling', updated_at = %s FROM (SELECT id, status"
            " FROM exchanges_order WHERE account_id = %s AND status IN ('open', 'partially_filled', 'amending')"
            " AND (client_order_id = ANY(%s::uuid[]) OR (venue_order_id <> '' AND venue_order_id = ANY(%s)))"
            " ORDER BY id FOR NO KEY UPDATE) AS was WHERE o.id = was.id RETURNING o.id, was.status",
            (
                now, account_id, [str(r.client_order_id) for r in reports if r.client_order_id is not None],
                [r.venue_order_id for r in reports if r.venue_order_id],
            ),
        )  # fmt: skip
        steps_append([Step(i, source, was, OrderStatus.CANCELLING) for i, was in sorted(rows)], now)


def ended_release(account_id: int) -> int:
    """Free what ended orders of the account still hold; return how many there were."""
    condition = "o.account_id = %s AND o.reserved > 0 AND o.status = ANY(%s)"
    with transaction.atomic():
        held = reservations(condition, (account_id, sorted(FINAL)))
        if not held:
            return 0
        lock_exposures(keys_of(held))
        rows = fetch(
            "UPDATE exchanges_order SET reserved = 0 WHERE id = ANY(%s) AND reserved > 0 RETURNING id",
            ([h.order_id for h in held],),
        )
        freed = {order_id for (order_id,) in rows}
        move_exposures(releases(h for h in held if h.order_id in freed))
        return len(freed)


def _end_unsent(
    order_ids: Sequence[int], status: OrderStatus, reason: str, now: datetime, *, reserved: str = "o.reserved"
) -> dict[int, str]:
    """End orders that have not left us; return what they were, by id."""
    rows = fetch(
        f"UPDATE exchanges_order o SET status = %s, reason = %s, closed_at = %s, updated_at = %s, reserved = {reserved}"  # noqa: S608  one of two words of ours
        " FROM (SELECT id, status FROM exchanges_order WHERE id = ANY(%s) AND status IN ('approved', 'held')"
        " ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) AS was WHERE o.id = was.id RETURNING o.id, was.status, o.strategy,"
        " (SELECT venue_id FROM exchanges_instrument i WHERE i.id = o.instrument_id)",
        (status.value, reason[:300], now, now, list(order_ids)),
    )
    ended_count([(row[2], row[3]) for row in rows], status)
    return {row[0]: row[1] for row in rows}
