"""Have people told: rows in the open transaction, so that a notice is on its way exactly when its cause is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from apps.monitor.alerts.notice import Notice, Severity
from apps.monitor.models import Channel, Delivery
from moondev.celery import wake
from moondev.domain.errors import InvalidValue

TASK = "monitor.alerts_deliver"
URGENCY: Mapping[Severity, int] = MappingProxyType({"info": 0, "warning": 1, "critical": 2})


def enqueue(notice: Notice, channels: Sequence[str], *, now: datetime) -> tuple[int, ...]:
    """Queue a notice for each channel, by slug, once however often it is named; return the ids of the deliveries.

    Whether a channel is enabled is asked when it is sent. Raises InvalidValue for a channel that does not exist.
    """
    wanted = list(dict.fromkeys(channels))
    known = {row.slug: row for row in Channel.objects.filter(slug__in=wanted)}
    unknown = [slug for slug in wanted if slug not in known]
    if unknown:
        names = ", ".join(Channel.objects.values_list("slug", flat=True)) or "there is none yet"
        raise InvalidValue("channel", unknown[0], names)
    told = notice.as_json()
    rows = [
        Delivery(
            channel=known[slug],
            notice=told,
            title=notice.title,
            urgency=URGENCY[notice.severity],
            noticed_at=now,
            created_at=now,
            next_attempt_at=now,
        )
        for slug in wanted
    ]
    ids = tuple(row.pk for row in Delivery.objects.bulk_create(rows))
    if ids:
        wake(TASK)
    return ids
