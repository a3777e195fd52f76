"""What waits: messages in queues, and the rows that the messages are about, which count even without a broker."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection

import celeryconfig
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import NO, Measured, Readings, number, scope

# For each queue the oldest thing that waits to be taken up by whoever serves it.
_OLDEST = (
    "SELECT 'orders.' || a.venue_id, min(o.created_at) FROM exchanges_order o"
    " JOIN exchanges_account a ON a.id = o.account_id"
    " WHERE o.status = 'approved' AND o.valid_until > %(now)s GROUP BY 1"
    " UNION ALL SELECT 'vetoes.' || venue_id, min(engaged_at) FROM exchanges_veto"
    " WHERE done_at IS NULL AND stage = 'engaged' GROUP BY 1"
    " UNION ALL SELECT 'ticks', min(due_at) FROM strategies_tick WHERE status = 'due' AND deadline > %(now)s"
)


def queue_length(look: Look) -> Readings:
    """Return how many messages wait in each queue."""
    return {scope("queue", name): Measured(Decimal(length)) for name, length in look.lengths().items()}


def queue_age(look: Look) -> Readings:
    """Return for how long the oldest work of each queue that somebody waits for has waited; zero while none does."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, {"now": look.now})
        oldest: dict[str, datetime | None] = dict(cursor.fetchall())
    served = [f"{kind}.{venue}" for venue in settings.MOONDEV_VENUES for kind in ("orders", "vetoes")]
    found = {}
    for name in ("ticks", *served):
        at = oldest.get(name)
        waited = NO if at is None else number(look.since(at))
        found[scope("queue", celeryconfig.queue_name(name))] = Measured(waited)
    return found
