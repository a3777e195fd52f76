"""Who listens to what: websocket clients by the venue's own topic names."""

from __future__ import annotations

from collections.abc import Iterator

from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.line import Line, Socket


class TopicLine(Line):
    """A client with its topics and, once it has said who it is, its account."""

    def __init__(self, socket: Socket, ip: str, venue: str, faults: FaultBook, max_backlog: int) -> None:
        """Start without topics, as nobody."""
        super().__init__(socket, ip, venue, faults, max_backlog)
        self.topics: set[str] = set()
        self.account = ""


class Topics:
    """All subscriptions of one venue."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._lines: dict[str, set[TopicLine]] = {}

    def __contains__(self, topic: str) -> bool:
        """Return whether anybody listens to `topic`."""
        return topic in self._lines

    def __iter__(self) -> Iterator[str]:
        """Return the topics somebody listens to."""
        return iter(tuple(self._lines))

    def join(self, line: TopicLine, topic: str) -> None:
        """Send `topic` to `line` from now on."""
        line.topics.add(topic)
        self._lines.setdefault(topic, set()).add(line)

    def leave(self, line: TopicLine, topic: str) -> None:
        """Stop sending `topic` to `line`."""
        line.topics.discard(topic)
        lines = self._lines.get(topic, set())
        lines.discard(line)
        if not lines:
            self._lines.pop(topic, None)

    def forget(self, line: TopicLine) -> None:
        """Drop a client that is gone."""
        for topic in tuple(line.topics):
            self.leave(line, topic)

    def of(self, topic: str) -> tuple[TopicLine, ...]:
        """Return the clients of `topic`."""
        return tuple(self._lines.get(topic, ()))

    def send(self, topic: str, message: bytes, channel: str | None = None) -> None:
        """Owe `message` to every client of `topic`; `channel` is its name in faults."""
        for line in self._lines.get(topic, ()):
            line.send(topic if channel is None else channel, message)
