"""Whether what should happen by the clock still does."""

from __future__ import annotations

from django.db.models import Max, Min
from django_celery_beat.models import PeriodicTask

from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import Measured, Readings, number, scope
from apps.risk.models import Correlation
from apps.risk.models.correlations import Correlated
from apps.strategies.models import StrategyRow
from moondev.domain.clock import LiveClock


def beat_silence(_look: Look) -> Readings:
    """Return for how many real seconds beat has noted no run. It notes them every few minutes, so less is nothing."""
    found = PeriodicTask.objects.filter(enabled=True).aggregate(last=Max("last_run_at"), since=Min("date_changed"))
    # A schedule that was only just written has no run yet, and that is no silence.
    last = found["last"] or found["since"]
    now = LiveClock().now()
    silent = None if last is None else number(max((now - last).total_seconds(), 0.0))
    return {scope("process", "beat"): Measured(silent, "no schedule is written" if last is None else f"last {last:%T}")}


def correlation_age(look: Look) -> Readings:
    """Return how old the newest correlation of strategies is; where nothing can be compared there is nothing to say."""
    newest = Correlation.objects.filter(kind=Correlated.STRATEGY).aggregate(at=Max("at"))["at"]
    if newest is None:
        return {}
    if StrategyRow.objects.filter(enabled=True).count() < 2:
        return {}
    return {scope("task", "correlations"): Measured(number(look.since(newest)), f"last measured {newest:%F %T} UTC")}
