"""Whether what we tell people reaches them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from apps.exchanges.bulk import fetch
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import Measured, Readings, scope
from moondev.domain.clock import LiveClock

WINDOW = timedelta(minutes=30)


def delivery_failures(_look: Look) -> Readings:
    """Return how many messages each channel gave up within WINDOW, whatever became of them elsewhere.

    By when that was, not by when they were written: a channel without a fall-back is tried for up to half an hour.
    """
    rows = fetch(
        "SELECT c.slug, count(d.id), max(left(d.last_error, 200)) FROM monitor_channel c LEFT JOIN monitor_delivery d"
        " ON d.channel_id = c.id AND d.state IN ('failed', 'gave_up') AND d.finished_at >= %s"
        " WHERE c.enabled GROUP BY 1",
        (LiveClock().now() - WINDOW,),
    )
    return {scope("channel", slug): Measured(Decimal(count), error or "") for slug, count, error in rows}
