"""The indexer's socket: one for everything, topics by channel and id.

https://docs.dydx.xyz/indexer-client/websockets
"""

from __future__ import annotations

import orjson
from aiohttp import web

from apps.exchanges.mock.wire.dydx.accounts import SUBACCOUNTS, AccountChannel
from apps.exchanges.mock.wire.dydx.channels import CHANNELS, PublicChannels
from apps.exchanges.mock.wire.dydx.line import IndexerLine
from apps.exchanges.mock.wire.dydx.reads import Reads
from apps.exchanges.mock.wire.dydx.refusals import RefusedRead
from apps.exchanges.mock.wire.dydx.venue import Venue
from apps.exchanges.mock.wire.dydx.words import PREFIX, VENUE
from apps.exchanges.mock.wire.line import Socket
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.sockets import SocketHost
from apps.exchanges.mock.wire.topics import Topics
from moondev.domain.clock import monotonic

PATH = "/v4/ws"
# Topics of one channel on one connection.
_PER_CHANNEL, _PER_SUBACCOUNTS = 32, 256


class Sockets:
    """Serves the clients."""

    def __init__(self, venue: Venue, reads: Reads) -> None:
        """Answer for `venue`."""
        self._venue = venue
        self._topics = Topics()
        self._public = PublicChannels(venue, reads, self._topics)
        self._accounts = AccountChannel(venue, reads, self._topics)
        self._host: SocketHost[IndexerLine] = SocketHost(VENUE, venue.faults, self._line)

    @property
    def count(self) -> int:
        """Return how many clients there are."""
        return len(self._host.lines)

    def routes(self) -> list[web.RouteDef]:
        """Return the route of the socket."""
        return [web.get(PREFIX + PATH, self._serve)]

    def disconnect_all(self) -> int:
        """Cut every client; return how many there were."""
        return self._host.disconnect_all()

    def push_latest(self, _now: float) -> None:
        """Send what is only worth its latest state."""
        self._public.push_latest()

    def account_changed(self, address: str) -> None:
        """Tell an account's clients of a deposit."""
        if self._host.lines:
            self._accounts.account_changed(address)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        return await self._host.serve(request, _greet, self._on_text, self._leave)

    def _line(self, socket: Socket, request: web.Request) -> IndexerLine:
        return IndexerLine(socket, request.remote or "", self._venue.faults, self._venue.config.max_backlog)

    def _leave(self, line: IndexerLine) -> None:
        topics = tuple(line.topics)
        self._topics.forget(line)
        for topic in topics:
            self._public.left(topic)

    def _on_text(self, line: IndexerLine, text: str) -> None:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            line.tell("error", message="Invalid message: could not parse")
            return
        kind = message.get("type")
        if kind == "ping":
            line.tell("pong", id=message.get("id", 0))
        elif kind in ("subscribe", "unsubscribe"):
            self._on_subscription(line, message, kind)
        else:
            line.tell("error", message=f"Invalid message type: {kind}")

    def _on_subscription(self, line: IndexerLine, message: Json, kind: str) -> None:
        channel = str(message.get("channel"))
        if channel != SUBACCOUNTS and channel not in CHANNELS:
            line.tell("error", message=f"Invalid channel: {channel}")
            return
        name = self._public.name(channel, str(message.get("id", "")))
        topic = f"{channel} {name}"
        if kind == "unsubscribe":
            self._topics.leave(line, topic)
            line.batched.discard(topic)
            self._public.left(topic)
            line.tell("unsubscribed", channel, id=name)
            return
        problem = self._problem(line, channel, topic)
        try:
            contents = {} if problem else self._first(channel, name)
        except RefusedRead as refusal:
            problem = refusal.message
        if problem:
            line.tell("error", channel, id=name, message=problem)
            return
        self._topics.join(line, topic)
        if message.get("batched") is True:
            line.batched.add(topic)
        line.tell("subscribed", channel, id=name, contents=contents)

    def _first(self, channel: str, name: str) -> Json:
        self._venue.advance()
        return self._accounts.first(name) if channel == SUBACCOUNTS else self._public.first(channel, name)

    def _problem(self, line: IndexerLine, channel: str, topic: str) -> str:
        """Return why a subscription is not granted, nothing when it is."""
        if topic in line.topics:
            return f"Invalid subscribe message: already subscribed ({topic.replace(' ', '-')})"
        if not self._venue.config.limits:
            return ""
        if not line.may_subscribe(topic, monotonic()):
            return f"Too many subscribe attempts for channel {topic.replace(' ', '-')}. Please reconnect and try again."
        largest = _PER_SUBACCOUNTS if channel == SUBACCOUNTS else _PER_CHANNEL
        if sum(known.partition(" ")[0] == channel for known in line.topics) >= largest:
            return f"Per-connection subscription limit reached for {channel} (limit={largest})."
        return ""


def _greet(line: IndexerLine) -> None:
    line.tell("connected")
