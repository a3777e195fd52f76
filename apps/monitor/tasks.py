"""Tasks of the monitor floor."""

from __future__ import annotations

from celery import shared_task

from moondev.celery import TradingTask
from moondev.domain.clock import LiveClock


# Live time, also in a replay: the servers that are spoken to live in ours.
@shared_task(base=TradingTask, name="monitor.alerts_deliver", soft_time_limit=540, time_limit=600)
def alerts_deliver() -> None:
    """Send what is due; what another worker is at, or what is not due yet, is left alone."""
    # Here, because what speaks to Discord and the others takes memory that workers of other tasks can do without.
    from apps.monitor.alerts.channels.delivering import deliver_due  # noqa: PLC0415

    deliver_due(LiveClock().now())
