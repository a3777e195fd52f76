"""What one venue's adapter hands to the registry: its four parts, its abilities and its budgets, as data.

Each venue folder has an ``adapter.py`` with one constant ``ADAPTER`` of this shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from apps.exchanges.capabilities import Capabilities
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
from apps.exchanges.short_ids import NoShortIds, ShortIds
from apps.exchanges.throttling import Budget, EarnedBudget, Throttle, Unlimited
from moondev.domain.clock import Clock


@dataclass(frozen=True, slots=True)
class Tools:
    """What an adapter is given besides addresses and keys: the time, the shared budgets, short numbers."""

    clock: Clock
    throttle: Throttle = field(default_factory=Unlimited)
    short_ids: ShortIds = field(default_factory=NoShortIds)


@dataclass(frozen=True, slots=True)
class Adapter:
    """What makes the four parts of one protocol, what it can do, and of how many accounts its venue tells one machine.

    A `user_stream` whose venue needs no key to listen (`Capabilities.user_stream_needs_key`) is given an
    empty one. `budgets` are the allowances whose names the adapter uses when it spends (`throttling.py`).
    """

    execution_client: Callable[[VenueConfig, Credentials, Tools], ExecutionClient]
    market_data_client: Callable[[VenueConfig, Tools], MarketDataClient]
    market_stream: Callable[[VenueConfig, Sequence[MarketSubscription], MarketHandler, Tools], Stream]
    user_stream: Callable[[VenueConfig, Credentials, UserHandler, Tools], Stream]
    accounts_followed: int
    capabilities: Capabilities
    budgets: tuple[Budget | EarnedBudget, ...] = ()
