"""Bybit over HTTP: signatures, limits, faults and the envelope around every answer.

https://bybit-exchange.github.io/docs/v5/guide
"""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook, FaultKind
from apps.exchanges.mock.wire.bybit.fields import is_whole
from apps.exchanges.mock.wire.bybit.limits import Allowance
from apps.exchanges.mock.wire.bybit.market_reads import MarketReads
from apps.exchanges.mock.wire.bybit.reads import AccountReads
from apps.exchanges.mock.wire.bybit.refusals import (
    BAD_SIGNATURE,
    PARAMETER,
    TIMESTAMP,
    TOO_MANY,
    TOO_MANY_VISITS,
    UNKNOWN_KEY,
    RefusedError,
)
from apps.exchanges.mock.wire.bybit.sockets import Sockets
from apps.exchanges.mock.wire.bybit.trading import Trading
from apps.exchanges.mock.wire.bybit.venue import Venue
from apps.exchanges.mock.wire.bybit.words import PREFIX, VENUE
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.door import Door
from apps.exchanges.mock.wire.port import AccountRequest, Json
from moondev.domain.clock import Clock

DCP = "/v5/order/disconnected-cancel-all"
_AHEAD_MS = 1_000
_TOO_OFTEN = "access too frequent"


class BybitWire:
    """One Bybit over HTTP and websocket."""

    name = VENUE

    def __init__(self, exchange: Exchange, clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Speak for `exchange`."""
        self.venue = Venue(exchange, clock, config, faults)
        self._door = Door(VENUE, faults)
        self._market, self._account = MarketReads(self.venue), AccountReads(self.venue)
        self._trading = Trading(self.venue)
        self._sockets = Sockets(self.venue, self._trading)

    @property
    def exchange(self) -> Exchange:
        """Return the engine behind the wire."""
        return self.venue.exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the routes under `/bybit`."""
        public = [web.get(PREFIX + path, self._on_public) for path in self._market.answers]
        private = [web.get(PREFIX + path, self._on_private) for path in self._account.answers]
        writes = [*self._trading.actions, *self._trading.batches, DCP]
        return [
            *public,
            *private,
            *(web.post(PREFIX + path, self._on_private) for path in writes),
            *self._sockets.routes(),
        ]

    def push_latest(self, now: float) -> None:
        """Send what changed since the last call; `now` in monotonic seconds."""
        self._sockets.push_latest(now)

    def disconnect_all(self) -> int:
        """Cut every websocket; return how many there were."""
        return self._sockets.disconnect_all()

    def open_account(self, request: AccountRequest) -> None:
        """Open or add to an account and learn its key. Raises ValueError."""
        self.exchange.open_account(request.address, request.deposit)
        if request.api_key or request.api_secret:
            self.venue.keys.add(request.api_key, request.api_secret, request.address)
        self._sockets.private.account_changed(request.address)

    def counts(self) -> Json:
        """Return connections, orders, fills, and actions by account and kind."""
        return self.venue.counts.listing(self._sockets.count)

    async def _on_public(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        refusal = await self._refusal(request, path)
        if refusal is not None:
            return refusal
        try:
            response = self._answer(0, "OK", self._market.answers[path](dict(request.query)))
        except RefusedError as error:
            response = self._answer(error.code, error.message)
        return self._door.answered(request, path, _action(path), response)

    async def _on_private(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        body = (await request.read()).decode("utf-8", "replace")
        refusal = await self._refusal(request, path)
        if refusal is not None:
            return refusal
        try:
            account = self._signer(request, body)
            response = self._private(account, path, self._fields(request, body))
        except RefusedError as error:
            response = self._answer(error.code, error.message)
        return self._door.answered(request, path, _action(path), response)

    async def _refusal(self, request: web.Request, path: str) -> web.StreamResponse | None:
        refusal = await self._door.refusal(request, path, _action(path))
        if refusal is not None:
            return refusal
        limited = self.venue.config.limits
        if limited and not self.venue.windows.admits_ip(request.remote or "", self.venue.seconds()):
            return web.Response(status=403, text=_TOO_OFTEN)
        if self._door.strikes(FaultKind.RATE_LIMIT, path, _action(path)):
            return self._answer(TOO_MANY, TOO_MANY_VISITS)
        return None

    def _private(self, account: str, path: str, fields: Json) -> web.Response:
        read = self._account.answers.get(path)
        allowance = self._spend(account, path, _cost(fields) if read is None else 1)
        headers = allowance.headers()
        if not allowance.granted:
            return self._answer(TOO_MANY, TOO_MANY_VISITS, headers=headers)
        if read is not None:
            return self._answer(0, "OK", read(account, fields), headers=headers)
        count = self.venue.counts.received(account, _action(path), _cost(fields), self.venue.now_ms())
        try:
            result, extra = self._written(account, path, fields, allowance.granted)
        except RefusedError as error:
            count.refused += 1
            return self._answer(error.code, error.message, error.result, headers=headers)
        count.last_accepted_ms = count.last_ms
        return self._answer(0, "OK", result, extra, headers)

    def _written(self, account: str, path: str, fields: Json, granted: int) -> tuple[Json, Json]:
        sentence = self._door.rejection(path, _action(path))
        if sentence is not None:
            raise RefusedError(PARAMETER, sentence)
        if path == DCP:
            return self._sockets.private.set_window(account, fields), {}
        if path in self._trading.batches:
            return self._trading.batch(account, path, fields, granted)
        return self._trading.actions[path](account, fields), {}

    def _spend(self, account: str, path: str, cost: int) -> Allowance:
        if not self.venue.config.limits:
            return Allowance(cost, cost, 0, self.venue.now_ms())
        return self.venue.windows.spend(account, path, cost, self.venue.seconds())

    def _signer(self, request: web.Request, body: str) -> str:
        """Return whose request this is. Raises RefusedError for an unknown key, a bad signature or an old stamp."""
        given = {
            name: request.headers.get(f"X-BAPI-{name}", "") for name in ("API-KEY", "TIMESTAMP", "RECV-WINDOW", "SIGN")
        }
        key = self.venue.keys.find(given["API-KEY"])
        if key is None:
            raise RefusedError(UNKNOWN_KEY, "API key is invalid.")
        stamp, window, now = given["TIMESTAMP"], given["RECV-WINDOW"] or "5000", self.venue.now_ms()
        if not is_whole(stamp) or not is_whole(window):
            raise RefusedError(PARAMETER, "Request parameter error.")
        if not now - int(window) <= int(stamp) < now + _AHEAD_MS:
            raise RefusedError(
                TIMESTAMP,
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{stamp}],server_timestamp[{now}],recv_window[{window}]",
            )
        signed = body if request.method == "POST" else request.rel_url.raw_query_string
        if not key.signs(f"{stamp}{key.key}{given['RECV-WINDOW']}{signed}", given["SIGN"]):
            raise RefusedError(BAD_SIGNATURE, "Error sign, please check your signature generation algorithm.")
        return key.account

    def _fields(self, request: web.Request, body: str) -> Json:
        if request.method == "GET":
            return dict(request.query)
        try:
            fields = orjson.loads(body) if body else {}
        except orjson.JSONDecodeError:
            raise RefusedError(PARAMETER, "Request body is not valid JSON.") from None
        if not isinstance(fields, dict):
            raise RefusedError(PARAMETER, "Request body must be a JSON object.")
        return fields

    def _answer(
        self,
        code: int,
        message: str,
        result: Json | None = None,
        extra: Json | None = None,
        headers: dict[str, str] | None = None,
    ) -> web.Response:
        envelope: dict[str, Any] = {
            "retCode": code,
            "retMsg": message,
            "result": result or {},
            "retExtInfo": extra or {},
            "time": self.venue.now_ms(),
        }
        return web.Response(body=orjson.dumps(envelope), content_type="application/json", headers=headers)


def _action(path: str) -> str:
    return path.rpartition("/")[2]


def _cost(fields: Json) -> int:
    """Return how many orders a request is about; a batch counts each."""
    items = fields.get("request")
    return max(1, len(items)) if isinstance(items, list) else 1
