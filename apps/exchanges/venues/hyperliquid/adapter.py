"""Hyperliquid as the registry knows it."""

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
from apps.exchanges.venues.hyperliquid.client import HyperliquidClient
from apps.exchanges.venues.hyperliquid.config import CAPABILITIES, MAX_ACCOUNTS_FOLLOWED
from apps.exchanges.venues.hyperliquid.limits import BUDGETS
from apps.exchanges.venues.hyperliquid.market_data import HyperliquidMarketData
from apps.exchanges.venues.hyperliquid.stream import market_stream, user_stream


def _client(venue: VenueConfig, credentials: Credentials, tools: Tools) -> ExecutionClient:
    return HyperliquidClient(venue, credentials, tools.clock, tools.throttle)


def _market_data(venue: VenueConfig, tools: Tools) -> MarketDataClient:
    return HyperliquidMarketData(venue, tools.clock, tools.throttle)


def _market_stream(
    venue: VenueConfig, subscriptions: Sequence[MarketSubscription], handler: MarketHandler, tools: Tools
) -> Stream:
    return market_stream(venue, subscriptions, handler, tools.clock)


def _user_stream(venue: VenueConfig, credentials: Credentials, handler: UserHandler, tools: Tools) -> Stream:
    return user_stream(venue, credentials.account_address, handler, tools.clock)


ADAPTER = Adapter(_client, _market_data, _market_stream, _user_stream, MAX_ACCOUNTS_FOLLOWED, CAPABILITIES, BUDGETS)
