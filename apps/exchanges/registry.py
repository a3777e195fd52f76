"""From a venue's protocol name to its adapter. Knows no database rows, only plain values.

A real venue (live or testnet) is refused unless the operator wrote the word into the settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from django.conf import settings

from apps.exchanges.ports import (
    Credentials,
    Environment,
    ExecutionClient,
    MarketDataClient,
    MarketHandler,
    MarketSubscription,
    Stream,
    UserHandler,
    VenueConfig,
)
from apps.exchanges.venues.hyperliquid import config as hyperliquid
from apps.exchanges.venues.hyperliquid.client import HyperliquidClient
from apps.exchanges.venues.hyperliquid.market_data import HyperliquidMarketData
from apps.exchanges.venues.hyperliquid.stream import market_stream as hyperliquid_market_stream
from apps.exchanges.venues.hyperliquid.stream import user_stream as hyperliquid_user_stream
from moondev.domain.clock import Clock, process_clock
from moondev.domain.errors import Configuration

LIVE_TRADING_WORD = "yes-trade-real-money"
# Accounts times signers that one process may serve at once before the oldest session is dropped.
CLIENTS_KEPT = 256


@dataclass(frozen=True, slots=True)
class Adapter:
    """What makes the four parts of one protocol, and of how many accounts its venue tells one machine."""

    execution_client: Callable[[VenueConfig, Credentials, Clock], ExecutionClient]
    market_data_client: Callable[[VenueConfig, Clock], MarketDataClient]
    market_stream: Callable[[VenueConfig, Sequence[MarketSubscription], MarketHandler, Clock], Stream]
    user_stream: Callable[[VenueConfig, str, UserHandler, Clock], Stream]
    accounts_followed: int


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        hyperliquid.PROTOCOL: Adapter(
            HyperliquidClient,
            HyperliquidMarketData,
            hyperliquid_market_stream,
            hyperliquid_user_stream,
            hyperliquid.MAX_ACCOUNTS_FOLLOWED,
        ),
    }
)


def client_for(venue: VenueConfig, credentials: Credentials) -> ExecutionClient:
    """Return this process's client of an account and signer; the same one every time.

    Raises Configuration for an unknown protocol, a bad address or key, and a real venue without the
    word in MOONDEV_LIVE_TRADING. Touches no network.
    """
    _adapter(venue)
    # A session must not be shared with the process that forked us: both would read from one socket.
    return _client(os.getpid(), venue, credentials)


def market_data_for(venue: VenueConfig) -> MarketDataClient:
    """Return a new client for public reads; close it when done. Raises as `client_for` does."""
    return _adapter(venue).market_data_client(venue, process_clock())


def market_stream_for(
    venue: VenueConfig, subscriptions: Sequence[MarketSubscription], handler: MarketHandler
) -> Stream:
    """Return a new public stream, to be run on an event loop. Raises as `client_for` does."""
    return _adapter(venue).market_stream(venue, subscriptions, handler, process_clock())


def user_stream_for(venue: VenueConfig, account_address: str, handler: UserHandler) -> Stream:
    """Return a new stream of one account, to be run on an event loop. Raises as `client_for` does."""
    return _adapter(venue).user_stream(venue, account_address, handler, process_clock())


def accounts_followed(protocol: str) -> int | None:
    """Return of how many accounts a venue of `protocol` tells one machine; None for a protocol we do not speak."""
    adapter = ADAPTERS.get(protocol)
    return None if adapter is None else adapter.accounts_followed


def require_permitted(venue: VenueConfig) -> None:
    """Raise Configuration when `venue` is real and the operator has not said the word."""
    if venue.environment is Environment.PAPER:
        return
    if getattr(settings, "MOONDEV_LIVE_TRADING", "") != LIVE_TRADING_WORD:
        raise Configuration(
            f"venue {venue.code} is {venue.environment}, not paper; "
            f"it is reached only with MOONDEV_LIVE_TRADING={LIVE_TRADING_WORD}"
        )


def _adapter(venue: VenueConfig) -> Adapter:
    require_permitted(venue)
    adapter = ADAPTERS.get(venue.protocol)
    if adapter is None:
        raise Configuration(f"protocol is {venue.protocol!r}; allowed: {', '.join(ADAPTERS)}")
    return adapter


@lru_cache(maxsize=CLIENTS_KEPT)
def _client(_pid: int, venue: VenueConfig, credentials: Credentials) -> ExecutionClient:
    return ADAPTERS[venue.protocol].execution_client(venue, credentials, process_clock())
