"""Where beats are kept: in Redis, which is cheap, and in the database, which is there when Redis is not.

Either may be away; who reads asks both and believes the newer word.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import cast

import msgspec
import redis
from django.conf import settings
from django.db import connection

from moondev.heartbeat.beat import Beat, beat_decode, beat_encode

KEY = "health:beats"
TIMEOUT_SECONDS = 1.0


def beats_redis() -> redis.Redis:
    """Return a client of its own for beats, with short time-outs."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, protocol=2
    )


class RedisBeats:
    """One hash with a field per process: one round trip to write a beat, and one to read them all."""

    def __init__(self, client: redis.Redis) -> None:
        """Keep beats through `client`."""
        self._redis = client

    def write(self, beat: Beat) -> None:
        """Keep a beat in place of the process's last. Raises RedisError."""
        self._redis.hset(KEY, beat.instance, cast(str, beat_encode(beat)))

    def read(self) -> list[Beat]:
        """Return the latest beat of every process that is remembered. Raises RedisError."""
        return _readable(cast("dict[bytes, bytes]", self._redis.hgetall(KEY)).values())

    def forget(self, instances: Iterable[str]) -> None:
        """Remember these processes no longer. Raises RedisError."""
        if names := list(instances):
            self._redis.hdel(KEY, *names)


class SqlBeats:
    """The same in a table (apps/monitor/models/health.py)."""

    def write(self, beat: Beat) -> None:
        """Keep a beat in place of the process's last, unless a newer one is there. Raises DatabaseError."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO monitor_heartbeat (instance, beat, beaten_at) VALUES (%s, %s, %s)"
                " ON CONFLICT (instance) DO UPDATE SET beat = EXCLUDED.beat, beaten_at = EXCLUDED.beaten_at"
                " WHERE monitor_heartbeat.beaten_at < EXCLUDED.beaten_at",
                (beat.instance, beat_encode(beat).decode(), beat.beaten),
            )

    def read(self) -> list[Beat]:
        """Return the latest beat of every process that is remembered. Raises DatabaseError."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT beat::text FROM monitor_heartbeat")
            return _readable(text.encode() for (text,) in cursor.fetchall())

    def forget(self, before: datetime) -> int:
        """Remember no longer who last beat before a moment; return how many there were. Raises DatabaseError."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM monitor_heartbeat WHERE beaten_at < %s", (before,))
            return int(cursor.rowcount)


def _readable(raw: Iterable[bytes]) -> list[Beat]:
    """Return the beats that can be read: one of another version of this platform says nothing to us."""
    beats = []
    for text in raw:
        try:
            beats.append(beat_decode(text))
        except msgspec.DecodeError:
            continue
    return beats
