"""GET /ws: subscriptions, pings and posted requests of one websocket client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping

import orjson
from aiohttp import WSMsgType, web

from apps.exchanges.mock.faults import FaultKind
from apps.exchanges.mock.wire.hyperliquid.actions import Actions, batch_size
from apps.exchanges.mock.wire.hyperliquid.connection import WS_PATH, Connection
from apps.exchanges.mock.wire.hyperliquid.envelope import read_json
from apps.exchanges.mock.wire.hyperliquid.hub import Hub, encode
from apps.exchanges.mock.wire.hyperliquid.info import Info
from apps.exchanges.mock.wire.hyperliquid.limits import WeightLimiter, exchange_weight, info_weight
from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError, field, json_object
from apps.exchanges.mock.wire.hyperliquid.snapshots import Snapshots
from apps.exchanges.mock.wire.hyperliquid.subscriptions import Topic, read_topic
from apps.exchanges.mock.wire.hyperliquid.texts import DESERIALIZE
from apps.exchanges.mock.wire.hyperliquid.venue import VENUE, Venue
from apps.exchanges.mock.wire.hyperliquid.views import Json

_IDLE_SECONDS = 60.0
_HELLO = "Websocket connection established."


class SocketServer:
    """Serves every websocket client of one venue."""

    def __init__(self, venue: Venue, actions: Actions, info: Info) -> None:
        """Act on and answer about `venue`."""
        snapshots = Snapshots(venue, info)
        self.hub = Hub(venue, snapshots)
        self._venue = venue
        self._actions = actions
        self._info = info
        self._snapshots = snapshots
        self._messages = WeightLimiter(venue.config.socket.messages_per_minute)
        self._methods: Mapping[str, Callable[[Connection, Json], None]] = {
            "ping": lambda connection, _: connection.send("pong", orjson.dumps({"channel": "pong"})),
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "post": self._post,
        }

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Speak with one client until it leaves or is cut off."""
        ip = request.remote or ""
        refusal = self._refusal(ip)
        if refusal is not None:
            return refusal
        socket = web.WebSocketResponse(compress=False, max_msg_size=4_194_304)
        await socket.prepare(request)
        connection = Connection(_Sender(socket), ip, self._venue.faults, self._venue.config.max_backlog)
        self.hub.connections.add(connection)
        await socket.send_str(_HELLO)
        writer = asyncio.create_task(connection.write_all())
        reader = asyncio.create_task(self._read(socket, connection))
        cut = asyncio.create_task(connection.cut.wait())
        try:
            await asyncio.wait({writer, reader, cut}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.hub.leave(connection)
            await _end(writer, reader, cut)
            if connection.cut.is_set() and request.transport is not None:
                request.transport.abort()
        return socket

    def cut_idle(self, now: float) -> None:
        """Cut who was sent nothing for a minute, as the venue does; `now` in monotonic seconds."""
        for connection in self.hub.connections:
            if now - connection.last_sent > _IDLE_SECONDS:
                connection.cut.set()

    def _refusal(self, ip: str) -> web.Response | None:
        if self._venue.faults.seconds_left(FaultKind.WS_REFUSE, VENUE, WS_PATH, "") > 0:
            return web.Response(status=503, text="Service Unavailable")
        here = sum(1 for connection in self.hub.connections if connection.ip == ip)
        if self._venue.config.limits and here >= self._venue.config.socket.connections:
            return web.Response(status=429, text="Too many websocket connections")
        return None

    async def _read(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._on_message(connection, message.data)

    def _on_message(self, connection: Connection, text: str) -> None:
        limits = self._venue.config.limits
        if limits and not self._messages.admit(connection.ip, 1, self._venue.now_seconds()):
            per_minute = self._venue.config.socket.messages_per_minute
            _complain(connection, f"Cannot send more than {per_minute} messages per minute.")
            return
        try:
            raw = json_object(read_json(text))
            method = self._methods.get(field(raw, "method", str))
            if method is None:
                raise MalformedError(f"unknown method {raw['method']!r}")
            method(connection, raw)
        except MalformedError:
            _complain(connection, f"Error parsing JSON into valid websocket request: {text}")

    def _subscribe(self, connection: Connection, raw: Json) -> None:
        wanted = raw.get("subscription")
        topic = self._topic(connection, wanted)
        if topic is None:
            return
        if topic in connection.topics:
            _complain(connection, f"Already subscribed: {_text(wanted)}")
            return
        refusal = self._over_limit(connection, topic)
        if refusal is not None:
            _complain(connection, refusal)
            return
        self.hub.flush()
        self.hub.subscribe(connection, topic)
        _echo(connection, "subscribe", wanted)
        for channel, data in self._snapshots.first(topic):
            connection.send(channel, encode(channel, data))

    def _unsubscribe(self, connection: Connection, raw: Json) -> None:
        wanted = raw.get("subscription")
        topic = self._topic(connection, wanted)
        if topic is None:
            return
        if topic not in connection.topics:
            _complain(connection, f"Already unsubscribed: {_text(wanted)}")
            return
        self.hub.unsubscribe(connection, topic)
        _echo(connection, "unsubscribe", wanted)

    def _topic(self, connection: Connection, wanted: object) -> Topic | None:
        try:
            return read_topic(wanted, self._venue.assets)
        except MalformedError:
            _complain(connection, f"Invalid subscription {_text(wanted)}")
            return None

    def _over_limit(self, connection: Connection, topic: Topic) -> str | None:
        bounds = self._venue.config.socket
        if not self._venue.config.limits:
            return None
        if len(connection.topics) >= bounds.subscriptions:
            return f"Cannot subscribe to more than {bounds.subscriptions} channels."
        if topic.user and len(self._followed(connection.ip) | {topic.user}) > bounds.users:
            return f"Cannot track more than {bounds.users} total users."
        return None

    def _followed(self, ip: str) -> set[str]:
        """Return the users that an IP follows, over all its connections."""
        return {user for connection in self.hub.connections if connection.ip == ip for user in connection.users}

    def _post(self, connection: Connection, raw: Json) -> None:
        number, request = field(raw, "id", int), json_object(raw.get("request"))
        kind, payload = field(request, "type", str), json_object(request.get("payload"))
        if kind not in {"info", "action"}:
            raise MalformedError(f"request.type must be info or action, got {kind!r}")
        response = self._posted(connection, kind, payload)
        action = payload.get("action")
        named = action.get("type") if isinstance(action, dict) else payload.get("type")
        if self._venue.faults.strike(FaultKind.ACCEPT_THEN_DROP, VENUE, WS_PATH, str(named)) is not None:
            connection.cut.set()
            return
        connection.send("post", encode("post", {"id": number, "response": response}))

    def _posted(self, connection: Connection, kind: str, payload: Json) -> Json:
        action = payload.get("action")
        weight = info_weight(str(payload.get("type")))
        if kind == "action":
            weight = exchange_weight(batch_size(action) if isinstance(action, dict) else 1)
        limits = self._venue.config.limits
        if limits and not self._venue.weights.admit(connection.ip, weight, self._venue.now_seconds()):
            return {"type": "error", "payload": "429 Too Many Requests: null"}
        try:
            if kind == "action":
                return {"type": "action", "payload": self._actions.handle(payload)}
            return {"type": "info", "payload": {"type": payload.get("type"), "data": self._info.answer(payload)}}
        except MalformedError:
            return {"type": "error", "payload": f"422 Unprocessable Entity: {DESERIALIZE}"}


class _Sender:
    """Gives a connection aiohttp's socket without its reading half."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def send_frame(self, message: bytes, opcode: WSMsgType, compress: int | None = None) -> None:
        await self._socket.send_frame(message, opcode, compress)


async def _end(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await task


def _complain(connection: Connection, sentence: str) -> None:
    connection.send("error", encode("error", sentence))


def _echo(connection: Connection, method: str, wanted: object) -> None:
    data = {"method": method, "subscription": wanted}
    connection.send("subscriptionResponse", encode("subscriptionResponse", data))


def _text(wanted: object) -> str:
    return orjson.dumps(wanted).decode()
