"""Redis: that it takes what is written, too, since one whose disk or memory is full answers pings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from apps.exchanges.market_data.cache import redis_client
from apps.monitor.health.probes.probe import Answer
from apps.monitor.health.states import State
from moondev.domain.clock import LiveClock

KEY = "health:probe"
KEPT_SECONDS = 60
FULL_SHARE = 0.9


def ask_redis() -> Answer:
    """Return how Redis does. Raises RedisError."""
    with redis_client() as client:
        client.set(KEY, "1", ex=KEPT_SECONDS)
        told = cast("dict[str, Any]", client.info())
    started = LiveClock().now() - timedelta(seconds=int(told["uptime_in_seconds"]))
    used, most = int(told["used_memory"]), int(told.get("maxmemory", 0))
    if most and used >= FULL_SHARE * most:
        return Answer(State.DEGRADED, f"{used / most:.0%} of its memory is used", started)
    return Answer(State.OK, "", started)
