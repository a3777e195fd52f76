"""Whose money an order moves: the strategy, its account, the portfolio it counts against."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.execution.nudges import EVERYTHING, Scope
from apps.exchanges.models import ScopeKind
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument
from moondev.domain.values import Bps

ScopeId = Scope
# Asked once: an enum's value is no plain attribute, and these are spelt for every order.
_PORTFOLIO, _VENUE, _ACCOUNT = ScopeKind.PORTFOLIO.value, ScopeKind.VENUE.value, ScopeKind.ACCOUNT.value
_STRATEGY, _INSTRUMENT, _ASSET = ScopeKind.STRATEGY.value, ScopeKind.INSTRUMENT.value, "asset"


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
class Fees:
    """What a venue takes of each trade; a maker's may be below zero."""

    maker: Bps
    taker: Bps


@dataclass(frozen=True, slots=True)
class StrategyScope:
    """One strategy with everything it lies in; it came down as data from the floor above.

    `strategy`, `account`, `portfolio` and `venue` are codes; `capital` is in `currency`, the account's;
    `leverage` is the notional the strategy may hold per unit of its equity. `only_reduces` says why it may not open
    anything; empty when it may. `fees` None: not known.
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
    fees: Fees | None = None

    @property
    def enclosing(self) -> tuple[ScopeId, ...]:
        """Return every scope that contains this strategy, widest first."""
        return (
            EVERYTHING,
            (_PORTFOLIO, self.portfolio),
            (_VENUE, self.venue),
            (_ACCOUNT, self.account),
            (_STRATEGY, self.strategy),
        )

    def containing(self, instrument: str) -> tuple[ScopeId, ...]:
        """Return every scope of the gate that contains an order of this strategy in `instrument` (a key)."""
        return (*self.enclosing, (_INSTRUMENT, instrument))

    def around(self, instrument: Instrument) -> tuple[ScopeId, ...]:
        """Return every scope whose limits and rules bind an order of this strategy in `instrument`."""
        return (*self.enclosing, (_ASSET, instrument.asset), (_INSTRUMENT, instrument.key))
