"""Which rows of an account we are not sure of, and what only time may decide about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from apps.exchanges.bulk import Row, fetch
from apps.exchanges.models import CommandKind
from apps.exchanges.ports import LiveOrder, RestingOrder

UNHEARD = "the sender's lease lapsed before an answer was recorded"


@dataclass(frozen=True, slots=True)
class Doubt:
    """One order to ask the venue about. `venue_expires_at` None: it was never marked as sent."""

    order_id: int
    client_order_id: UUID
    venue_order_id: str
    status: str
    venue_expires_at: datetime | None
    denied_at: datetime | None
    instrument: str


@dataclass(frozen=True, slots=True)
class DoubtfulCommand:
    """One cancel or amend whose outcome was not heard."""

    command_id: int
    order_id: int
    kind: CommandKind
    client_order_id: UUID
    venue_order_id: str
    sent_at: datetime | None
    instrument: str
    row: Row


_DOUBT = (
    "SELECT o.id, o.client_order_id, o.venue_order_id, o.status, o.venue_expires_at, o.denied_at,"
    " i.venue_id || ':' || i.symbol FROM exchanges_order o JOIN exchanges_instrument i ON i.id = o.instrument_id"
)


def lapsed_orders(account_id: int, now: datetime) -> list[UUID]:
    """Return orders that were being sent when their sender's lease ran out."""
    rows = fetch(
        "SELECT client_order_id FROM exchanges_order WHERE account_id = %s AND status = 'sending'"
        " AND (claimed_until IS NULL OR claimed_until <= %s) ORDER BY id",
        (account_id, now),
    )
    return [client_id for (client_id,) in rows]


def lapsed_commands(account_id: int, now: datetime) -> list[tuple[int, int]]:
    """Return (command, order) ids of commands that were being sent when their sender's lease ran out."""
    rows = fetch(
        "SELECT id, order_id FROM exchanges_ordercommand WHERE account_id = %s AND status = 'sending'"
        " AND (claimed_until IS NULL OR claimed_until <= %s) ORDER BY id",
        (account_id, now),
    )
    return [(command_id, order_id) for command_id, order_id in rows]


def unknown_orders(account_id: int, limit: int) -> list[Doubt]:
    """Return orders whose outcome we never heard, oldest first."""
    rows = fetch(
        f"{_DOUBT} WHERE account_id = %s AND status = 'unknown' ORDER BY updated_at, id LIMIT %s", (account_id, limit)
    )
    return [Doubt(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Seen:
    """The live orders a venue listed: all by its own ids, those that wait for their trigger by ours as well.

    Some venues name an order of their own only on release; until then our record has no id of theirs to look for.
    """

    venue_ids: list[str]
    waiting: list[str]

    @classmethod
    def among(cls, living: Iterable[LiveOrder]) -> Seen:
        """Return the names of these orders."""
        venue_ids, waiting = [], []
        for order in living:
            if order.venue_order_id:
                venue_ids.append(order.venue_order_id)
            if isinstance(order, RestingOrder) and order.trigger_price and order.client_order_id:
                waiting.append(str(order.client_order_id))
        return cls(venue_ids, waiting)


def resting_unseen(account_id: int, seen: Seen, before: datetime, limit: int) -> list[Doubt]:
    """Return orders that should rest at the venue but are not among those `seen` there.

    Orders that changed after `before` are left out: the venue's list may be older than the change, and so are those
    whose end the venue has named already.
    """
    rows = fetch(
        f"{_DOUBT} WHERE account_id = %s AND status IN ('open', 'partially_filled', 'cancelling', 'amending')"
        " AND venue_status = '' AND updated_at < %s AND NOT (venue_order_id = ANY(%s)"
        " OR (venue_order_id = '' AND client_order_id::text = ANY(%s))) ORDER BY updated_at, id LIMIT %s",
        (account_id, before, seen.venue_ids, seen.waiting, limit),
    )
    return [Doubt(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class RestingRecord:
    """What our record says of a resting order: the venue's id, price, whole size, and what filled under earlier ids."""

    venue_order_id: str
    price: Decimal
    quantity: Decimal
    earlier: Decimal

    def differs(self, venue_order_id: str, quantity: Decimal, price: Decimal | None) -> bool:
        """Return whether the venue shows another id, size under it, or price (None: of no matter)."""
        if venue_order_id != self.venue_order_id:
            return True
        return self.earlier + quantity != self.quantity or price not in {None, self.price}


def resting_records(account_id: int, client_ids: Sequence[UUID], before: datetime) -> dict[UUID, RestingRecord]:
    """Return our record of orders that rest and have not changed since `before`, by client order id."""
    rows = fetch(
        "SELECT client_order_id, venue_order_id, price, quantity, filled_before_amend FROM exchanges_order"
        " WHERE account_id = %s AND client_order_id = ANY(%s::uuid[]) AND status IN ('open', 'partially_filled')"
        " AND updated_at < %s",
        (account_id, [str(client_id) for client_id in client_ids], before),
    )
    return {row[0]: RestingRecord(*row[1:]) for row in rows}


def unknown_commands(account_id: int, limit: int) -> list[DoubtfulCommand]:
    """Return cancels and amends whose outcome we never heard, oldest first."""
    rows = fetch(
        "SELECT c.id, o.id, c.kind, o.client_order_id, o.venue_order_id, c.sent_at, i.venue_id || ':' || i.symbol,"
        " c.remaining, c.price, c.filled_when_planned FROM exchanges_ordercommand c"
        " JOIN exchanges_order o ON o.id = c.order_id JOIN exchanges_instrument i ON i.id = o.instrument_id"
        " WHERE c.account_id = %s AND c.status = 'unknown' ORDER BY c.id LIMIT %s",
        (account_id, limit),
    )
    return [
        DoubtfulCommand(row[0], row[1], CommandKind(row[2]), row[3], row[4], row[5], row[6], row[7:]) for row in rows
    ]


def denial_is_final(doubt: Doubt, margin: timedelta, now: datetime) -> bool:
    """Note that the venue never heard of an order; return whether that has become final.

    Final is the second such answer, both given after the venue's own expiry plus `margin` and at least `margin`
    apart: until then the request may still be on its way.
    """
    if doubt.venue_expires_at is not None and now < doubt.venue_expires_at + margin:
        return False
    if doubt.denied_at is None:
        fetch(
            "UPDATE exchanges_order SET denied_at = %s WHERE id = %s AND denied_at IS NULL RETURNING id",
            (now, doubt.order_id),
        )
        return False
    return now >= doubt.denied_at + margin


def denials_forget(account_id: int, seen: Seen) -> None:
    """Take back that the venue never heard of orders which it shows now."""
    fetch(
        "UPDATE exchanges_order SET denied_at = NULL WHERE account_id = %s AND denied_at IS NOT NULL"
        " AND status IN ('open', 'partially_filled', 'cancelling', 'amending') AND (venue_order_id = ANY(%s)"
        " OR (venue_order_id = '' AND client_order_id::text = ANY(%s))) RETURNING id",
        (account_id, seen.venue_ids, seen.waiting),
    )


def missing_fills_since(account_id: int) -> datetime | None:
    """Return since when fills are missing: the oldest sending of an order that lacks some; None when none does."""
    rows = fetch(
        "SELECT MIN(sent_at) FROM exchanges_order WHERE account_id = %s AND venue_filled > filled_quantity",
        (account_id,),
    )
    since: datetime | None = rows[0][0]
    return since


def fills_known_since(account_id: int, order_ids: Sequence[int]) -> datetime:
    """Return from when on fills of these orders may be missing: their sending, or the last question for all fills."""
    rows = fetch(
        "SELECT GREATEST(a.fills_known_until, MIN(COALESCE(o.sent_at, o.created_at))) FROM exchanges_order o"
        " JOIN exchanges_account a ON a.id = o.account_id WHERE a.id = %s AND o.id = ANY(%s) GROUP BY a.id",
        (account_id, list(order_ids)),
    )
    since: datetime = rows[0][0]
    return since


def waiting_for_fills(account_id: int, before: datetime) -> list[UUID]:
    """Return orders whose end was named before a moment but whose fills have not added up since."""
    rows = fetch(
        "SELECT client_order_id FROM exchanges_order WHERE account_id = %s AND venue_status <> ''"
        " AND status IN ('open', 'partially_filled', 'cancelling', 'amending') AND updated_at < %s ORDER BY id",
        (account_id, before),
    )
    return [client_id for (client_id,) in rows]


def nothing_moves(account_id: int, since: datetime) -> bool:
    """Return whether no order of the account is on its way or short of fills, and nothing filled since a moment."""
    rows = fetch(
        "SELECT 1 FROM exchanges_order WHERE account_id = %s AND status IN ('sending', 'unknown') UNION ALL"
        " SELECT 1 FROM exchanges_order WHERE account_id = %s AND venue_filled > filled_quantity UNION ALL"
        " SELECT 1 FROM exchanges_fill WHERE account_id = %s AND time_exchange > %s LIMIT 1",
        (account_id, account_id, account_id, since),
    )
    return not rows
