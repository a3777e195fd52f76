"""Phemex's one socket: everybody's channels, and an account's own once it has signed in.

https://phemex-docs.github.io/#usds-m-perpetual-websocket-api
"""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from apps.exchanges.mock.wire.line import WS_PATH, Socket
from apps.exchanges.mock.wire.phemex.account_reads import AccountReads
from apps.exchanges.mock.wire.phemex.channels import ACCOUNT, BOOK, KLINE, PACK, TICK, TRADE, Topic, read_topic
from apps.exchanges.mock.wire.phemex.market_reads import MarketReads
from apps.exchanges.mock.wire.phemex.private import PrivateStream
from apps.exchanges.mock.wire.phemex.public import PublicStream
from apps.exchanges.mock.wire.phemex.venue import Venue
from apps.exchanges.mock.wire.phemex.words import PREFIX, VENUE
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.sockets import SocketHost
from apps.exchanges.mock.wire.topics import TopicLine
from moondev.domain.clock import monotonic

_CHANNELS = frozenset({BOOK, TRADE, KLINE, TICK, PACK, ACCOUNT})
_SUBSCRIPTIONS, _REQUESTS_PER_SECOND, _CONNECTIONS = 20, 20, 5
_LONGEST_EXPIRY_SECONDS = 120
_BAD_ARGUMENT, _BAD_TOKEN, _NOT_SIGNED_IN, _TOO_MANY = 6001, 6012, 6007, 6009
_SUCCESS: Json = {"status": "success"}


class _Refused(Exception):
    """The answer on the socket is an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Sockets:
    """Serves every client of the socket."""

    def __init__(self, venue: Venue, market: MarketReads, reads: AccountReads) -> None:
        """Answer for `venue`."""
        self.public, self.private = PublicStream(venue, market), PrivateStream(venue, reads)
        self._venue = venue
        self._seconds: dict[TopicLine, tuple[int, int]] = {}
        self._host = SocketHost(VENUE, venue.faults, self._line)

    @property
    def count(self) -> int:
        """Return how many clients there are."""
        return len(self._host.lines)

    def routes(self) -> list[web.RouteDef]:
        """Return the route of the socket."""
        return [web.get(PREFIX + WS_PATH, self._serve)]

    def disconnect_all(self) -> int:
        """Cut every client; return how many there were."""
        return self._host.disconnect_all()

    def push_latest(self, now: float) -> None:
        """Send what is only worth its latest state."""
        self.public.push_latest(now)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        listening = [line for line in self._host.lines if line.ip == (request.remote or "") and not line.account]
        if self._venue.config.limits and len(listening) >= _CONNECTIONS:
            return web.Response(status=429, text="Too many connections")
        return await self._host.serve(request, lambda _: None, self._on_text, self._forget)

    def _line(self, socket: Socket, request: web.Request) -> TopicLine:
        return TopicLine(socket, request.remote or "", VENUE, self._venue.faults, self._venue.config.max_backlog)

    def _forget(self, line: TopicLine) -> None:
        self._seconds.pop(line, None)
        for topic in tuple(line.topics):
            self._leave(line, topic)

    def _on_text(self, line: TopicLine, text: str) -> None:
        message: Any = None
        try:
            message = orjson.loads(text)
            self._require_patience(line)
            if not isinstance(message, dict):
                raise _Refused(_BAD_ARGUMENT, "invalid argument")
            self._act(line, message)
        except orjson.JSONDecodeError:
            self._answer(line, None, None, {"code": _BAD_ARGUMENT, "message": "invalid argument"})
        except _Refused as error:
            number = message.get("id") if isinstance(message, dict) else None
            self._answer(line, number, None, {"code": error.code, "message": error.message})

    def _act(self, line: TopicLine, message: Json) -> None:
        method, given = str(message.get("method")), message.get("params")
        parameters = given if isinstance(given, list) else []
        channel, _, verb = method.partition(".")
        if method == "server.ping":
            self._answer(line, message.get("id"), "pong")
        elif method == "user.auth":
            self._sign_in(line, parameters)
            self._answer(line, message.get("id"), _SUCCESS)
        elif channel not in _CHANNELS or verb not in {"subscribe", "unsubscribe"}:
            raise _Refused(_BAD_ARGUMENT, "invalid argument")
        elif verb == "unsubscribe":
            for topic in self._topics_of(line, channel, parameters):
                self._leave(line, topic)
            self._answer(line, message.get("id"), _SUCCESS)
        else:
            self._subscribe(line, message.get("id"), channel, parameters)

    def _subscribe(self, line: TopicLine, number: object, channel: str, parameters: list[object]) -> None:
        """Confirm, then send what the channel begins with."""
        if channel == ACCOUNT:
            if not line.account:
                raise _Refused(_NOT_SIGNED_IN, "not authorized")
            self._require_room(line, line.account)
            self._answer(line, number, _SUCCESS)
            self.private.join(line)
            return
        topic = read_topic(channel, parameters, self._venue.coins)
        if topic is None:
            raise _Refused(_BAD_ARGUMENT, "invalid argument")
        self._require_room(line, str(topic))
        self._answer(line, number, _SUCCESS)
        self.public.join(line, topic)

    def _require_room(self, line: TopicLine, topic: str) -> None:
        """Refuse one subscription too many; asking again for what one has is none."""
        if self._venue.config.limits and topic not in line.topics and len(line.topics) >= _SUBSCRIPTIONS:
            raise _Refused(_TOO_MANY, f"too many subscriptions: at most {_SUBSCRIPTIONS} a connection")

    def _topics_of(self, line: TopicLine, channel: str, parameters: list[object]) -> list[str]:
        """Return what to leave: all of a channel, or what it has of one symbol."""
        if channel == ACCOUNT:
            return [line.account]
        coin = str(parameters[0]).removesuffix("USDT") if parameters else ""
        joined = [Topic.parse(topic) for topic in line.topics if topic != line.account]
        return [str(topic) for topic in joined if topic.channel == channel and coin in ("", topic.coin)]

    def _leave(self, line: TopicLine, topic: str) -> None:
        if topic == line.account:
            self.private.leave(line)
        else:
            self.public.leave(line, Topic.parse(topic))

    def _sign_in(self, line: TopicLine, parameters: list[object]) -> None:
        """Learn whose socket this is: the signature is over key and expiry, which is two minutes ahead at most."""
        if len(parameters) != 4 or parameters[0] != "API" or not str(parameters[3]).isdecimal():
            raise _Refused(_BAD_ARGUMENT, "invalid argument")
        token, signature, expiry = (str(parameter) for parameter in parameters[1:])
        key, now = self._venue.keys.find(token), self._venue.seconds()
        if key is None or not key.signs(token + expiry, signature):
            raise _Refused(_BAD_TOKEN, "invalid login token")
        if not now <= int(expiry) <= now + _LONGEST_EXPIRY_SECONDS + 1:
            raise _Refused(_BAD_TOKEN, "login token expired")
        line.account = key.account

    def _require_patience(self, line: TopicLine) -> None:
        if not self._venue.config.limits:
            return
        second = int(monotonic())
        known, used = self._seconds.get(line, (second, 0))
        used = used + 1 if known == second else 1
        self._seconds[line] = (second, used)
        if used > _REQUESTS_PER_SECOND:
            raise _Refused(_TOO_MANY, f"too many requests: at most {_REQUESTS_PER_SECOND} a second")

    def _answer(self, line: TopicLine, number: object, result: object, error: Json | None = None) -> None:
        line.send("answer", orjson.dumps({"error": error, "id": number, "result": result}))
