"""ccxt's unified methods over a judged session: amounts stay text, symbols are the venue's own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import ccxt

from apps.exchanges.ports import Listing, VenueConfig
from apps.exchanges.throttling import Budget, Lane, Scope, Throttle
from apps.exchanges.venues.ccxt_generic import parse
from apps.exchanges.venues.ccxt_generic.addresses import addresses
from apps.exchanges.venues.ccxt_generic.credentials import ApiKey
from apps.exchanges.venues.ccxt_generic.errors import judge
from apps.exchanges.venues.ccxt_generic.known import KnownExchange
from apps.exchanges.venues.ccxt_generic.session import CcxtSession
from moondev.domain.clock import Clock
from moondev.domain.errors import Connectivity, InvalidValue, NotSent

REQUESTS = "requests"
_WINDOW_SECONDS = 10.0
# In which an account is counted where an exchange settles in several.
_CURRENCIES = ("USDT", "USDC", "USD")

Market = Mapping[str, Any]


def budgets(known: KnownExchange) -> tuple[Budget, ...]:
    """Return ccxt's own pace of an exchange as one budget: so many calls in ten seconds from one address."""
    calls = max(1, int(_WINDOW_SECONDS * 1000 / known.rate_limit_ms))
    return (Budget(REQUESTS, Scope.ADDRESS, calls, _WINDOW_SECONDS),)


class Unified:
    """One exchange object with its markets. Thread-safe as `CcxtSession` is."""

    def __init__(
        self, venue: VenueConfig, known: KnownExchange, clock: Clock, throttle: Throttle, key: ApiKey | None = None
    ) -> None:
        """Prepare without touching the network. Raises Configuration for addresses that do not fit the environment."""
        plain = getattr(ccxt, known.exchange_id)()
        options = {"defaultType": "swap", "defaultSubType": "linear", **known.quirks.options}
        moved = addresses(venue, plain)
        self.venue_code, self.known = venue.code, known
        self._throttle = throttle
        self._session = CcxtSession(
            known.exchange_id, addresses=moved, judge=judge, clock=clock, key=key, options=options
        )
        self.exchange = self._session.exchange
        if not moved and venue.environment.value == "testnet":
            self.exchange.set_sandbox_mode(True)
        # Amounts are text to the last: a float has lost what the venue wrote.
        self.exchange.number = str
        # A list of coins needs a key at some exchanges and is of no use here.
        self.exchange.has["fetchCurrencies"] = False
        self.currency = ""
        self._by_id: dict[str, Market] = {}

    def call(self, method: str, *arguments: object, lane: Lane = Lane.ORDINARY) -> Any:  # noqa: ANN401 - any answer
        """Return the answer to a unified method. Raises the outcome it means otherwise."""
        self._throttle.spend({REQUESTS: 1}, lane)
        return self._session.call(method, *arguments)

    def markets(self) -> dict[str, Market]:
        """Return the linear perpetuals by the venue's own symbol, freshly read."""
        self.call("load_markets", True, lane=Lane.RESERVED)
        self._by_id = {
            str(market["id"]): market
            for market in self.exchange.markets.values()
            if market.get("swap") and market.get("linear") and market.get("active") is not False
        }
        settled = [str(market["settle"]) for market in self._by_id.values()]
        # An account is counted in one currency: what settles in another is not traded here.
        self.currency = next((wanted for wanted in _CURRENCIES if wanted in settled), settled[0] if settled else "")
        self._by_id = {name: one for name, one in self._by_id.items() if one["settle"] == self.currency}
        return self._by_id

    def listings(self) -> list[Listing]:
        """Return the perpetuals with their rules, freshly read. Raises ParseError."""
        mode = int(self.exchange.precisionMode)
        return [parse.listing(market, self.venue_code, mode) for market in self.markets().values()]

    def require_markets(self) -> None:
        """Read the list of perpetuals unless it is known."""
        if not self._by_id:
            self.markets()

    def market(self, symbol: str) -> Market:
        """Return one perpetual by the venue's symbol, reading the list when it is not known.

        Raises InvalidValue when it is not listed and NotSent when the list cannot be read: it was only a question.
        """
        if symbol not in self._by_id:
            try:
                self.markets()
            except Connectivity as error:
                raise NotSent(f"the venue's list of instruments cannot be read: {error}") from error
        found = self._by_id.get(symbol)
        if found is None:
            raise InvalidValue("instrument", symbol, f"an instrument that {self.venue_code} lists")
        return found

    def market_of(self, instrument: str) -> Market:
        """Return the perpetual of an instrument key. Raises as `market` does."""
        code, colon, symbol = instrument.partition(":")
        if code != self.venue_code or not colon:
            raise InvalidValue("instrument", instrument, f"{self.venue_code}:<symbol>")
        return self.market(symbol)

    def contracts(self, unified: object) -> tuple[str, Decimal]:
        """Return the venue's symbol of ccxt's ("BTC/USDT:USDT") and what a contract is. Raises InvalidValue."""
        market = (self.exchange.markets or {}).get(unified)
        if market is None:
            raise InvalidValue("symbol", unified, "a symbol that the exchange lists")
        return str(market["id"]), parse.contract_size(market)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
