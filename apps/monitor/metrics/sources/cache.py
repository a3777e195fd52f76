"""How full Redis is: what it cannot keep, books and budgets and marks, stops everything that opens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import redis
from prometheus_client.metrics_core import Metric

from apps.monitor.metrics.told import Told

MEMORY = Told("moondev_redis_memory_bytes", "Memory that Redis uses, and may use (absent: no limit).", ("which",))
CLIENTS = Told("moondev_redis_clients", "Connections to Redis.")
CACHE = (MEMORY, CLIENTS)


def read_cache(client: redis.Redis) -> Iterator[Metric]:
    """Yield what Redis says of itself. Raises redis.RedisError."""
    pipe = client.pipeline(transaction=False)
    pipe.info("memory")
    pipe.info("clients")
    memory, clients = cast(list[dict[str, Any]], pipe.execute())
    yield MEMORY.family([(("used",), memory["used_memory"]), (("allowed",), memory.get("maxmemory") or None)])
    yield CLIENTS.family([((), clients["connected_clients"])])
