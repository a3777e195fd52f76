"""Requests over HTTP: from the faults at the door to the headers of the answer."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from aiohttp import web

from apps.exchanges.mock.faults import FaultKind
from apps.exchanges.mock.wire.binance.endpoints import Endpoint, Path, Security
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.keys import account_of_key, account_of_signed
from apps.exchanges.mock.wire.binance.limits import LimitedError
from apps.exchanges.mock.wire.binance.refusals import RefusedError
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.door import Door

_LIMITED_SECONDS = 2.0
_TIMEOUTS = frozenset({503, 504})
_TIMED_OUT = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."


class Requests:
    """Answers the requests of one market of the venue."""

    def __init__(self, venue: Venue, door: Door, endpoints: Mapping[Path, Endpoint], prefix: str) -> None:
        """Answer at `endpoints`, whose paths follow `prefix`."""
        self.venue = venue
        self._door, self._endpoints, self._prefix = door, endpoints, prefix

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        path = request.path.removeprefix(self._prefix)
        endpoint = self._endpoints.get((request.method, path))
        if endpoint is None:
            text = f"Path {path}, Method {request.method} is invalid"
            return _json({"code": -5000, "msg": text}, 404, {})
        # As it was sent: the signature is over these very characters.
        query = request.raw_path.partition("?")[2]
        body = (await request.read()).decode(errors="replace")
        broken = await self._door.refusal(request, path, endpoint.kind)
        if broken is not None:
            return _unknown_outcome(broken)
        response = self._answered(request, path, endpoint, query, body)
        return self._door.answered(request, path, endpoint.kind, response)

    def _answered(self, request: web.Request, path: str, endpoint: Endpoint, query: str, body: str) -> web.Response:
        headers: dict[str, str] = {}
        try:
            params = Params.of_texts(query, body)
            if self._door.strikes(FaultKind.RATE_LIMIT, path, endpoint.kind):
                raise self.venue.limits.too_many_requests(request.remote or "", _LIMITED_SECONDS)
            headers |= self._weigh(request.remote or "", endpoint, params)
            account = ""
            if endpoint.security is Security.SIGNATURE:
                key = request.headers.get("X-MBX-APIKEY", "")
                account = account_of_signed(self.venue, key, query + body, params)
            elif endpoint.security is Security.KEY:
                account = account_of_key(self.venue, request.headers.get("X-MBX-APIKEY", ""))
            return _json(self._act(path, endpoint, account, params, headers), 200, headers)
        except RefusedError as error:
            if isinstance(error, LimitedError):
                headers["Retry-After"] = str(max(1, int(error.retry_after)))
            return _json(error.body(), error.status, headers)

    def _act(self, path: str, endpoint: Endpoint, account: str, params: Params, headers: dict[str, str]) -> object:
        now = self.venue.now_ms()
        count = self.venue.counts.received(account, endpoint.kind, 1, now) if endpoint.changes else None
        try:
            if any(endpoint.orders) and self.venue.config.limits:
                self.venue.limits.order(account, endpoint.orders, self.venue.seconds())
            sentence = self._door.rejection(path, endpoint.kind)
            if sentence is not None:
                raise RefusedError(-2010, sentence)
            result = endpoint.answer(account, params)
        except RefusedError:
            if count is not None:
                count.refused += 1
            raise
        finally:
            if any(endpoint.orders):
                headers |= self.venue.limits.orders_used(account, self.venue.seconds())
        if count is not None:
            count.last_accepted_ms = now
        return result

    def _weigh(self, ip: str, endpoint: Endpoint, params: Params) -> dict[str, str]:
        if not self.venue.config.limits:
            return {}
        used = self.venue.limits.spend(ip, endpoint.cost(params), self.venue.seconds())
        return {"X-MBX-USED-WEIGHT-1M": str(used)}


def _unknown_outcome(response: web.StreamResponse) -> web.StreamResponse:
    """Return a server's error in the venue's words; it says of none of them whether the request was carried out."""
    if response.status not in _TIMEOUTS:
        return response
    return _json({"code": -1007, "msg": _TIMED_OUT}, response.status, {})


def _json(data: object, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, headers=headers, content_type="application/json")
