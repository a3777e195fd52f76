"""dYdX over HTTP: the indexer under /v4, the node under /rpc and /rest, and the faults and limits before them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook, FaultKind
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.door import Door
from apps.exchanges.mock.wire.dydx.node import BROADCAST, Node, rate_limited, read_broadcast, understood
from apps.exchanges.mock.wire.dydx.reads import Reads
from apps.exchanges.mock.wire.dydx.refusals import RefusedRead, RefusedTx
from apps.exchanges.mock.wire.dydx.sockets import Sockets
from apps.exchanges.mock.wire.dydx.trading import Trading
from apps.exchanges.mock.wire.dydx.venue import Venue
from apps.exchanges.mock.wire.dydx.words import PREFIX, VENUE
from apps.exchanges.mock.wire.port import AccountRequest, Json
from moondev.domain.clock import Clock

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_INDEXER, _ACCOUNT_INFO = "/v4", "/rest/cosmos/auth/v1beta1/account_info/{address}"


class DydxWire:
    """One dYdX over HTTP and websocket."""

    name = VENUE

    def __init__(self, exchange: Exchange, clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Speak for `exchange`."""
        self.venue = Venue(exchange, clock, config, faults)
        self._door = Door(VENUE, faults)
        self._reads = Reads(self.venue)
        self._node = Node(self.venue, Trading(self.venue), self._door)
        self._sockets = Sockets(self.venue, self._reads)

    @property
    def exchange(self) -> Exchange:
        """Return the engine behind the wire."""
        return self.venue.exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the routes under `/dydx`."""
        return [
            *(web.get(PREFIX + _INDEXER + path, self._reading(path)) for path in self._reads.answers),
            *self._sockets.routes(),
            web.get(f"{PREFIX}/rpc/abci_info", self._on_abci_info),
            web.get(f"{PREFIX}/rpc/status", self._on_status),
            web.get(PREFIX + BROADCAST, self._on_broadcast),
            web.post(f"{PREFIX}/rpc", self._on_call),
            web.post(f"{PREFIX}/rpc/", self._on_call),
            web.get(PREFIX + _ACCOUNT_INFO, self._on_account_info),
            web.post(f"{PREFIX}/rest/cosmos/tx/v1beta1/simulate", self._on_simulate),
        ]

    def push_latest(self, now: float) -> None:
        """Make the blocks that are due and send what changed since the last call; `now` in monotonic seconds."""
        self.venue.advance()
        self._sockets.push_latest(now)

    def disconnect_all(self) -> int:
        """Cut every websocket; return how many there were."""
        return self._sockets.disconnect_all()

    def open_account(self, request: AccountRequest) -> None:
        """Open or add to an account and learn its key. Raises ValueError."""
        self.venue.open_account(request)
        self._sockets.account_changed(request.address)

    def counts(self) -> Json:
        """Return connections, orders, fills, and actions by account and kind."""
        return self.venue.counts.listing(self._sockets.count)

    def _reading(self, path: str) -> Handler:
        answer = self._reads.answers[path]
        action = path.split("/")[1]

        async def read(request: web.Request) -> web.StreamResponse:
            where = request.path.removeprefix(PREFIX)
            refusal = await self._door.refusal(request, where, action) or self._limited(request, where, action)
            if refusal is not None:
                return refusal
            self.venue.advance()
            try:
                response = _json(answer({**request.query, **request.match_info}))
            except RefusedRead as error:
                response = _errors(error.status, error.message)
            return self._door.answered(request, where, action, response)

        return read

    def _limited(self, request: web.Request, where: str, action: str) -> web.Response | None:
        headers: dict[str, str] = {}
        if self.venue.config.limits:
            candles = action == "candles"
            allowance = self.venue.reads.spend(request.remote or "", self.venue.now_ms() / 1000, candles=candles)
            headers = allowance.headers()
            if not allowance.admitted:
                return _errors(429, "Too many requests", headers)
        if self._door.strikes(FaultKind.RATE_LIMIT, where, action):
            return _errors(429, "Too many requests", headers)
        return None

    async def _on_abci_info(self, request: web.Request) -> web.StreamResponse:
        return await self._node_answer(request, "abci_info")

    async def _on_status(self, request: web.Request) -> web.StreamResponse:
        return await self._node_answer(request, "status")

    async def _node_answer(self, request: web.Request, action: str) -> web.StreamResponse:
        where = request.path.removeprefix(PREFIX)
        refusal = await self._door.refusal(request, where, action)
        if refusal is not None:
            return refusal
        self.venue.advance()
        result = self._node.abci_info() if action == "abci_info" else self._node.status()
        return self._door.answered(request, where, action, _rpc(result))

    async def _on_broadcast(self, request: web.Request) -> web.StreamResponse:
        try:
            raw = read_broadcast(request.query.get("tx", ""))
        except ValueError as error:
            return _rpc_error(-32602, "Invalid params", str(error))
        return await self._broadcast(request, raw)

    async def _on_call(self, request: web.Request) -> web.StreamResponse:
        """Answer JSON-RPC: the same transaction, in base64."""
        try:
            body = orjson.loads(await request.read())
            method, given = body["method"], body.get("params") or {}
            raw = base64.b64decode(given["tx"], validate=True) if method == "broadcast_tx_sync" else b""
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            return _rpc_error(-32600, "Invalid Request", repr(error))
        if method == "broadcast_tx_sync":
            return await self._broadcast(request, raw)
        if method not in ("abci_info", "status"):
            return _rpc_error(-32601, "Method not found", str(method))
        return await self._node_answer(request, method)

    async def _broadcast(self, request: web.Request, raw: bytes) -> web.StreamResponse:
        transaction = understood(raw)
        kind = "" if isinstance(transaction, RefusedTx) else transaction.kind
        refusal = await self._door.refusal(request, BROADCAST, kind)
        if refusal is not None:
            return refusal
        self.venue.advance()
        if self._node.seen(raw):
            response = _rpc_error(-32603, "Internal error", "tx already exists in cache")
        elif self._door.strikes(FaultKind.RATE_LIMIT, BROADCAST, kind):
            response = _rpc(rate_limited(raw))
        else:
            response = _rpc(self._node.broadcast(raw, transaction))
        return self._door.answered(request, BROADCAST, kind, response)

    async def _on_account_info(self, request: web.Request) -> web.StreamResponse:
        address = request.match_info["address"]
        where = request.path.removeprefix(PREFIX)
        refusal = await self._door.refusal(request, where, "account_info")
        if refusal is not None:
            return refusal
        info = self._node.account_info(address)
        if info is None:
            said = f"rpc error: code = NotFound desc = account {address} not found: key not found"
            return _json({"code": 5, "message": said, "details": []}, 404)
        return self._door.answered(request, where, "account_info", _json(info))

    async def _on_simulate(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        return _json(self._node.simulate())


def _json(data: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json", headers=headers)


def _errors(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return _json({"errors": [{"msg": message}]}, status, headers)


def _rpc(result: Json) -> web.Response:
    return _json({"jsonrpc": "2.0", "id": -1, "result": result})


def _rpc_error(code: int, message: str, data: str) -> web.Response:
    return _json({"jsonrpc": "2.0", "id": -1, "error": {"code": code, "message": message, "data": data}}, 500)
