"""One websocket client of Hyperliquid: its line, and what it subscribed to."""

from __future__ import annotations

from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.hyperliquid.subscriptions import Topic
from apps.exchanges.mock.wire.hyperliquid.venue import VENUE
from apps.exchanges.mock.wire.line import WS_PATH, Line, Socket

__all__ = ["WS_PATH", "Connection", "Socket"]


class Connection(Line):
    """A client on the line, its topics, and how many of its requests are being answered."""

    def __init__(self, socket: Socket, ip: str, faults: FaultBook, max_backlog: int) -> None:
        """Write to `socket`; `max_backlog` messages may wait before the client counts as too slow."""
        super().__init__(socket, ip, VENUE, faults, max_backlog)
        self.topics: set[Topic] = set()
        self.posts_in_flight = 0

    @property
    def users(self) -> set[str]:
        """Return the users this connection follows."""
        return {topic.user for topic in self.topics if topic.user}
