"""Orders by the minute in which they were sent. The rows stay, so minutes that were missed are measured later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from apps.exchanges.bulk import fetch
from apps.exchanges.execution.timing import REQUEST_SECONDS
from apps.monitor.health.slos.budget import Count
from apps.monitor.models import Slo

MINUTE = timedelta(minutes=1)
# How long an order may wait between its row and being sent, at most; what waits longer is not looked for.
WAITS = timedelta(hours=1)

_SENT = (
    "SELECT date_trunc('minute', o.sent_at), count(*) FILTER (WHERE {good}), count(*) FROM exchanges_order o {join}"
    # By the time it was made, which has the index.
    " WHERE o.created_at >= %(made)s AND o.created_at < %(until)s AND o.sent_at >= %(since)s AND o.sent_at < %(until)s"
    " AND {which} GROUP BY 1"
)
_ANSWERED = _SENT.format(good="o.acknowledged_at - o.sent_at <= %(longest)s", join="", which="TRUE")
# What a tick asked for, not the stops that follow on a fill, nor what waits for a price.
_FROM_TICK = _SENT.format(
    good="o.sent_at - t.due_at <= %(longest)s",
    join="JOIN strategies_tick t ON t.id = CASE WHEN o.tick_id ~ '^[0-9]{1,18}$' THEN o.tick_id::bigint END",
    which="o.parent_id IS NULL AND o.trigger_price IS NULL AND o.created_at <= t.deadline",
)


def answered(_: Slo, minutes: Sequence[datetime]) -> Mapping[datetime, Count]:
    """Return orders that got an answer before their client gave up, of all that were sent."""
    return _counted(_ANSWERED, timedelta(seconds=REQUEST_SECONDS), minutes)


def submit_to_acknowledge(slo: Slo, minutes: Sequence[datetime]) -> Mapping[datetime, Count]:
    """Return orders that were answered within the threshold of being sent."""
    return _counted(_ANSWERED, _threshold(slo), minutes)


def tick_to_submit(slo: Slo, minutes: Sequence[datetime]) -> Mapping[datetime, Count]:
    """Return orders of ticks that were sent within the threshold of when their strategy was due."""
    return _counted(_FROM_TICK, _threshold(slo), minutes)


def _threshold(slo: Slo) -> timedelta:
    return timedelta(milliseconds=slo.threshold_ms or 0)


def _counted(sql: str, longest: timedelta, minutes: Sequence[datetime]) -> dict[datetime, Count]:
    since, until = minutes[0], minutes[-1] + MINUTE
    rows = fetch(sql, {"made": since - WAITS, "since": since, "until": until, "longest": longest})
    found = {minute: Count(good, total) for minute, good, total in rows}
    return {minute: found.get(minute, Count()) for minute in minutes}
