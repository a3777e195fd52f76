"""Phemex over HTTP: signatures, limits, faults and the envelope around every answer.

https://phemex-docs.github.io/#rest-api-standards
"""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook, FaultKind
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.door import Door
from apps.exchanges.mock.wire.phemex.account_reads import AccountReads
from apps.exchanges.mock.wire.phemex.endpoints import Endpoint
from apps.exchanges.mock.wire.phemex.limits import CAPACITY, Allowance, Group
from apps.exchanges.mock.wire.phemex.market_reads import MARKET_DATA_PATHS, MarketReads
from apps.exchanges.mock.wire.phemex.refusals import ARGUMENTS, TOO_MANY, RefusedError, unsigned
from apps.exchanges.mock.wire.phemex.sockets import Sockets
from apps.exchanges.mock.wire.phemex.trading import Trading, refused_later
from apps.exchanges.mock.wire.phemex.venue import Venue
from apps.exchanges.mock.wire.phemex.words import PREFIX, VENUE
from apps.exchanges.mock.wire.port import AccountRequest, Json
from moondev.domain.clock import Clock

_TOO_MANY = "Too many requests."


class PhemexWire:
    """One Phemex over HTTP and websocket."""

    name = VENUE

    def __init__(self, exchange: Exchange, clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Speak for `exchange`."""
        self.venue = Venue(exchange, clock, config, faults)
        self._door = Door(VENUE, faults)
        self._market, self._account = MarketReads(self.venue), AccountReads(self.venue)
        self._writes = Trading(self.venue).endpoints
        self._endpoints = {**self._account.endpoints, **self._writes}
        self._sockets = Sockets(self.venue, self._market, self._account)

    @property
    def exchange(self) -> Exchange:
        """Return the engine behind the wire."""
        return self.venue.exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the routes under `/phemex`."""
        return [
            *(web.get(PREFIX + path, self._on_public) for path in self._market.answers),
            *(web.route(method, PREFIX + path, self._on_private) for method, path in self._endpoints),
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
        action = path.rpartition("/")[2]
        refusal = await self._refusal(request, path, action)
        if refusal is not None:
            return refusal
        try:
            found = self._market.answers[path](dict(request.query))
            response = _result(found) if path.startswith(MARKET_DATA_PATHS) else _data(0, "OK", found)
        except RefusedError as error:
            response = _error(error) if path.startswith(MARKET_DATA_PATHS) else _refusal_of(error)
        return self._door.answered(request, path, action, response)

    async def _on_private(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        endpoint = self._endpoints[request.method, path]
        body = (await request.read()).decode("utf-8", "replace")
        refusal = await self._refusal(request, path, endpoint.action)
        if refusal is not None:
            return refusal
        try:
            account = self._signer(request, path, body)
        except RefusedError as error:
            return self._door.answered(request, path, endpoint.action, _refusal_of(error))
        allowance = self._spend(account, endpoint.group, endpoint.weight)
        if not allowance.admitted:
            return _too_many(allowance)
        response = self._carried_out(request, path, endpoint, account, body)
        response.headers.update(allowance.headers())
        return self._door.answered(request, path, endpoint.action, response)

    async def _refusal(self, request: web.Request, path: str, action: str) -> web.StreamResponse | None:
        refusal = await self._door.refusal(request, path, action)
        if refusal is not None:
            return refusal
        if self._door.strikes(FaultKind.RATE_LIMIT, path, action):
            return _too_many(Allowance(admitted=False, group=Group.CONTRACT, left=0, reset_seconds=1))
        if not self.venue.config.limits:
            return None
        seconds = self.venue.windows.blocked_for(request.remote or "", self.venue.seconds())
        if not seconds:
            return None
        return _too_many(Allowance(admitted=False, group=Group.OTHERS, left=0, reset_seconds=seconds))

    def _carried_out(
        self, request: web.Request, path: str, endpoint: Endpoint, account: str, body: str
    ) -> web.Response:
        try:
            fields = _fields(request, body)
            if (request.method, path) not in self._writes:
                return _data(0, "", endpoint.answer(account, fields))
            return self._written(path, endpoint, account, fields)
        except RefusedError as error:
            return _refusal_of(error)

    def _written(self, path: str, endpoint: Endpoint, account: str, fields: Json) -> web.Response:
        count = self.venue.counts.received(account, endpoint.action, 1, self.venue.now_ms())
        sentence = self._door.rejection(path, endpoint.action)
        if sentence is not None:
            count.refused += 1
            if endpoint.action == "create":
                return _data(0, "", refused_later(fields, sentence))
            raise RefusedError(ARGUMENTS, sentence)
        try:
            answer = endpoint.answer(account, fields)
        except RefusedError:
            count.refused += 1
            raise
        count.last_accepted_ms = count.last_ms
        return _data(0, "", answer)

    def _spend(self, who: str, group: Group, weight: int) -> Allowance:
        if not self.venue.config.limits:
            return Allowance(admitted=True, group=group, left=CAPACITY[group], reset_seconds=0)
        return self.venue.windows.spend(who, group, weight, self.venue.seconds())

    def _signer(self, request: web.Request, path: str, body: str) -> str:
        """Return whose request this is. Raises RefusedError for an unknown key, a bad signature or one that lapsed.

        Signed are path, query, expiry and body; the path as the venue knows it, without the prefix of this server.
        """
        token, expiry, signature = (
            request.headers.get(f"x-phemex-{name}", "")
            for name in ("access-token", "request-expiry", "request-signature")
        )
        key = self.venue.keys.find(token)
        if key is None:
            raise unsigned(f"Failed to find api-key {token}")
        if not expiry.isdecimal():
            raise unsigned("Missing required parameter x-phemex-request-expiry")
        if int(expiry) < self.venue.seconds():
            raise unsigned("Request expired")
        if not key.signs(f"{path}{request.rel_url.raw_query_string}{expiry}{body}", signature):
            raise unsigned("API Signature verification failed.")
        return key.account


def _fields(request: web.Request, body: str) -> Json:
    if request.method != "POST":
        return dict(request.query)
    try:
        fields = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        raise RefusedError(ARGUMENTS) from None
    if not isinstance(fields, dict):
        raise RefusedError(ARGUMENTS)
    return fields


def _json(answer: Json, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(answer), status=status, content_type="application/json")


def _data(code: int, message: str, data: Any, status: int = 200) -> web.Response:  # noqa: ANN401 - any JSON
    return _json({"code": code, "msg": message, "data": data}, status)


def _result(result: Any) -> web.Response:  # noqa: ANN401 - any JSON
    return _json({"error": None, "id": 0, "result": result})


def _refusal_of(error: RefusedError) -> web.Response:
    return _data(error.code, error.message, None, error.status)


def _error(error: RefusedError) -> web.Response:
    return _json({"error": {"code": error.code, "message": error.message}, "id": 0, "result": None})


def _too_many(allowance: Allowance) -> web.Response:
    response = _json({"code": str(TOO_MANY), "msg": _TOO_MANY}, 429)
    response.headers.update(allowance.headers())
    return response
