"""The wire itself: which paths lead where."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.binance.books import Books
from apps.exchanges.mock.wire.binance.conditional import Conditional
from apps.exchanges.mock.wire.binance.endpoints import Endpoint, Security, table
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.hub import Hub
from apps.exchanges.mock.wire.binance.private import PrivateStream
from apps.exchanges.mock.wire.binance.public import Public
from apps.exchanges.mock.wire.binance.reads import Reads
from apps.exchanges.mock.wire.binance.refusals import NO_LISTEN_KEY, RefusedError
from apps.exchanges.mock.wire.binance.requests_in import Requests
from apps.exchanges.mock.wire.binance.socket_api import SocketApi, futures_methods
from apps.exchanges.mock.wire.binance.spot.market import SpotMarket
from apps.exchanges.mock.wire.binance.streams import Streams
from apps.exchanges.mock.wire.binance.trading import Trading
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.binance.words import VENUE
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.door import Door
from apps.exchanges.mock.wire.port import AccountRequest, Json
from moondev.domain.clock import Clock

PREFIX = "/binance"
_LISTEN_KEY = "/fapi/v1/listenKey"


class BinanceWire:
    """One Binance over HTTP and websocket."""

    name = VENUE

    def __init__(self, exchange: Exchange, clock: Clock, config: WireConfig, faults: FaultBook) -> None:
        """Speak for `exchange`."""
        self.venue = venue = Venue(exchange, clock, config, faults)
        books = Books(exchange, venue.specs, venue.now_ms())
        public = Public(venue, books)
        self.hub = Hub(venue, public, books)
        self.private = PrivateStream(venue, self.hub.private)
        self.trading = Trading(venue)
        self.conditional = Conditional(venue, self.trading, self.private.tell)
        self.reads = Reads(venue, self.trading, self.private.leverage_changed)
        self.streams = Streams(venue, self.hub)
        self.socket_api = SocketApi(venue, futures_methods(self.trading, self.reads))
        endpoints = dict(table(public, self.reads, self.trading, self.conditional))
        for method in ("POST", "PUT", "DELETE"):
            endpoints[method, _LISTEN_KEY] = self._listen_key(method)
        self._requests = Requests(venue, Door(VENUE, faults), endpoints, PREFIX)
        self.spot = SpotMarket(venue, PREFIX)

    @property
    def exchange(self) -> Exchange:
        """Return the engine behind the wire."""
        return self.venue.exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the routes under `PREFIX`."""
        return [
            web.route("*", PREFIX + "/fapi/{tail:.*}", self._requests.serve),
            web.get(PREFIX + "/fstream/{tail:.*}", self.streams.serve),
            web.get(PREFIX + "/ws-fapi/v1", self.socket_api.serve),
            *self.spot.routes(),
        ]

    def push_latest(self, now: float) -> None:
        """Send what changed since the last call, and do what is due; `now` in monotonic seconds."""
        self.reads.run_countdowns()
        self.private.expire_keys()
        self.hub.push_latest(now)
        self.spot.push_latest(now)

    def disconnect_all(self) -> int:
        """Cut every websocket; return how many there were."""
        futures = self.streams.host.disconnect_all() + self.socket_api.host.disconnect_all()
        return futures + self.spot.disconnect_all()

    def open_account(self, request: AccountRequest) -> None:
        """Open an account, or add to it, and learn its key. Raises ValueError for a key that is another's."""
        if request.api_key or request.api_secret:
            self.venue.keys.add(request.api_key, request.api_secret, request.address)
        self.venue.deposit(request.address, request.deposit)
        if request.deposit:
            self.private.deposited(request.address, request.deposit)

    def counts(self) -> Json:
        """Return connections, orders, fills, and requests by account and kind."""
        futures = len(self.streams.host.lines) + len(self.socket_api.host.lines)
        return self.venue.counts.listing(futures + self.spot.connections)

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
