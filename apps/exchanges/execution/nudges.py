"""The two other voices that can halt: a Redis hash and a file on this machine. Neither can release what SQL halts.

SQL is the truth and enough; these two make a halt hold where the database cannot be reached, and at once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import cast

import redis
from django.conf import settings

from apps.exchanges.models import TradingMode
from moondev.domain.clock import monotonic

logger = logging.getLogger(__name__)

HALTS_KEY = "gate:halts"
REDIS_TIMEOUT_SECONDS = 0.1
# After Redis failed to answer the gate does not ask it again for so long: it must never slow a send.
REDIS_REST_SECONDS = 1.0

Scope = tuple[str, str]
EVERYTHING: Scope = ("everything", "*")


class RedisNudges:
    """Halts in Redis, as a hash from ``kind:key`` to the mode. Redis away or silent means "nothing said"."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._rest_until = 0.0

    def modes(self) -> Mapping[Scope, TradingMode]:
        """Return the modes that Redis holds; a mode it cannot spell counts as HALTED."""
        if monotonic() < self._rest_until:
            return {}
        try:
            said = cast(dict[bytes, bytes], self._redis.hgetall(HALTS_KEY))
        except redis.RedisError as error:
            self._rest_until = monotonic() + REDIS_REST_SECONDS
            logger.warning("the gate goes on without Redis: %s", error)
            return {}
        return {_scope(name.decode()): _mode(mode.decode()) for name, mode in said.items()}

    def engage(self, scope: Scope, mode: TradingMode) -> bool:
        """Write a halt; return whether Redis took it."""
        try:
            self._redis.hset(HALTS_KEY, ":".join(scope), mode.value)
        except redis.RedisError as error:
            logger.warning("halt of %s not written to Redis: %s", scope, error)
            return False
        return True

    def release(self, scope: Scope) -> bool:
        """Take a halt back; return whether Redis did."""
        try:
            self._redis.hdel(HALTS_KEY, ":".join(scope))
        except redis.RedisError as error:
            logger.warning("halt of %s not taken out of Redis: %s", scope, error)
            return False
        return True


@lru_cache(maxsize=1)
def redis_nudges() -> RedisNudges:
    """Return this process's view of the halts in Redis."""
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=None,
    )
    return RedisNudges(client)


def halt_file_mode() -> TradingMode:
    """Return what the halt file of this machine says: ACTIVE without one, HALTED when it does not say REDUCING."""
    try:
        words = Path(settings.MOONDEV_HALT_FILE).read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return TradingMode.ACTIVE
    except (OSError, UnicodeDecodeError):
        # Something is there that cannot be read: whoever put it there wanted trading to stop.
        return TradingMode.HALTED
    return TradingMode.REDUCING if words[:1] == [TradingMode.REDUCING.value] else TradingMode.HALTED


def halt_file_write(mode: TradingMode, reason: str) -> None:
    """Halt this machine by file: its first word is the mode, the rest is for people."""
    path = Path(settings.MOONDEV_HALT_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{mode.value} {reason}\n", encoding="utf-8")


def halt_file_remove() -> None:
    """Take the halt file away; there may be none."""
    Path(settings.MOONDEV_HALT_FILE).unlink(missing_ok=True)


def _scope(name: str) -> Scope:
    kind, _, key = name.partition(":")
    return kind, key


def _mode(word: str) -> TradingMode:
    return TradingMode(word) if word in TradingMode.values else TradingMode.HALTED
