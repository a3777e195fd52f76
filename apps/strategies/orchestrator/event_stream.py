"""Reads the market events of the stream processes, from where the last reader stopped."""

from __future__ import annotations

import logging
from typing import Any, cast

import redis

from apps.exchanges.market_data.cache import EVENTS_KEY
from apps.strategies.orchestrator.due import MarketEvent
from moondev.domain.errors import InvalidValue

logger = logging.getLogger(__name__)

POSITION_KEY = "md:events:dispatched"
BATCH = 500
_BEGINNING = b"0-0"


class EventStream:
    """The one Redis stream of market events. A position once acted on survives a restart."""

    def __init__(self, client: redis.Redis) -> None:
        """Read through `client`, whose socket time-out must be longer than the blocks asked for."""
        self._redis = client
        self._position: bytes | None = None

    def read(self, block_ms: int) -> list[MarketEvent]:
        """Return the events since the last call, waiting up to `block_ms` for the first. Raises RedisError."""
        position = self._position or self._start()
        answer = cast(Any, self._redis.xread({EVENTS_KEY: position}, count=BATCH, block=block_ms))
        self._position = position
        events = []
        for entry_id, fields in answer[0][1] if answer else ():
            self._position = entry_id
            try:
                events.append(MarketEvent.parsed(fields))
            except InvalidValue as error:
                logger.warning("market event left out: %s", error)
        return events

    def acted(self) -> None:
        """Remember for the next reader that everything read so far has been acted on. Raises RedisError."""
        if self._position is not None:
            self._redis.set(POSITION_KEY, self._position)

    def _start(self) -> bytes:
        """Return where the last reader stopped, else the end: what nobody waited for is the past."""
        saved = cast("bytes | None", self._redis.get(POSITION_KEY))
        newest = cast(Any, self._redis.xrevrange(EVENTS_KEY, count=1))
        end: bytes = newest[0][0] if newest else _BEGINNING
        # A position beyond the end belongs to a stream that Redis has since forgotten.
        return saved if saved is not None and _number(saved) <= _number(end) else end


def _number(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition(b"-")
    return int(milliseconds), int(sequence or 0)
