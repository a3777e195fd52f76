"""Phemex as the registry knows it."""

from __future__ import annotations

from apps.exchanges.adapters import Adapter
from apps.exchanges.venues.phemex.client import PhemexClient
from apps.exchanges.venues.phemex.config import BUDGETS, CAPABILITIES, MAX_ACCOUNTS_FOLLOWED
from apps.exchanges.venues.phemex.market_data import PhemexMarketData
from apps.exchanges.venues.phemex.stream_market import market_stream
from apps.exchanges.venues.phemex.stream_user import user_stream

ADAPTER = Adapter(
    PhemexClient, PhemexMarketData, market_stream, user_stream, MAX_ACCOUNTS_FOLLOWED, CAPABILITIES, BUDGETS
)
