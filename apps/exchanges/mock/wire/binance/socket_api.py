"""Orders over a websocket: the same requests, signed, with answers in the order of asking.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-api-general-info
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson
from aiohttp import web

from apps.exchanges.mock.faults import FaultKind
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.keys import account_of_key, require_in_time, require_signature
from apps.exchanges.mock.wire.binance.reads import Reads
from apps.exchanges.mock.wire.binance.refusals import RefusedError
from apps.exchanges.mock.wire.binance.trading import Trading
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.binance.words import VENUE
from apps.exchanges.mock.wire.line import WS_PATH, Line, Socket
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.sockets import SocketHost

_CHANGES = frozenset({"order.place", "order.modify", "order.cancel", "order.cancelReplace", "openOrders.cancelAll"})
# Kind, how many orders it counts as, and what answers.
Method = tuple[str, int, Callable[[str, Params], object]]


def futures_methods(trading: Trading, reads: Reads) -> Mapping[str, Method]:
    """Return what the futures' websocket API can be asked."""
    return {
        "order.place": ("order", 1, trading.place),
        "order.modify": ("amend", 1, trading.amend),
        "order.cancel": ("cancel", 0, trading.cancel),
        "order.status": ("order", 0, reads.order),
        "v2/account.position": ("positionRisk", 0, reads.positions),
        "account.position": ("positionRisk", 0, reads.positions_v2),
        "v2/account.status": ("account", 0, reads.account),
        "account.status": ("account", 0, reads.account_v2),
        "v2/account.balance": ("balance", 0, reads.balance),
        "account.balance": ("balance", 0, reads.balance),
    }


class SocketApi:
    """Serves the clients of one market's websocket API."""

    def __init__(self, venue: Venue, methods: Mapping[str, Method]) -> None:
        """Act for signed requests."""
        self._venue, self._methods = venue, methods
        self.host: SocketHost[Line] = SocketHost(VENUE, venue.faults, self._open_line)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Speak with one client until it leaves."""
        return await self.host.serve(request, lambda _: None, self._on_text, lambda _: None)

    def _open_line(self, socket: Socket, request: web.Request) -> Line:
        return Line(socket, request.remote or "", VENUE, self._venue.faults, self._venue.config.max_backlog)

    def _on_text(self, line: Line, message: str) -> None:
        number: object = None
        try:
            said = orjson.loads(message)
            if not isinstance(said, dict):
                raise RefusedError(-1135, "Invalid JSON")
            number = said.get("id")
            result = {"status": 200, "result": self._act(line, said)}
        except orjson.JSONDecodeError:
            result = {"status": 400, "error": {"code": -1135, "msg": "Invalid JSON"}}
        except RefusedError as error:
            result = {"status": error.status, "error": error.body()}
        if not line.cut.is_set():
            line.send("order", orjson.dumps({"id": number, **result, "rateLimits": self._limits(line)}))

    def _act(self, line: Line, said: Json) -> object:
        name, raw = str(said.get("method")), said.get("params")
        method = self._methods.get(name)
        if method is None:
            raise RefusedError(-1000, f"Unknown method {name}")
        if not isinstance(raw, dict):
            raise RefusedError(-1102, "Mandatory parameter 'params' was not sent, was empty/null, or malformed.")
        kind, orders, answer = method
        values = {str(k): str(v).lower() if isinstance(v, bool) else str(v) for k, v in raw.items()}
        params = Params(values)
        key, signature = params.find("apiKey") or "", params.text("signature")
        account = account_of_key(self._venue, key)
        require_in_time(self._venue, params)
        signed = "&".join(f"{name}={value}" for name, value in sorted(values.items()) if name != "signature")
        require_signature(self._venue, key, signed, signature)
        if self._venue.config.limits:
            self._venue.limits.spend(line.ip, 1, self._venue.seconds())
            if orders:
                self._venue.limits.order(account, (orders, orders), self._venue.seconds())
        if name in _CHANGES:
            self._venue.counts.received(account, kind, 1, self._venue.now_ms())
        done = answer(account, params)
        if self._venue.faults.strike(FaultKind.ACCEPT_THEN_DROP, VENUE, WS_PATH, kind) is not None:
            line.cut.set()
        return done

    def _limits(self, line: Line) -> list[Json]:
        weight, *orders = self._venue.limits.allowed.rows()
        return [{**weight, "count": self._venue.limits.used(line.ip, self._venue.seconds())}, *orders]
