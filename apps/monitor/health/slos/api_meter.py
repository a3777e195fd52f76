"""Counts requests to the API by how long they took; all instances together, in Redis."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_left
from collections import Counter
from http import HTTPStatus
from typing import cast

import redis
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.exchanges.market_data.cache import process_redis
from apps.monitor.health.slos.budget import Count
from apps.monitor.metrics.api_requests import request_count
from moondev.domain.clock import monotonic

logger = logging.getLogger(__name__)

KEY = "slo:api"
# Upper bounds in ms; a threshold counts as the next lower one of these.
BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500)
SLOWER, FAILED = "slower", "failed"
FLUSH_SECONDS = 2.0


class ApiMeter:
    """Counts what passes through. What is counted goes to Redis every few seconds, from another thread."""

    def __init__(self, app: ASGIApp) -> None:
        """Count the requests to `app`."""
        self._app = app
        self._counts: Counter[str] = Counter()
        self._flushing: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count how it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = monotonic(), HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def heard(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, heard)
        finally:
            took = monotonic() - begun
            request_count(scope, status, took)
            self._counts[bucket(took * 1000, status)] += 1
            if self._flushing is None or self._flushing.done():
                self._flushing = asyncio.get_running_loop().create_task(self._flush_soon())

    async def _flush_soon(self) -> None:
        await asyncio.sleep(FLUSH_SECONDS)
        counts, self._counts = self._counts, Counter()
        try:
            await asyncio.to_thread(_add, counts)
        except redis.RedisError as error:
            # The minute is measured on fewer requests than there were; nothing waits for it.
            logger.warning("%d requests to the API are not counted: %s", counts.total(), error)


def bucket(took_ms: float, status: int) -> str:
    """Return what a request counts as: its bound in ms, slower than all, or failed by us."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return FAILED
    position = bisect_left(BOUNDS_MS, took_ms)
    return str(BOUNDS_MS[position]) if position < len(BOUNDS_MS) else SLOWER


def api_counts(client: redis.Redis, threshold_ms: int) -> Count:
    """Return requests answered within the threshold, of all that Redis remembers. Raises RedisError."""
    counts = {name.decode(): int(count) for name, count in cast("dict[bytes, bytes]", client.hgetall(KEY)).items()}
    good = sum(count for name, count in counts.items() if name.isdigit() and int(name) <= threshold_ms)
    return Count(good, sum(counts.values()))


def _add(counts: Counter[str]) -> None:
    pipe = process_redis().pipeline(transaction=False)
    for name, count in counts.items():
        pipe.hincrby(KEY, name, count)
    pipe.execute()
