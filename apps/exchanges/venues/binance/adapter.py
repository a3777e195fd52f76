"""Binance's USDⓈ-M futures as the registry knows them."""

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
from apps.exchanges.venues.binance.client import BinanceClient
from apps.exchanges.venues.binance.config import BUDGETS, CAPABILITIES, MAX_ACCOUNTS_FOLLOWED
from apps.exchanges.venues.binance.market_data import BinanceMarketData
from apps.exchanges.venues.binance.stream import market_stream
from apps.exchanges.venues.binance.user_stream import user_stream


def _client(venue: VenueConfig, credentials: Credentials, tools: Tools) -> ExecutionClient:
    return BinanceClient(venue, credentials, tools)


def _market_data(venue: VenueConfig, tools: Tools) -> MarketDataClient:
    return BinanceMarketData(venue, tools)


def _market_stream(
    venue: VenueConfig, subscriptions: Sequence[MarketSubscription], handler: MarketHandler, tools: Tools
) -> Stream:
    return market_stream(venue, subscriptions, handler, tools)


def _user_stream(venue: VenueConfig, credentials: Credentials, handler: UserHandler, tools: Tools) -> Stream:
    return user_stream(venue, credentials, handler, tools)


ADAPTER = Adapter(_client, _market_data, _market_stream, _user_stream, MAX_ACCOUNTS_FOLLOWED, CAPABILITIES, BUDGETS)
