"""Tasks of the monitor floor."""

from __future__ import annotations

from celery import shared_task

from apps.monitor.alerts.channels.services import deliveries_forget
from moondev.celery import TradingTask
from moondev.domain.clock import LiveClock, process_clock


# Live time, also in a replay: the servers that are spoken to live in ours.
@shared_task(base=TradingTask, name="monitor.alerts_deliver")
def alerts_deliver() -> None:
    """Send what is due; what another worker is at, or what is not due yet, is left alone."""
    # Here, because what speaks to Discord and the others takes memory that workers of other tasks can do without.
    from apps.monitor.alerts.channels.delivering import deliver_due  # noqa: PLC0415  loads Apprise

    deliver_due(LiveClock().now())


@shared_task(base=TradingTask, name="monitor.slos_sample", soft_time_limit=50, time_limit=55)
def slos_sample() -> None:
    """Measure how the last minute kept what is promised; safe to run twice and at once."""
    # Here, because it looks at every part of the platform, and loads what does.
    from apps.monitor.health.slos.sampling import sample  # noqa: PLC0415  only who samples needs it

    sample(process_clock().now())


@shared_task(base=TradingTask, name="monitor.notices_forget")
def notices_forget() -> None:
    """Delete what was told long ago."""
    deliveries_forget(LiveClock().now())


@shared_task(base=TradingTask, name="monitor.reports_write", soft_time_limit=240, time_limit=300)
def reports_write() -> None:
    """Write the reports of days and weeks that are over, and mail them; safe to run twice and at once."""
    from apps.monitor.analytics.reports.services import reports_due  # noqa: PLC0415  numpy, for two moments a day

    reports_due(LiveClock().now())
