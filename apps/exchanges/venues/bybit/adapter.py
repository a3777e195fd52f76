"""Bybit as the registry knows it."""

from __future__ import annotations

from collections.abc import Sequence

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
from apps.exchanges.venues.bybit.client import BybitClient
from apps.exchanges.venues.bybit.config import BUDGETS, CAPABILITIES, MAX_ACCOUNTS_FOLLOWED, endpoints
from apps.exchanges.venues.bybit.market_data import BybitMarketData
from apps.exchanges.venues.bybit.stream import market_stream, user_stream
from apps.exchanges.venues.ccxt_generic.credentials import read_api_key


def _client(venue: VenueConfig, credentials: Credentials, tools: Tools) -> ExecutionClient:
    return BybitClient(venue, credentials, tools.clock, tools.throttle)


def _market_data(venue: VenueConfig, tools: Tools) -> MarketDataClient:
    return BybitMarketData(venue, tools.clock, tools.throttle)


def _market_stream(
    venue: VenueConfig, subscriptions: Sequence[MarketSubscription], handler: MarketHandler, tools: Tools
) -> Stream:
    return market_stream(endpoints(venue), subscriptions, handler, tools.clock)


def _user_stream(venue: VenueConfig, credentials: Credentials, handler: UserHandler, tools: Tools) -> Stream:
    return user_stream(endpoints(venue), read_api_key(credentials.signer_key), handler, tools.clock)


ADAPTER = Adapter(_client, _market_data, _market_stream, _user_stream, MAX_ACCOUNTS_FOLLOWED, CAPABILITIES, BUDGETS)
