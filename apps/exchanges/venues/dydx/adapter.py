"""dYdX as the registry knows it."""

from __future__ import annotations

from apps.exchanges.adapters import Adapter, Tools
from apps.exchanges.ports import Credentials, Stream, UserHandler, VenueConfig
from apps.exchanges.venues.dydx.client import DydxClient
from apps.exchanges.venues.dydx.config import BUDGETS, CAPABILITIES, MAX_ACCOUNTS_FOLLOWED
from apps.exchanges.venues.dydx.market_data import DydxMarketData
from apps.exchanges.venues.dydx.stream import market_stream
from apps.exchanges.venues.dydx.user_stream import user_stream


def _user_stream(venue: VenueConfig, credentials: Credentials, handler: UserHandler, tools: Tools) -> Stream:
    return user_stream(venue, credentials.account_address, handler, tools)


ADAPTER = Adapter(DydxClient, DydxMarketData, market_stream, _user_stream, MAX_ACCOUNTS_FOLLOWED, CAPABILITIES, BUDGETS)
