"""One client of the indexer's socket: its messages are numbered without a hole, so that it can notice a lost one."""

from __future__ import annotations

from collections import deque
from uuid import uuid4

import orjson

from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.dydx.words import VENUE
from apps.exchanges.mock.wire.line import Socket
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.topics import TopicLine

# https://docs.dydx.xyz/indexer-client/websockets: two subscriptions a second of the same thing on one connection.
SUBSCRIBES_PER_SECOND = 2


class IndexerLine(TopicLine):
    """A client with its topics ("channel id") and the number of the last message."""

    def __init__(self, socket: Socket, ip: str, faults: FaultBook, max_backlog: int) -> None:
        """Greet nobody yet."""
        super().__init__(socket, ip, VENUE, faults, max_backlog)
        self.connection_id = str(uuid4())
        self.batched: set[str] = set()
        self._next = 0
        self._asked: dict[str, deque[float]] = {}

    def tell(self, kind: str, channel: str = "", **fields: object) -> None:
        """Owe the client a message of its own."""
        message: Json = {"type": kind, "connection_id": self.connection_id, "message_id": self._next}
        self._next += 1
        if channel:
            message["channel"] = channel
        self.send(channel or kind, orjson.dumps({**message, **fields}))

    def tell_contents(self, channel: str, name: str, contents: Json) -> None:
        """Owe the client news of a topic, in the form it asked for."""
        if f"{channel} {name}" in self.batched:
            self.tell("channel_batch_data", channel, id=name, version="1.0.0", contents=[contents])
        else:
            self.tell("channel_data", channel, id=name, version="1.0.0", contents=contents)

    def may_subscribe(self, topic: str, now: float) -> bool:
        """Count a subscription at `now` (monotonic seconds). False when the client asks too often."""
        asked = self._asked.setdefault(topic, deque())
        while asked and asked[0] <= now - 1:
            asked.popleft()
        asked.append(now)
        return len(asked) <= SUBSCRIBES_PER_SECOND
