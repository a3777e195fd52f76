"""How long each stage of an order's way took, from what made its strategy due to its last fill."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from apps.exchanges.models import Order
from apps.strategies.models import Tick


def stages_ms(order: Order) -> dict[str, float]:
    """Return the stages that are over, in milliseconds, in the order in which they come."""
    tick = Tick.objects.filter(pk=int(order.tick_id)).first() if order.tick_id.isdecimal() else None
    first_fill = order.fills.order_by("time_received").values_list("time_received", flat=True).first()
    moments = [
        ("due", None if tick is None else tick.due_at),
        ("tick_started", None if tick is None else tick.started_at),
        ("row", order.created_at),
        ("sent", order.sent_at),
        ("acknowledged", order.acknowledged_at),
        ("filled", first_fill),
        ("closed", order.closed_at),
    ]
    known = [(name, at) for name, at in moments if at is not None]
    pairs = pairwise(known)
    return {f"{before}_to_{after}": _ms(begun, ended) for (before, begun), (after, ended) in pairs}


def _ms(begun: datetime, ended: datetime) -> float:
    return round((ended - begun).total_seconds() * 1000, 3)
