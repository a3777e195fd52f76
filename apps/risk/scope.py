"""Whose money an order moves: the strategy, its account, the portfolio it counts against."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.execution.nudges import EVERYTHING, Scope
from apps.exchanges.models import ScopeKind
from moondev.domain.errors import InvalidValue

ScopeId = Scope


def parse_scope(text: str) -> ScopeId:
    """Return the scope that `kind:key` names, or everything. Raises InvalidValue for anything else."""
    kind, _, key = text.partition(":")
    if kind == ScopeKind.EVERYTHING and key in {"", "*"}:
        return EVERYTHING
    if kind == ScopeKind.EVERYTHING or kind not in ScopeKind.values or not key:
        kinds = ", ".join(f"{kind}:<key>" for kind in ScopeKind.values if kind != ScopeKind.EVERYTHING)
        raise InvalidValue("scope", text, f"everything, {kinds}")
    return (kind, key)


@dataclass(frozen=True, slots=True)
class StrategyScope:
    """One strategy with everything it lies in; it came down as data from the floor above.

    `strategy`, `account`, `portfolio` and `venue` are codes; `capital` is in `currency`, the account's;
    `leverage` is the notional the strategy may hold per unit of its equity. `only_reduces` says why it may not open
    anything; empty when it may.
    """

    strategy: str
    account_id: int
    account: str
    portfolio: str
    venue: str
    currency: str
    capital: Decimal
    leverage: Decimal
    only_reduces: str = ""

    @property
    def enclosing(self) -> tuple[ScopeId, ...]:
        """Return every scope that contains this strategy, widest first."""
        return (
            EVERYTHING,
            (ScopeKind.PORTFOLIO.value, self.portfolio),
            (ScopeKind.VENUE.value, self.venue),
            (ScopeKind.ACCOUNT.value, self.account),
            (ScopeKind.STRATEGY.value, self.strategy),
        )

    def containing(self, instrument: str) -> tuple[ScopeId, ...]:
        """Return every scope that contains an order of this strategy in `instrument` (a key)."""
        return (*self.enclosing, (ScopeKind.INSTRUMENT.value, instrument))
