"""The strategies of the demo: trend followers on one paper account, market makers on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.models import Account, InstrumentRow
from apps.strategies.models import Trigger

# What is traded of what the mock lists; a replay lists the one instrument of its file.
SYMBOLS = ("BTC", "ETH", "SOL")
_DEADLINE_MS = 5_000


@dataclass(frozen=True, slots=True)
class Plan:
    """One kind of strategy, set up once per instrument."""

    prefix: str
    kind: str
    preset: str
    account: str
    trigger: Trigger
    cadence_seconds: int
    capital: Decimal
    leverage: Decimal


PLANS = (
    Plan("turtle", "turtle_trend", "fast", "paper-trend", Trigger.INTERVAL, 2, Decimal(30_000), Decimal(1)),
    Plan("maker", "market_maker", "canonical", "paper-maker", Trigger.INTERVAL, 1, Decimal(30_000), Decimal(1)),
)


def seed_strategies(
    accounts: Mapping[str, Account], instruments: Sequence[InstrumentRow], *, speed: float
) -> list[str]:
    """Create and enable every plan on every instrument of ``SYMBOLS`` that is listed; return the names."""
    raise NotImplementedError
