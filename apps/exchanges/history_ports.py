"""What some venues tell of the past beside candles. An adapter's `MarketDataClient` has these methods or has not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from moondev.domain.market_data import TradeTick


@dataclass(frozen=True, slots=True)
class FundingRate:
    """One rate that was paid: a fraction of the notional, above zero when longs paid shorts."""

    time_exchange: datetime
    rate: float


@runtime_checkable
class FundingHistory(Protocol):
    """A client whose venue tells past funding rates."""

    def funding_history(self, symbol: str, start: datetime, end: datetime) -> Sequence[FundingRate]:
        """Return rates paid in [start, end], oldest first: one page, as many from `start` on as the venue gives."""
        ...


@runtime_checkable
class TradeHistory(Protocol):
    """A client whose venue tells past public trades."""

    def trades(self, symbol: str, start: datetime, end: datetime) -> Sequence[TradeTick]:
        """Return trades made in [start, end], oldest first: one page, as many from `start` on as the venue gives."""
        ...
