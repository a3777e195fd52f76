"""The HTTP side: routes, weights, faults, and the answers to bodies that make no sense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TypeAlias

import orjson
from aiohttp import web

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook, FaultKind
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.door import Door
from apps.exchanges.mock.wire.hyperliquid.actions import Actions, batch_size
from apps.exchanges.mock.wire.hyperliquid.envelope import read_json
from apps.exchanges.mock.wire.hyperliquid.info import Info
from apps.exchanges.mock.wire.hyperliquid.limits import exchange_weight, info_weight, rows_weight
from apps.exchanges.mock.wire.hyperliquid.numbers import read_address
from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError, json_object
from apps.exchanges.mock.wire.hyperliquid.socket import SocketServer
from apps.exchanges.mock.wire.hyperliquid.texts import DESERIALIZE
from apps.exchanges.mock.wire.hyperliquid.venue import VENUE, Venue
from apps.exchanges.mock.wire.hyperliquid.views import Json
from apps.exchanges.mock.wire.port import AccountRequest
from moondev.domain.clock import Clock

Answer: TypeAlias = Callable[[Json], object]
PREFIX = "/hl"
_INFO, _EXCHANGE = "/info", "/exchange"


class HyperliquidWire:
    """One Hyperliquid over HTTP and websocket."""

    name = VENUE

    def __init__(self, exchange: Exchange, clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Speak for `exchange`."""
        self.venue = venue = Venue(exchange, clock, config, faults)
        self._door = Door(VENUE, faults)
        self.actions = Actions(venue)
        self.info = Info(venue)
        self.sockets = SocketServer(venue, self.actions, self.info)

    @property
    def exchange(self) -> Exchange:
        """Return the engine behind the wire."""
        return self.venue.exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the routes under `PREFIX`."""
        return [
            web.post(PREFIX + _INFO, self._on_info),
            web.post(PREFIX + _EXCHANGE, self._on_exchange),
            web.get(PREFIX + "/ws", self.sockets.serve),
        ]

    def disconnect_all(self) -> int:
        """Cut every websocket; return how many there were."""
        return self.sockets.hub.disconnect_all()

    def open_account(self, request: AccountRequest) -> None:
        """Open an account at a wallet's address; agents are appointed over the wire. Raises ValueError."""
        address = read_address("address", request.address)
        self.venue.open_account(address, request.deposit)

    def counts(self) -> Json:
        """Return connections, orders, fills, and actions by account and kind."""
        records = self.venue.records
        return {
            "connections": len(self.sockets.hub.connections),
            "orders": records.accepted_orders,
            "fills": records.fills,
            "actions": {
                account: {kind: asdict(count) for kind, count in kinds.items()}
                for account, kinds in records.actions.items()
            },
        }

    def push_latest(self, now: float) -> None:
        """Send what changed since the last call; `now` in monotonic seconds."""
        self.sockets.hub.push_latest(now)
        self.sockets.cut_idle(now)

    async def _on_info(self, request: web.Request) -> web.StreamResponse:
        try:
            body = json_object(read_json(await request.read()))
        except MalformedError:
            return _malformed()
        kind = str(body.get("type"))
        refusal = await self._refusal(request, _INFO, kind, info_weight(kind))
        if refusal is not None:
            return refusal
        return self._door.answered(request, _INFO, kind, _answer(self._info_answer(request, kind), body))

    def _info_answer(self, request: web.Request, kind: str) -> Answer:
        def answer(body: Json) -> object:
            result = self.info.answer(body)
            extra = rows_weight(kind, len(result)) if isinstance(result, list) else 0
            if extra and self.venue.config.limits:
                self.venue.weights.charge(request.remote or "", extra, self.venue.now_seconds())
            return result

        return answer

    async def _on_exchange(self, request: web.Request) -> web.StreamResponse:
        try:
            body = json_object(read_json(await request.read()))
            action = json_object(body.get("action"))
        except MalformedError:
            return _malformed()
        kind = str(action.get("type"))
        refusal = await self._refusal(request, _EXCHANGE, kind, exchange_weight(batch_size(action)))
        if refusal is not None:
            return refusal
        return self._door.answered(request, _EXCHANGE, kind, _answer(self.actions.handle, body))

    async def _refusal(self, request: web.Request, path: str, kind: str, weight: int) -> web.StreamResponse | None:
        """Return how this request fails before anything is done, or None; waits out a latency fault."""
        broken = await self._door.refusal(request, path, kind)
        if broken is not None:
            return broken
        if self._door.strikes(FaultKind.RATE_LIMIT, path, kind) or not self._admits(request, weight):
            return web.Response(status=429, body=b"null", content_type="application/json")
        return None

    def _admits(self, request: web.Request, weight: int) -> bool:
        limited = self.venue.config.limits
        return not limited or self.venue.weights.admit(request.remote or "", weight, self.venue.now_seconds())


def _answer(answer: Answer, body: Json) -> web.Response:
    try:
        return web.Response(body=orjson.dumps(answer(body)), content_type="application/json")
    except MalformedError:
        return _malformed()


def _malformed() -> web.Response:
    return web.Response(status=422, text=DESERIALIZE)
