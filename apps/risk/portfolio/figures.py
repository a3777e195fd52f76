"""The figures of the portfolio truth, and how they add up. Pure.

None is unknown, or does not apply: an asset has no equity, a strategy no margin of its own. A sum with one unknown part
is unknown. Every amount is converted once, where it arises, so sums over any cut of the same parts are equal exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from moondev.domain.values import ZERO

Amount = Decimal | None
# In the order of the columns; `Figures` and the rows of SQL have the same names.
AMOUNTS = (
    "equity", "equity_at_least", "gross_exposure", "net_exposure", "margin_used", "margin_free", "realised",
    "unrealised", "fees", "funding", "slippage",
)  # fmt: skip
WHY_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Figures:
    """What one thing is worth, risks and has made, in `currency`. `why` says in words what is not known.

    `equity_at_least` counts an account out of sight with what it had free a moment ago. Exposures are positions at the
    venue's marks. `realised` and `unrealised` are the profit of prices alone; `fees` are positive when paid, `funding`
    when received. `slippage` is what fills cost against the price at which they were planned, positive when dearer: a
    part of the profit of prices, not a deduction from it.
    """

    currency: str
    equity: Amount = None
    equity_at_least: Amount = None
    gross_exposure: Amount = None
    net_exposure: Amount = None
    margin_used: Amount = None
    margin_free: Amount = None
    realised: Amount = None
    unrealised: Amount = None
    fees: Amount = None
    funding: Amount = None
    slippage: Amount = None
    why: str = ""
    taken_at: datetime | None = None

    @property
    def gross_profit(self) -> Amount:
        """Return the profit of prices alone, realised or not."""
        return added(self.realised, self.unrealised)

    @property
    def net_profit(self) -> Amount:
        """Return gross profit - fees + funding."""
        if self.gross_profit is None or self.fees is None or self.funding is None:
            return None
        return self.gross_profit - self.fees + self.funding


class Sum:
    """Figures on their way to be added up. Starts at zero in the amounts that apply, unknown in all others."""

    def __init__(self, applies: Iterable[str]) -> None:
        self._amounts: dict[str, Amount] = dict.fromkeys(applies, ZERO)
        self._why: dict[str, None] = {}

    def add(self, parts: Mapping[str, Amount], why: str = "") -> None:
        """Add amounts by name; those that do not apply here are left out."""
        amounts = self._amounts
        for name, part in parts.items():
            if name in amounts:
                amounts[name] = added(amounts[name], part)
        if why:
            self._why[why] = None

    def figures(self, currency: str, taken_at: datetime) -> Figures:
        """Return what has been added up."""
        why = "; ".join(self._why)[:WHY_CHARACTERS]
        return Figures(currency=currency, why=why, taken_at=taken_at, **self._amounts)


def added(total: Amount, part: Amount) -> Amount:
    """Return the sum; None when one of the two is not known."""
    return None if total is None or part is None else total + part
