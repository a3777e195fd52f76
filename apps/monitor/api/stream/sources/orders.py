"""Topic ``orders``: what is working, and the latest that ended or was refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet

from apps.exchanges.models import Order
from apps.monitor.api.stream.sources.words import amount, milliseconds_between, moment
from apps.monitor.api.stream.table import Row, Rows
from moondev.domain.clock import Clock
from moondev.domain.orders import NON_FINAL

# Quoting strategies keep many working; a page that shows more than this shows nothing.
WORKING_SHOWN = 300
ENDED_SHOWN = 100
_FIELDS = (
    "strategy", "side", "order_type", "time_in_force", "purpose", "quantity", "price",
    "trigger_price", "status", "filled_quantity", "filled_notional", "refusal_code", "refusal_limit", "refusal_value",
    "reason", "tick_id", "created_at", "sent_at", "acknowledged_at", "closed_at", "updated_at",
)  # fmt: skip


def read_orders(_words: tuple[str, ...], _clock: Clock) -> Rows:
    """Return orders by number: those that are not final, and the latest of the others."""
    working = _told(Order.objects.filter(status__in=sorted(NON_FINAL)).order_by("-pk")[:WORKING_SHOWN])
    ended = _told(Order.objects.exclude(status__in=sorted(NON_FINAL)).order_by("-pk")[:ENDED_SHOWN])
    return {**ended, **working}


def _told(orders: QuerySet[Order]) -> dict[str, Row]:
    rows = orders.annotate(
        code=F("account__code"), venue=F("account__venue_id"), symbol=F("instrument__symbol")
    ).values("pk", *_FIELDS, "code", "venue", "symbol")
    return {str(row["pk"]): _row(row) for row in rows}


def _row(row: dict[str, Any]) -> Row:
    return {
        "strategy": row["strategy"],
        "account": row["code"],
        "venue": row["venue"],
        "symbol": row["symbol"],
        "side": row["side"],
        "type": row["order_type"],
        "time_in_force": row["time_in_force"],
        "purpose": row["purpose"],
        "quantity": amount(row["quantity"]),
        "price": amount(row["price"]),
        "trigger": amount(row["trigger_price"]),
        "status": row["status"],
        "working": row["status"] in NON_FINAL,
        "filled": amount(row["filled_quantity"]),
        "average": amount(_average(row)),
        "refusal": " ".join(part for part in (row["refusal_code"], row["refusal_value"], row["refusal_limit"]) if part),
        "reason": row["reason"],
        "tick": row["tick_id"],
        "created": moment(row["created_at"]),
        "updated": moment(row["updated_at"]),
        "submit_ms": milliseconds_between(row["created_at"], row["sent_at"]),
        "acknowledge_ms": milliseconds_between(row["sent_at"], row["acknowledged_at"]),
    }


def _average(row: dict[str, Any]) -> Decimal | None:
    return row["filled_notional"] / row["filled_quantity"] if row["filled_quantity"] else None
