"""Three kinds of socket: the market, an account's own, and one that takes orders.

https://bybit-exchange.github.io/docs/v5/ws/connect
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import orjson
from aiohttp import web

from apps.exchanges.mock.faults import FaultKind
from apps.exchanges.mock.wire.bybit.fields import is_whole
from apps.exchanges.mock.wire.bybit.limits import Allowance
from apps.exchanges.mock.wire.bybit.private import PrivateStream
from apps.exchanges.mock.wire.bybit.public import PublicStream
from apps.exchanges.mock.wire.bybit.refusals import (
    PARAMETER,
    TIMESTAMP,
    TOO_MANY,
    TOO_MANY_VISITS,
    UNKNOWN_KEY,
    RefusedError,
)
from apps.exchanges.mock.wire.bybit.trading import Trading
from apps.exchanges.mock.wire.bybit.venue import Venue
from apps.exchanges.mock.wire.bybit.words import PREFIX, VENUE
from apps.exchanges.mock.wire.line import Socket
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.sockets import SocketHost
from apps.exchanges.mock.wire.topics import TopicLine

_SIGNED = "GET/realtime"
_NOT_SIGNED_IN, _NO_SUCH_OP = 10_004, 10_404
_ORDER_PATHS = frozenset(f"/v5/order/{verb}{many}" for verb in ("create", "amend", "cancel") for many in ("", "-batch"))
_PUBLIC, _PRIVATE, _TRADE = "/v5/public/linear", "/v5/private", "/v5/trade"
Answer = Callable[[TopicLine, Json], Json]


class Sockets:
    """Serves the clients of all three kinds."""

    def __init__(self, venue: Venue, trading: Trading) -> None:
        """Answer for `venue`."""
        self.public, self.private = PublicStream(venue), PrivateStream(venue)
        self._venue, self._trading = venue, trading
        self._ids: dict[TopicLine, str] = {}
        self._hosts = {path: SocketHost(VENUE, venue.faults, self._line) for path in (_PUBLIC, _PRIVATE, _TRADE)}

    @property
    def count(self) -> int:
        """Return how many clients there are."""
        return sum(len(host.lines) for host in self._hosts.values())

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the sockets."""
        return [
            web.get(PREFIX + _PUBLIC, self._serve_public),
            web.get(PREFIX + _PRIVATE, self._serve_private),
            web.get(PREFIX + _TRADE, self._serve_trade),
        ]

    def disconnect_all(self) -> int:
        """Cut every client; return how many there were."""
        return sum(host.disconnect_all() for host in self._hosts.values())

    def push_latest(self, now: float) -> None:
        """Send what is only worth its latest state, and look who has fallen silent."""
        self.public.push_latest(now)
        self.private.cancel_silent(now)

    async def _serve_public(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, _PUBLIC, self._public_op, self.public.forget)

    async def _serve_private(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, _PRIVATE, self._private_op, self.private.forget)

    async def _serve_trade(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, _TRADE, self._trade_op, lambda _: None)

    async def _serve(
        self, request: web.Request, path: str, answer: Answer, forget: Callable[[TopicLine], None]
    ) -> web.StreamResponse:
        limited = self._venue.config.limits
        if limited and not self._venue.windows.admits_socket(request.remote or "", self._venue.seconds()):
            return web.Response(status=403, text="Forbidden")

        def on_text(line: TopicLine, text: str) -> None:
            self._on_text(line, text, answer)

        def on_close(line: TopicLine) -> None:
            forget(line)
            self._ids.pop(line, None)

        return await self._hosts[path].serve(request, self._greet, on_text, on_close)

    def _line(self, socket: Socket, request: web.Request) -> TopicLine:
        return TopicLine(socket, request.remote or "", VENUE, self._venue.faults, self._venue.config.max_backlog)

    def _greet(self, line: TopicLine) -> None:
        self._ids[line] = str(uuid4())

    def _on_text(self, line: TopicLine, text: str, answer: Answer) -> None:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            message = {"op": ""}
        reply = answer(line, message)
        if reply:
            line.send(str(message.get("op")), orjson.dumps(reply))

    def _public_op(self, line: TopicLine, message: Json) -> Json:
        if message.get("op") == "ping":
            return {"success": True, "ret_msg": "pong", **self._named(line, message, "ping")}
        return self._subscription(line, message, self.public)

    def _private_op(self, line: TopicLine, message: Json) -> Json:
        op = message.get("op")
        if op == "ping":
            return {**self._named(line, message, "pong"), "args": [str(self._venue.now_ms())]}
        if op == "auth":
            refusal = self._sign_in(line, message)
            said = "" if refusal is None else refusal.message
            return {"success": refusal is None, "ret_msg": said, **self._named(line, message, "auth")}
        if not line.account:
            return {"success": False, "ret_msg": "Request not authorized", **self._named(line, message, str(op))}
        return self._subscription(line, message, self.private)

    def _trade_op(self, line: TopicLine, message: Json) -> Json:
        op = str(message.get("op"))
        if op == "ping":
            return {
                "retCode": 0,
                "retMsg": "OK",
                "op": "pong",
                "data": [str(self._venue.now_ms())],
                "connId": self._ids[line],
            }
        if op == "auth":
            refusal = self._sign_in(line, message)
            code, said = (0, "OK") if refusal is None else (refusal.code, refusal.message)
            return {"retCode": code, "retMsg": said, "op": op, "connId": self._ids[line]}
        return self._order(line, op, message)

    def _order(self, line: TopicLine, op: str, message: Json) -> Json:
        path, now = f"/v5/{op.replace('.', '/')}", self._venue.now_ms()
        args = message.get("args")
        body = args[0] if isinstance(args, list) and args and isinstance(args[0], dict) else {}
        header = {"Traceid": uuid4().hex, "Timenow": str(now)}
        data: Json = {}
        extra: Json = {}
        try:
            if not line.account:
                raise RefusedError(_NOT_SIGNED_IN, "Request not authorized")
            if path not in _ORDER_PATHS:
                raise RefusedError(_NO_SUCH_OP, "op type is not found")
            self._require_fresh(message, now)
            allowance = self._spend(line.account, path, body)
            header |= allowance.headers()
            data, extra = self._act(line.account, path, body, allowance.granted)
            code, said = 0, "OK"
        except RefusedError as error:
            code, said = error.code, error.message
        if self._venue.faults.strike(FaultKind.ACCEPT_THEN_DROP, VENUE, path, path.rpartition("/")[2]):
            line.cut.set()
        shell = {"reqId": str(message.get("reqId", "")), "op": op, "connId": self._ids[line]}
        return {"retCode": code, "retMsg": said, "data": data, "retExtInfo": extra, "header": header, **shell}

    def _spend(self, account: str, path: str, body: Json) -> Allowance:
        items = body.get("request")
        cost = max(1, len(items)) if isinstance(items, list) else 1
        if not self._venue.config.limits:
            return Allowance(cost, cost, 0, self._venue.now_ms())
        return self._venue.windows.spend(account, path, cost, self._venue.seconds())

    def _act(self, account: str, path: str, body: Json, granted: int) -> tuple[Json, Json]:
        action = path.rpartition("/")[2]
        if not granted or self._venue.faults.strike(FaultKind.RATE_LIMIT, VENUE, path, action):
            raise RefusedError(TOO_MANY, TOO_MANY_VISITS)
        rule = self._venue.faults.strike(FaultKind.REJECT, VENUE, path, action)
        if rule is not None:
            raise RefusedError(PARAMETER, str(rule.value or "rejected"))
        self._venue.counts.received(account, action, 1, self._venue.now_ms())
        if path in self._trading.batches:
            return self._trading.batch(account, path, body, granted)
        return self._trading.actions[path](account, body), {}

    def _require_fresh(self, message: Json, now: int) -> None:
        header = message.get("header")
        given = header if isinstance(header, dict) else {}
        stamp, window = str(given.get("X-BAPI-TIMESTAMP", "")), str(given.get("X-BAPI-RECV-WINDOW", "5000"))
        if not is_whole(stamp) or not is_whole(window):
            raise RefusedError(PARAMETER, "X-BAPI-TIMESTAMP is required")
        if not now - int(window) <= int(stamp) < now + 1_000:
            raise RefusedError(TIMESTAMP, "request expired: o,p,r,n; check your timestamp or recv_window")

    def _sign_in(self, line: TopicLine, message: Json) -> RefusedError | None:
        """Learn whose socket this is; return why it is nobody's."""
        args = message.get("args")
        if not isinstance(args, list) or len(args) != 3 or not is_whole(str(args[1])):
            return RefusedError(PARAMETER, "Params Error")
        key = self._venue.keys.find(str(args[0]))
        if key is None:
            return RefusedError(UNKNOWN_KEY, "API key is invalid.")
        if int(args[1]) < self._venue.now_ms():
            return RefusedError(TIMESTAMP, "Param expires has expired")
        if not key.signs(f"{_SIGNED}{args[1]}", str(args[2])):
            return RefusedError(_NOT_SIGNED_IN, "Error sign, please check your signature generation algorithm.")
        line.account = key.account
        return None

    def _subscription(self, line: TopicLine, message: Json, stream: PublicStream | PrivateStream) -> Json:
        op, args = str(message.get("op")), message.get("args")
        shell = self._named(line, message, op)
        if op not in {"subscribe", "unsubscribe"} or not isinstance(args, list) or not args:
            return {"success": False, "ret_msg": "error:invalid op or args", **shell}
        unknown = [topic for topic in args if not isinstance(topic, str) or not stream.known(topic)]
        if unknown:
            return {"success": False, "ret_msg": f"error:handler not found,topic:{unknown[0]}", **shell}
        if op == "unsubscribe":
            for topic in args:
                stream.leave(line, topic)
            return {"success": True, "ret_msg": "", **shell}
        # The confirmation comes before the first snapshot.
        line.send("subscribe", orjson.dumps({"success": True, "ret_msg": "", **shell}))
        for topic in args:
            stream.join(line, topic)
        return {}

    def _named(self, line: TopicLine, message: Json, op: str) -> Json:
        return {"conn_id": self._ids[line], "req_id": str(message.get("req_id", "")), "op": op}
