"""The wire itself: requests over HTTP, from the faults at the door to the headers of the answer."""

from __future__ import annotations

from dataclasses import replace

import orjson
from aiohttp import web

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook, FaultKind
from apps.exchanges.mock.wire.binance.books import Books
from apps.exchanges.mock.wire.binance.conditional import Conditional
from apps.exchanges.mock.wire.binance.endpoints import Endpoint, Security, table
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.hub import Hub
from apps.exchanges.mock.wire.binance.keys import account_of_key, account_of_signed
from apps.exchanges.mock.wire.binance.limits import LimitedError, too_many_requests
from apps.exchanges.mock.wire.binance.private import PrivateStream
from apps.exchanges.mock.wire.binance.public import Public
from apps.exchanges.mock.wire.binance.reads import Reads
from apps.exchanges.mock.wire.binance.refusals import NO_LISTEN_KEY, RefusedError
from apps.exchanges.mock.wire.binance.socket_api import SocketApi
from apps.exchanges.mock.wire.binance.streams import Streams
from apps.exchanges.mock.wire.binance.trading import Trading
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.binance.words import VENUE
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.door import Door
from apps.exchanges.mock.wire.port import AccountRequest, Json
from moondev.domain.clock import Clock

PREFIX = "/binance"
_LIMITED_SECONDS = 2.0
_LISTEN_KEY = "/fapi/v1/listenKey"
_TIMEOUTS = frozenset({503, 504})
_TIMED_OUT = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."


class BinanceWire:
    """One Binance over HTTP and websocket."""

    name = VENUE

    def __init__(self, exchange: Exchange, clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Speak for `exchange`."""
        self.venue = venue = Venue(exchange, clock, config, faults)
        self._door = Door(VENUE, faults)
        books = Books(exchange, venue.now_ms())
        public = Public(venue, books)
        self.hub = Hub(venue, public, books)
        self.private = PrivateStream(venue, self.hub.private)
        self.trading = Trading(venue)
        self.conditional = Conditional(venue, self.trading, self.private.tell)
        self.reads = Reads(venue, self.trading, self.private.leverage_changed)
        self.streams = Streams(venue, self.hub)
        self.socket_api = SocketApi(venue, self.trading, self.reads)
        self._endpoints = dict(table(public, self.reads, self.trading, self.conditional))
        for method in ("POST", "PUT", "DELETE"):
            self._endpoints[method, _LISTEN_KEY] = self._listen_key(method)

    @property
    def exchange(self) -> Exchange:
        """Return the engine behind the wire."""
        return self.venue.exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the routes under `PREFIX`."""
        return [
            web.route("*", PREFIX + "/fapi/{tail:.*}", self._on_request),
            web.get(PREFIX + "/fstream/{tail:.*}", self.streams.serve),
            web.get(PREFIX + "/ws-fapi/v1", self.socket_api.serve),
        ]

    def push_latest(self, now: float) -> None:
        """Send what changed since the last call, and do what is due; `now` in monotonic seconds."""
        self.reads.run_countdowns()
        self.private.expire_keys()
        self.hub.push_latest(now)

    def disconnect_all(self) -> int:
        """Cut every websocket; return how many there were."""
        return self.streams.host.disconnect_all() + self.socket_api.host.disconnect_all()

    def open_account(self, request: AccountRequest) -> None:
        """Open an account, or add to it, and learn its key. Raises ValueError for a key that is another's."""
        if request.api_key or request.api_secret:
            self.venue.keys.add(request.api_key, request.api_secret, request.address)
        self.venue.deposit(request.address, request.deposit)
        if request.deposit:
            self.private.deposited(request.address, request.deposit)

    def counts(self) -> Json:
        """Return connections, orders, fills, and requests by account and kind."""
        return self.venue.counts.listing(len(self.streams.host.lines) + len(self.socket_api.host.lines))

    async def _on_request(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
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
                raise too_many_requests(request.remote or "", _LIMITED_SECONDS)
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
                self.venue.limits.order(account, *endpoint.orders, self.venue.seconds())
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
                ten, minute = self.venue.limits.orders_used(account, self.venue.seconds())
                headers |= {"X-MBX-ORDER-COUNT-10S": str(ten), "X-MBX-ORDER-COUNT-1M": str(minute)}
        if count is not None:
            count.last_accepted_ms = now
        return result

    def _weigh(self, ip: str, endpoint: Endpoint, params: Params) -> dict[str, str]:
        if not self.venue.config.limits:
            return {}
        used = self.venue.limits.spend(ip, endpoint.cost(params), self.venue.seconds())
        return {"X-MBX-USED-WEIGHT-1M": str(used)}

    def _listen_key(self, method: str) -> Endpoint:
        keys = self.venue.listen_keys

        def opened(account: str, _: Params) -> Json:
            return {"listenKey": keys.open(account, self.venue.now_ms()).key}

        def extended(account: str, _: Params) -> Json:
            key = keys.extend(account, self.venue.now_ms())
            if key is None:
                raise RefusedError(*NO_LISTEN_KEY)
            return {"listenKey": key.key}

        def closed(account: str, _: Params) -> Json:
            if keys.close(account) is None:
                raise RefusedError(*NO_LISTEN_KEY)
            return {}

        answer = {"POST": opened, "PUT": extended, "DELETE": closed}[method]
        return replace(Endpoint("listenKey", 1, answer), security=Security.KEY)


def _unknown_outcome(response: web.StreamResponse) -> web.StreamResponse:
    """Return a server's error in the venue's words; it says of none of them whether the request was carried out."""
    if response.status not in _TIMEOUTS:
        return response
    return _json({"code": -1007, "msg": _TIMED_OUT}, response.status, {})


def _json(data: object, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, headers=headers, content_type="application/json")
