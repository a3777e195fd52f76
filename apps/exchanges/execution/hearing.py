"""Whether the user stream of an account speaks: a mark in Redis, renewed by what it says and gone soon after.

Only costs hang on it, never truth: who believes a stream that has just died waits a moment longer and then asks.
"""

from __future__ import annotations

import logging
from functools import lru_cache

import redis
from django.conf import settings

from apps.exchanges.execution.nudges import REDIS_REST_SECONDS, REDIS_TIMEOUT_SECONDS
from moondev.domain.clock import monotonic

logger = logging.getLogger(__name__)

HEARD_KEY = "user-stream:heard"
# Real seconds without a word after which a stream does not count as speaking.
HEARD_SECONDS = 30


class Hearing:
    """The marks of all accounts. Redis away means "not heard", and is not asked again for a moment."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._rest_until = 0.0

    def heard(self, account_id: int) -> None:
        """Note that the account's stream has just said something."""
        if monotonic() >= self._rest_until:
            try:
                self._redis.set(_key(account_id), 1, ex=HEARD_SECONDS)
            except redis.RedisError as error:
                self._rest(error)

    def fell_silent(self, account_id: int) -> None:
        """Note that the account's stream is down."""
        try:
            self._redis.delete(_key(account_id))
        except redis.RedisError as error:
            self._rest(error)

    def lately(self, account_id: int) -> bool:
        """Return whether the account's stream has spoken within the last `HEARD_SECONDS`."""
        if monotonic() < self._rest_until:
            return False
        try:
            return bool(self._redis.exists(_key(account_id)))
        except redis.RedisError as error:
            self._rest(error)
            return False

    def _rest(self, error: redis.RedisError) -> None:
        self._rest_until = monotonic() + REDIS_REST_SECONDS
        logger.warning("nobody knows whether user streams speak: %s", error)


@lru_cache(maxsize=1)
def hearing() -> Hearing:
    """Return this process's view of the marks."""
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=None,
    )
    return Hearing(client)


def _key(account_id: int) -> str:
    return f"{HEARD_KEY}:{account_id}"
