"""Binance's USDⓈ-M futures as the registry knows them."""

from __future__ import annotations

from apps.exchanges.adapters import Adapter
from apps.exchanges.venues.binance.client import BinanceClient
from apps.exchanges.venues.binance.config import BUDGETS, CAPABILITIES, MAX_ACCOUNTS_FOLLOWED
from apps.exchanges.venues.binance.market_data import BinanceMarketData
from apps.exchanges.venues.binance.stream import market_stream
from apps.exchanges.venues.binance.user_stream import user_stream

ADAPTER = Adapter(
    BinanceClient, BinanceMarketData, market_stream, user_stream, MAX_ACCOUNTS_FOLLOWED, CAPABILITIES, BUDGETS
)
