"""What is counted elsewhere and only ever grows: a minute is what it grew by since the minute before.

What a counter was last is remembered in Redis. When that is lost, or older than a minute ago, the minute is unknown:
what came in between belongs to other minutes as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

import msgspec
import redis

from apps.exchanges.health.reports import UNHEARD, venue_reports
from apps.exchanges.market_data.cache import process_redis
from apps.monitor.health.slos.api_meter import api_counts
from apps.monitor.health.slos.budget import Count
from apps.monitor.models import Slo
from moondev.domain.clock import LiveClock

# A look that comes late still tells of about a minute.
NEWEST, OLDEST = timedelta(seconds=30), timedelta(seconds=100)
KEPT_SECONDS = 3600


class _Seen(msgspec.Struct, frozen=True):
    at: datetime
    good: int
    total: int


_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(_Seen).decode


def fresh_data(slo: Slo, minutes: Sequence[datetime]) -> Mapping[datetime, Count]:
    """Return looks at a venue's newest datum: fresh ones of all. Raises Connectivity and RedisError."""
    report = venue_reports(process_redis(), [slo.scope])[slo.scope]
    if report == UNHEARD:
        # Nobody looks, so nobody knows how old the venue's data is.
        return {}
    return _grown(slo, minutes, Count(report.fresh_looks, report.looks))


def api(slo: Slo, minutes: Sequence[datetime]) -> Mapping[datetime, Count]:
    """Return requests to the API: answered well and within the threshold, of all. Raises RedisError."""
    return _grown(slo, minutes, api_counts(process_redis(), slo.threshold_ms or 0))


def _grown(slo: Slo, minutes: Sequence[datetime], now: Count) -> dict[datetime, Count]:
    """Return the growth for the newest minute, when the counter was last seen about a minute ago."""
    at, key = LiveClock().now(), f"slo:seen:{slo.slug}"
    last = _last(process_redis(), key)
    if last is not None and at - last.at < NEWEST:
        # Somebody has just counted: his minute is this one.
        return {}
    process_redis().set(key, _encode(_Seen(at, now.good, now.total)), ex=KEPT_SECONDS)
    if last is None or at - last.at > OLDEST:
        return {}
    return {minutes[-1]: growth(Count(last.good, last.total), now)}


def growth(before: Count, now: Count) -> Count:
    """Return by how much a counter grew; one that is smaller than before was started anew, and all of it is new."""
    if now.total < before.total or now.good < before.good or now.bad < before.bad:
        return now
    return Count(now.good - before.good, now.total - before.total)


def _last(client: redis.Redis, key: str) -> _Seen | None:
    raw = cast("bytes | None", client.get(key))
    try:
        return None if raw is None else _decode(raw)
    except msgspec.DecodeError:
        return None
