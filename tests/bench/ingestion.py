"""How long a market message takes from the socket to where every strategy can read it."""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Collection, Iterator

import msgspec
import redis

from apps.exchanges.market_data.cache import state_key
from apps.exchanges.market_data.codec import StoredState
from tests.bench.figures import Spread
from tests.bench.results import Row
from tests.bench.world import World

_decode = msgspec.msgpack.Decoder(StoredState).decode
_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def measure_ingestion(world: World, seconds: float) -> Row:
    """Return message received (the stream process's own stamp) -> written in Redis (Redis's own stamp of the write).

    Redis is listened to with MONITOR, which tells every command with the moment at which it ran.
    """
    keys = {state_key(row.key).encode() for row in world.instruments.values()}
    stopwatch, lines = world.stopwatch(), list(_monitored(world.servers.redis_url, seconds))
    usage = stopwatch.read()
    samples: list[float] = []
    received: dict[bytes, float] = {}
    for line in lines:
        samples += latencies(line, keys, received)
    rate = len(samples) / usage.wall_s
    return Row("ingestion", Spread.of(samples), usage, note=f"book received -> readable in Redis, {rate:.0f} books/s")


def latencies(line: bytes, keys: Collection[bytes], received: dict[bytes, float]) -> list[float]:
    """Return the milliseconds of every book that this line of MONITOR wrote for the first time.

    `received` remembers the newest book of each key: a state is written again when something else of it changed.
    """
    words = [codecs.escape_decode(word)[0] for word in _WORD.findall(line)]
    if not words or words[0].lower() != b"mset":
        return []
    written_ms, found = float(line.split(b" ", 1)[0]) * 1000, []
    for key, value in zip(words[1::2], words[2::2], strict=True):
        if key not in keys:
            continue
        stamp = _decode(value).book_received_ms
        if stamp != received.get(key):
            found.append(written_ms - stamp)
        received[key] = stamp
    return found


def _monitored(url: str, seconds: float) -> Iterator[bytes]:
    """Yield what MONITOR says for so long; Redis is never silent while a platform runs."""
    deadline = time.monotonic() + seconds
    with redis.Redis.from_url(url, socket_timeout=5.0) as client:
        connection = client.connection_pool.get_connection()
        try:
            connection.send_command("MONITOR")
            connection.read_response()
            while time.monotonic() < deadline:
                yield connection.read_response()
        finally:
            connection.disconnect()
            client.connection_pool.release(connection)
