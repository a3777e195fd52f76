"""How a venue's requests fare, over every process: counted here, added up in Redis once a second."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from threading import Lock
from typing import cast

import redis

from apps.exchanges.market_data.cache import process_redis
from moondev.domain.clock import LiveClock, monotonic

logger = logging.getLogger(__name__)

# Upper bounds of latencies, seconds; the last bucket has none.
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
FLUSH_SECONDS = 1.0
# After Redis failed to answer it is not told for so long.
REDIS_REST_SECONDS = 5.0
# Lately is the newest slots that hold enough requests to judge by, and no more of them than this: a venue that is back
# is not blamed for long, and one that is asked seldom not for one mishap.
SLOT_SECONDS, SLOTS = 3, 10
ENOUGH_REQUESTS = 10
KEPT_SECONDS = 120
COUNT, ERRORS, SECONDS = "count", "errors", "seconds"
TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Requests:
    """What became of a number of requests; `buckets` are counts per bound, the last one for everything slower."""

    count: int = 0
    errors: int = 0
    seconds: float = 0.0
    buckets: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)

    @property
    def error_rate(self) -> float:
        """Return which part of the requests got no answer that could be used."""
        return self.errors / self.count if self.count else 0.0

    def slower_than(self, share: float) -> float:
        """Return the bound below which `share` of the requests were answered; infinite above the last, 0 for none."""
        left = share * self.count
        for bound, count in zip((*BOUNDS, float("inf")), self.buckets, strict=True):
            left -= count
            if left <= 0:
                return bound if self.count else 0.0
        return float("inf")


class RequestMeter:
    """Counts the requests of this process to one venue. Thread-safe; a Redis that is away costs the figures only."""

    def __init__(self, venue: str, client: redis.Redis) -> None:
        self._venue, self._redis = venue, client
        self._lock = Lock()
        self._counts: Counter[str] = Counter()
        self._seconds = 0.0
        self._flush_at = 0.0

    @property
    def venue(self) -> str:
        """Return whose requests it counts."""
        return self._venue

    def answered(self, seconds: float) -> None:
        """Count a request that the venue answered, be it with a refusal."""
        self._take(seconds, errors=0)

    def failed(self, seconds: float) -> None:
        """Count a request without a usable answer."""
        self._take(seconds, errors=1)

    def _take(self, seconds: float, errors: int) -> None:
        now = monotonic()
        with self._lock:
            self._counts[COUNT] += 1
            self._counts[ERRORS] += errors
            self._counts[_bucket(bisect_left(BOUNDS, seconds))] += 1
            self._seconds += seconds
            if now < self._flush_at:
                return
            self._flush_at = now + FLUSH_SECONDS
            counts, total = dict(self._counts), self._seconds
            self._counts.clear()
            self._seconds = 0.0
        self._flush(counts, total)

    def _flush(self, counts: Mapping[str, int], seconds: float) -> None:
        try:
            pipe = self._redis.pipeline(transaction=False)
            slot = _key(self._venue, _slot())
            for key in (slot, _key(self._venue, TOTAL)):
                for name, count in counts.items():
                    pipe.hincrby(key, name, count)
                pipe.hincrbyfloat(key, SECONDS, seconds)
            pipe.expire(slot, KEPT_SECONDS)
            pipe.execute()
        except redis.RedisError as error:
            self._flush_at = monotonic() + REDIS_REST_SECONDS
            logger.warning("%s: nobody counts its requests: %s", self._venue, error)


@lru_cache(maxsize=64)
def request_meter(venue: str) -> RequestMeter:
    """Return this process's meter of a venue."""
    return RequestMeter(venue, process_redis())


def recent_requests(client: redis.Redis, venue: str) -> Requests:
    """Return how requests fared lately, over all processes. Raises redis.RedisError."""
    newest = _slot()
    rows = _read(client, [_key(venue, newest - back) for back in range(SLOTS)])
    looked_at = takewhile(lambda taken: _sum(rows[:taken]).count < ENOUGH_REQUESTS, range(SLOTS))
    return _sum(rows[: max(looked_at, default=0) + 1])


def all_requests(client: redis.Redis, venue: str) -> Requests:
    """Return how requests fared since Redis remembers, over all processes. Raises redis.RedisError."""
    return _sum(_read(client, [_key(venue, TOTAL)]))


def _read(client: redis.Redis, keys: Sequence[str]) -> list[Mapping[bytes, bytes]]:
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.hgetall(key)
    return cast(list[Mapping[bytes, bytes]], pipe.execute())


def _sum(rows: Sequence[Mapping[bytes, bytes]]) -> Requests:
    def total(name: str) -> float:
        return sum(float(row.get(name.encode(), 0)) for row in rows)

    buckets = tuple(int(total(_bucket(index))) for index in range(len(BOUNDS) + 1))
    return Requests(int(total(COUNT)), int(total(ERRORS)), total(SECONDS), buckets)


def _bucket(index: int) -> str:
    return f"bucket{index}"


def _slot() -> int:
    return int(LiveClock().now().timestamp()) // SLOT_SECONDS


def _key(venue: str, part: int | str) -> str:
    return f"health:requests:{venue}:{part}"
