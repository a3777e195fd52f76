"""Topic ``alerts``: what is wrong now, and what has been put right within the last hour."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q

from apps.monitor.api.stream.sources.words import amount, moment
from apps.monitor.api.stream.table import Row, Rows
from apps.monitor.models import Alert, AlertState
from moondev.domain.clock import Clock

RESOLVED_SHOWN = timedelta(hours=1)
SHOWN = 300
LIVE = (AlertState.FIRING, AlertState.ACKNOWLEDGED)


def read_alerts(_words: tuple[str, ...], clock: Clock) -> Rows:
    """Return alerts by number. One that has only just begun again is over until it has been so for long enough."""
    lately = Q(resolved_at__gte=clock.now() - RESOLVED_SHOWN)
    chosen = Alert.objects.filter(Q(state__in=LIVE) | lately).select_related("rule")
    return {str(alert.pk): alert_row(alert) for alert in chosen.order_by("-pk")[:SHOWN]}


def alert_row(alert: Alert) -> Row:
    """Return what is told of an alert."""
    return {
        "id": alert.pk,
        "rule": alert.rule.slug,
        "severity": alert.severity,
        "scope": alert.scope,
        "title": alert.title,
        "detail": alert.detail,
        "value": amount(alert.value),
        "threshold": amount(alert.threshold),
        "state": AlertState.RESOLVED.value if alert.state == AlertState.PENDING else alert.state,
        "since": moment(alert.fired_at),
        "resolved_at": moment(alert.resolved_at),
        "acknowledged_by": alert.acknowledged_by,
        "acknowledged_at": moment(alert.acknowledged_at),
        "count": alert.count,
    }
