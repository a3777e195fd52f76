"""Whether what the platform stands on answers at all. Without the database nothing is written down, this neither."""

from __future__ import annotations

from collections.abc import Callable

import redis

from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import NO, YES, Measured, Readings, Source, scope
from moondev.domain.errors import Connectivity


def source_down(look: Look) -> Readings:
    """Return 1 for the broker or the cache while it does not answer."""
    return {
        scope("source", Source.BROKER): _answers(look.lengths),
        scope("source", Source.CACHE): _answers(look.cache.ping),
    }


def _answers(ask: Callable[[], object]) -> Measured:
    try:
        ask()
    except (Connectivity, redis.RedisError) as error:
        return Measured(YES, str(error)[:200])
    return Measured(NO)
