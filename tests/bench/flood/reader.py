"""Somebody else's eye on Redis: how old a book is, by the source's own stamp, when another process first reads it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Event, Thread
from types import TracebackType
from typing import Self, cast

import msgspec
import redis

from apps.exchanges.market_data.codec import StoredState

LOOK_EVERY_S = 0.001
_decode = msgspec.msgpack.Decoder(StoredState).decode


class Reader:
    """Looks at a few keys a thousand times a second while the block runs. `delays_ms` has one sample per new book."""

    def __init__(self, client: redis.Redis, keys: Sequence[str]) -> None:
        self.delays_ms: list[float] = []
        self._client, self._keys = client, list(keys)
        self._stop, self._thread = Event(), Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _t: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        seen: dict[str, float] = {}
        while not self._stop.wait(LOOK_EVERY_S):
            answers = cast("list[bytes | None]", self._client.mget(self._keys))
            now_ms = time.time() * 1000
            for key, raw in zip(self._keys, answers, strict=True):
                stamp = _decode(raw).book_exchange_ms if raw else 0.0
                if stamp and stamp != seen.get(key):
                    if key in seen:
                        self.delays_ms.append(now_ms - stamp)
                    seen[key] = stamp
