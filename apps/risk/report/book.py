"""What a portfolio holds and is worth, frozen for a report. Amounts are in the portfolio's currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from apps.risk.loads import Loads
from moondev.domain.values import ZERO


@dataclass(frozen=True, slots=True)
class Stake:
    """What one strategy holds of one instrument on one account; `mark` is its price now, or else what it cost."""

    strategy: str
    venue: str
    account: str
    asset: str
    quantity: Decimal
    mark: Decimal

    @property
    def value(self) -> Decimal:
        """Return its signed worth."""
        return self.quantity * self.mark


@dataclass(frozen=True, slots=True)
class Worth:
    """Equity now and at its peak; None when it is not known now."""

    equity: Decimal | None
    peak: Decimal | None

    @property
    def drawdown(self) -> Decimal | None:
        """Return the fall from the peak as a share; None when either is not known."""
        return self.drawdown_after(ZERO)

    def drawdown_after(self, profit: Decimal) -> Decimal | None:
        """Return the fall from the peak after a profit (a loss is below zero)."""
        if self.equity is None or self.peak is None or self.peak <= 0:
            return None
        return max((self.peak - self.equity - profit) / self.peak, ZERO)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the venue says of one account, in the account's currency; None: not known now."""

    venue: str
    equity: Decimal | None
    margin_used: Decimal | None


@dataclass(frozen=True, slots=True)
class Book:
    """One portfolio: what it and its strategies are worth, and every stake.

    `begun` is what it was worth at 00:00 UTC, moved money taken out. `accounts` are by code, `loads` what each scope of
    the portfolio carries, `ages` for how many seconds each strategy has held its oldest position (None: not known),
    `rate` the most that a unit of any of its accounts is worth in `currency`.
    """

    portfolio: str
    currency: str
    worth: Worth
    begun: Decimal | None
    strategies: Mapping[str, Worth]
    stakes: tuple[Stake, ...]
    accounts: Mapping[str, Standing] = field(default_factory=dict)
    loads: Loads = field(default_factory=dict)
    ages: Mapping[str, Decimal | None] = field(default_factory=dict)
    rate: Decimal | None = Decimal(1)

    @property
    def gross(self) -> Decimal:
        """Return the worth of everything held, whichever way."""
        return sum((abs(stake.value) for stake in self.stakes), ZERO)

    def of_asset(self, asset: str) -> Decimal:
        """Return the gross worth of one asset."""
        return sum((abs(stake.value) for stake in self.stakes if stake.asset == asset), ZERO)

    @property
    def assets(self) -> list[str]:
        """Return the assets held, largest first."""
        return sorted({stake.asset for stake in self.stakes}, key=lambda asset: (-self.of_asset(asset), asset))

    @property
    def venues(self) -> list[str]:
        """Return the venues at which something is held."""
        return sorted({stake.venue for stake in self.stakes})
