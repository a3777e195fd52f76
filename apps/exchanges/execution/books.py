"""Order books, asked for from the venues themselves."""

from __future__ import annotations

from typing import Protocol

from apps.exchanges.models import Venue
from apps.exchanges.ports import MarketDataClient
from apps.exchanges.registry import market_data_for
from moondev.domain.market_data import Book


class Books(Protocol):
    """Where the touch is read."""

    def book(self, venue: str, symbol: str) -> Book:
        """Return the order book now. Raises TradingError when it cannot be had."""
        ...

    def close(self) -> None:
        """Give back the connections."""
        ...


class VenueBooks:
    """Asks the venues themselves: a halt must not depend on our streams, nor on Redis."""

    def __init__(self) -> None:
        """Ask nobody yet."""
        self._clients: dict[str, MarketDataClient] = {}

    def book(self, venue: str, symbol: str) -> Book:
        """Return the order book now."""
        client = self._clients.get(venue)
        if client is None:
            client = self._clients[venue] = market_data_for(Venue.objects.get(code=venue).to_config())
        return client.book(symbol)

    def close(self) -> None:
        """Give back the connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
