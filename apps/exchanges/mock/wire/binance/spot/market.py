"""The spot market as one part of the wire: its routes, and what it does in between."""

from __future__ import annotations

from aiohttp import web

from apps.exchanges.mock.wire.binance.books import Books
from apps.exchanges.mock.wire.binance.requests_in import Requests
from apps.exchanges.mock.wire.binance.spot.endpoints import table
from apps.exchanges.mock.wire.binance.spot.private import SpotPrivate
from apps.exchanges.mock.wire.binance.spot.public import SpotPublic
from apps.exchanges.mock.wire.binance.spot.reads import SpotReads
from apps.exchanges.mock.wire.binance.spot.socket_api import SpotSocketApi
from apps.exchanges.mock.wire.binance.spot.streams import SpotHub
from apps.exchanges.mock.wire.binance.spot.trading import SpotTrading
from apps.exchanges.mock.wire.binance.spot.venue import SpotVenue
from apps.exchanges.mock.wire.binance.streams import Streams
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.binance.words import VENUE
from apps.exchanges.mock.wire.door import Door


class SpotMarket:
    """Binance's spot market over HTTP and websocket, beside `futures`."""

    def __init__(self, futures: Venue, prefix: str) -> None:
        """Answer under `prefix`."""
        self.venue = venue = SpotVenue(futures)
        self._prefix = prefix
        books = Books(venue.exchange, venue.specs, venue.now_ms())
        public = SpotPublic(venue, books)
        self.hub = SpotHub(venue, public, books)
        self.private = SpotPrivate(venue)
        trading = SpotTrading(venue)
        reads = SpotReads(venue, trading, self.private.moved)
        self.streams = Streams(venue, self.hub)
        self.socket_api = SpotSocketApi(venue, trading, reads, self.private)
        self._requests = Requests(venue, Door(VENUE, venue.faults), table(public, reads, trading), prefix)

    @property
    def connections(self) -> int:
        """Return how many websockets there are."""
        return len(self.streams.host.lines) + len(self.socket_api.host.lines)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.route("*", self._prefix + "/api/v3/{tail:.*}", self._requests.serve),
            web.route("*", self._prefix + "/sapi/v1/asset/{tail:.*}", self._requests.serve),
            web.get(self._prefix + "/stream/{tail:.*}", self.streams.serve),
            web.get(self._prefix + "/ws-api/v3", self.socket_api.serve),
        ]

    def push_latest(self, now: float) -> None:
        """Send what changed since the last call; `now` in monotonic seconds."""
        self.hub.push_latest(now)

    def disconnect_all(self) -> int:
        """Cut every websocket; return how many there were."""
        return self.streams.host.disconnect_all() + self.socket_api.host.disconnect_all()
