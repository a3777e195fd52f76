"""Any exchange that ccxt knows and that has what the platform needs, by the protocol name ``ccxt:<id>``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from apps.exchanges.adapters import Adapter, Tools
from apps.exchanges.ports import (
    Credentials,
    ExecutionClient,
    MarketDataClient,
    MarketHandler,
    MarketSubscription,
    Stream,
    UserHandler,
    VenueConfig,
)
from apps.exchanges.venues.ccxt_generic.client import CcxtClient
from apps.exchanges.venues.ccxt_generic.known import exchange_id, known_exchange
from apps.exchanges.venues.ccxt_generic.market_data import CcxtMarketData
from apps.exchanges.venues.ccxt_generic.market_poll import MarketRound
from apps.exchanges.venues.ccxt_generic.polling import Pace, PollingStream
from apps.exchanges.venues.ccxt_generic.unified import budgets
from apps.exchanges.venues.ccxt_generic.user_poll import UserRound

# Every account is asked about by itself; no exchange counts how many.
ACCOUNTS_FOLLOWED = 20


@lru_cache(maxsize=64)
def ccxt_adapter(protocol: str) -> Adapter | None:
    """Return the adapter of ``ccxt:<id>``; None for any other protocol.

    Raises Configuration, naming everything that is missing, for an exchange that cannot be traded on.
    """
    name = exchange_id(protocol)
    if name is None:
        return None
    known = known_exchange(name)

    def client(venue: VenueConfig, credentials: Credentials, tools: Tools) -> ExecutionClient:
        return CcxtClient(venue, credentials, known, tools.clock, tools.throttle)

    def market_data(venue: VenueConfig, tools: Tools) -> MarketDataClient:
        return CcxtMarketData(venue, known, tools.clock, tools.throttle)

    def market_stream(
        venue: VenueConfig, wanted: Sequence[MarketSubscription], handler: MarketHandler, tools: Tools
    ) -> Stream:
        reads = CcxtMarketData(venue, known, tools.clock, tools.throttle)
        return PollingStream(
            f"{venue.code}: market", MarketRound(reads, wanted, tools.clock), handler, tools.clock, Pace()
        )

    def user_stream(venue: VenueConfig, credentials: Credentials, handler: UserHandler, tools: Tools) -> Stream:
        asks = CcxtClient(venue, credentials, known, tools.clock, tools.throttle)
        what = f"{venue.code}: account {credentials.account_address}"
        return PollingStream(what, UserRound(asks, tools.clock), handler, tools.clock, Pace())

    return Adapter(
        client, market_data, market_stream, user_stream, ACCOUNTS_FOLLOWED, known.capabilities, budgets(known)
    )
