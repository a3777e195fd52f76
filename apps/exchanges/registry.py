"""From a venue's protocol name to its adapter. Knows no database rows, only plain values.

A real venue (live or testnet) is refused unless the operator wrote the word into the settings.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from typing import cast

from django.conf import settings

from apps.exchanges.adapters import Adapter, Tools
from apps.exchanges.capabilities import Capabilities
from apps.exchanges.execution.throttle.shared import throttle_for
from apps.exchanges.health.observed import observed
from apps.exchanges.health.requests import request_meter
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
from apps.exchanges.short_ids import NoShortIds, ShortIds
from apps.exchanges.throttling import Foremost, Lane
from moondev.domain.clock import process_clock
from moondev.domain.errors import Configuration

LIVE_TRADING_WORD = "yes-trade-real-money"
# Accounts times signers that one process may serve at once before the oldest session is dropped.
CLIENTS_KEPT = 256
# Who reads what is public.
NOBODY = Credentials("", "")


# Venues with a folder of their own, which is called as its protocol and says for itself what it is (`adapter.py`). It
# is loaded when the protocol is first spoken: a process carries the libraries of its venues, not of all (ccxt alone
# takes 70 MB and a third of a second).
PROTOCOLS = ("hyperliquid", "binance", "bybit", "phemex", "dydx")
_VENUES = "apps.exchanges.venues"


def client_for(
    venue: VenueConfig, credentials: Credentials, short_ids: ShortIds | None = None, lane: Lane = Lane.ORDINARY
) -> ExecutionClient:
    """Return this process's client of an account and signer; the same one every time.

    One that carries halts out takes the foremost `lane`; any other goes by what each request is for.
    Raises Configuration for an unknown protocol, a bad address or key, and a real venue without the
    word in MOONDEV_LIVE_TRADING. Touches no network.
    """
    _adapter(venue)
    # A session must not be shared with the process that forked us: both would read from one socket.
    return _client(os.getpid(), venue, credentials, short_ids, lane)


def market_data_for(venue: VenueConfig) -> MarketDataClient:
    """Return a new client for public reads; close it when done. Raises as `client_for` does."""
    return _adapter(venue).market_data_client(venue, _tools(venue))


def market_stream_for(
    venue: VenueConfig, subscriptions: Sequence[MarketSubscription], handler: MarketHandler
) -> Stream:
    """Return a new public stream, to be run on an event loop. Raises as `client_for` does."""
    return _adapter(venue).market_stream(venue, subscriptions, handler, _tools(venue))


def user_stream_for(
    venue: VenueConfig, credentials: Credentials, handler: UserHandler, short_ids: ShortIds | None = None
) -> Stream:
    """Return a new stream of one account, to be run on an event loop. Raises as `client_for` does.

    The key may be empty where `capabilities(protocol).user_stream_needs_key` is False.
    """
    return _adapter(venue).user_stream(venue, credentials, handler, _tools(venue, credentials, short_ids))


def capabilities(protocol: str) -> Capabilities:
    """Return what the adapter of `protocol` can do. Raises Configuration for a protocol we do not speak."""
    return adapter_of(protocol).capabilities


def accounts_followed(protocol: str) -> int | None:
    """Return of how many accounts a venue of `protocol` tells one machine; None for a protocol we do not speak."""
    try:
        return adapter_of(protocol).accounts_followed
    except Configuration:
        return None


def require_permitted(venue: VenueConfig) -> None:
    """Raise Configuration when `venue` is real and the operator has not said the word."""
    if venue.environment is Environment.PAPER:
        return
    if getattr(settings, "MOONDEV_LIVE_TRADING", "") != LIVE_TRADING_WORD:
        raise Configuration(
            f"venue {venue.code} is {venue.environment}, not paper; "
            f"it is reached only with MOONDEV_LIVE_TRADING={LIVE_TRADING_WORD}"
        )


def adapter_of(protocol: str) -> Adapter:
    """Return the adapter of `protocol`: one of ours, or the one for all of ccxt's exchanges (``ccxt:<id>``).

    Raises Configuration that names the allowed ones, or what an exchange of ccxt's lacks.
    """
    if protocol in PROTOCOLS:
        return cast(Adapter, import_module(f"{_VENUES}.{protocol}.adapter").ADAPTER)
    if protocol.startswith("ccxt:"):
        adapter: Adapter | None = import_module(f"{_VENUES}.ccxt_generic.adapter").ccxt_adapter(protocol)
        if adapter is not None:
            return adapter
    raise Configuration(f"protocol is {protocol!r}; allowed: {', '.join(PROTOCOLS)}, ccxt:<id>")


def _adapter(venue: VenueConfig) -> Adapter:
    require_permitted(venue)
    return adapter_of(venue.protocol)


def _tools(venue: VenueConfig, credentials: Credentials = NOBODY, short_ids: ShortIds | None = None) -> Tools:
    budgets = adapter_of(venue.protocol).budgets
    throttle = throttle_for(venue.code, budgets, credentials.account_address, credentials.signer_key)
    return Tools(process_clock(), throttle, short_ids or NoShortIds())


@lru_cache(maxsize=CLIENTS_KEPT)
def _client(
    _pid: int, venue: VenueConfig, credentials: Credentials, short_ids: ShortIds | None, lane: Lane
) -> ExecutionClient:
    tools = _tools(venue, credentials, short_ids)
    if lane is Lane.FOREMOST:
        tools = replace(tools, throttle=Foremost(tools.throttle))
    client = adapter_of(venue.protocol).execution_client(venue, credentials, tools)
    return observed(client, request_meter(venue.code))
