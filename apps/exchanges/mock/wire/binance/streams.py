"""The stream sockets: SUBSCRIBE and its kin, listen keys, single and combined streams.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/Live-Subscribing-Unsubscribing-to-streams
"""

from __future__ import annotations

import orjson
from aiohttp import web

from apps.exchanges.mock.wire.binance.hub import Hub, StreamLine
from apps.exchanges.mock.wire.binance.limits import Window
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.binance.words import VENUE
from apps.exchanges.mock.wire.line import Socket
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.sockets import SocketHost
from moondev.domain.clock import monotonic

MESSAGES_PER_SECOND = 10
MAX_STREAMS = 1_024
_CATEGORIES = frozenset({"public", "market", "private"})
_CHANGES = ("SUBSCRIBE", "UNSUBSCRIBE")
_METHODS = (*_CHANGES, "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")


class Streams:
    """Serves the clients under /fstream."""

    def __init__(self, venue: Venue, hub: Hub) -> None:
        """Subscribe clients at `hub`."""
        self._venue, self._hub = venue, hub
        self.host: SocketHost[StreamLine] = SocketHost(VENUE, venue.faults, self._open_line)
        self._rates: dict[StreamLine, Window] = {}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Speak with one client: /ws/<stream>, /stream?streams=<a>/<b>, /private/ws?listenKey=<key>, or plain /ws."""
        return await self.host.serve(request, lambda line: self._opened(line, request), self._on_text, self._closed)

    def _open_line(self, socket: Socket, request: web.Request) -> StreamLine:
        faults, backlog = self._venue.faults, self._venue.config.max_backlog
        return StreamLine(socket, request.remote or "", VENUE, faults, backlog)

    def _opened(self, line: StreamLine, request: web.Request) -> None:
        parts = [part for part in request.match_info["tail"].split("/") if part]
        if parts and parts[0] in _CATEGORIES:
            del parts[0]
        line.combined = bool(parts) and parts[0] == "stream"
        asked = [*parts[1:], *request.query.get("streams", "").split("/"), request.query.get("listenKey", "")]
        for stream in filter(None, asked):
            self._hub.join(line, stream)

    def _closed(self, line: StreamLine) -> None:
        self._rates.pop(line, None)
        self._hub.forget(line)

    def _on_text(self, line: StreamLine, message: str) -> None:
        if self._too_fast(line):
            line.cut.set()
            return
        answer = self._answer(line, message)
        line.send("answer", orjson.dumps(answer))

    def _too_fast(self, line: StreamLine) -> bool:
        rate = self._rates.setdefault(line, Window(1.0))
        rate.turn(monotonic())
        rate.used += 1
        return self._venue.config.limits and rate.used > MESSAGES_PER_SECOND

    def _answer(self, line: StreamLine, message: str) -> Json:
        try:
            said = orjson.loads(message)
        except orjson.JSONDecodeError:
            return _refused(3, "Invalid JSON: expected value at line 1 column 1", None)
        if not isinstance(said, dict):
            return _refused(2, "Invalid request: request must be an object", None)
        number, method = said.get("id"), said.get("method")
        if not isinstance(number, int | str) and number is not None:
            return _refused(2, "Invalid request: request ID must be an unsigned integer", None)
        if method not in _METHODS:
            expected = ", ".join(f"`{name}`" for name in _METHODS)
            return _refused(2, f"Invalid request: unknown variant `{method}`, expected one of {expected}", number)
        if method in _CHANGES:
            return self._change(line, str(method), said.get("params", []), number)
        told = {"LIST_SUBSCRIPTIONS": sorted(line.topics), "GET_PROPERTY": line.combined}
        return {"result": told.get(str(method)), "id": number}

    def _change(self, line: StreamLine, method: str, streams: object, number: int | str | None) -> Json:
        if not isinstance(streams, list) or not all(isinstance(item, str) for item in streams):
            return _refused(2, "Invalid request: property name must be a string", number)
        if method == "SUBSCRIBE" and len(line.topics) + len(streams) > MAX_STREAMS:
            return _refused(2, f"Invalid request: more than {MAX_STREAMS} streams", number)
        for stream in streams:
            (self._hub.join if method == "SUBSCRIBE" else self._hub.leave)(line, stream)
        return {"result": None, "id": number}


def _refused(code: int, sentence: str, number: object) -> Json:
    return {"error": {"code": code, "msg": sentence}, "id": number}
