"""What scopes there are, what lies around each, and in what its portfolios count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.models import Account, InstrumentRow, Portfolio, Venue
from apps.risk.models import Allocation, LimitScope
from apps.risk.scope import ScopeId
from apps.risk.strategy_names import known_strategies
from moondev.domain.errors import InvalidValue

_PORTFOLIO, _VENUE, _ACCOUNT = LimitScope.PORTFOLIO.value, LimitScope.VENUE.value, LimitScope.ACCOUNT.value


def require_scope(kind: str, key: str) -> None:
    """Raise InvalidValue unless the scope exists: a misspelt limit or rule would never bind."""
    if kind == LimitScope.EVERYTHING:
        return
    known = sorted(set(_NAMES[LimitScope(kind)]()))
    if key not in known:
        raise InvalidValue("scope_key", key, f"a {kind} that exists: {_listed(known)}")


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything lies, read once: accounts by code, strategies by slug, instruments by key."""

    currencies: dict[str, str]
    accounts: dict[str, tuple[str, str]]
    strategies: dict[str, str]
    assets: dict[str, str]

    @classmethod
    def read(cls) -> Places:
        """Read portfolios, accounts, strategies and instruments; four queries."""
        instruments = InstrumentRow.objects.values_list("venue_id", "symbol", "asset")
        return cls(
            dict(Portfolio.objects.values_list("code", "currency")),
            {code: (portfolio, venue) for code, portfolio, venue in _account_rows()},
            dict(Allocation.objects.values_list("strategy", "account__code")),
            {f"{venue}:{symbol}": asset for venue, symbol, asset in instruments},
        )

    def around(self, scope: ScopeId) -> frozenset[ScopeId]:
        """Return the scopes whose limits bind all that lies in `scope`, itself among them."""
        kind, key = scope
        found = {EVERYTHING, scope}
        account = key if kind == _ACCOUNT else self.strategies.get(key, "") if kind == LimitScope.STRATEGY else ""
        if account in self.accounts:
            portfolio, venue = self.accounts[account]
            found |= {(_ACCOUNT, account), (_PORTFOLIO, portfolio), (_VENUE, venue)}
        if kind == LimitScope.INSTRUMENT:
            found |= {(_VENUE, key.partition(":")[0]), (LimitScope.ASSET.value, self.assets.get(key, key))}
        return frozenset(found)

    def portfolios(self, scope: ScopeId) -> set[str]:
        """Return the portfolios whose orders a limit on `scope` binds."""
        kind, key = scope
        if kind == LimitScope.VENUE:
            return {portfolio for portfolio, venue in self.accounts.values() if venue == key} or set(self.currencies)
        within = {name for of, name in self.around(scope) if of == _PORTFOLIO}
        return within or set(self.currencies)


def _account_rows() -> Iterable[tuple[str, str, str]]:
    return Account.objects.values_list("code", "portfolio_id", "venue_id")


def _instruments() -> Iterable[str]:
    return [f"{venue}:{symbol}" for venue, symbol in InstrumentRow.objects.values_list("venue_id", "symbol")]


_NAMES: dict[LimitScope, Callable[[], Iterable[str]]] = {
    LimitScope.PORTFOLIO: lambda: Portfolio.objects.values_list("code", flat=True),
    LimitScope.VENUE: lambda: Venue.objects.values_list("code", flat=True),
    LimitScope.ACCOUNT: lambda: Account.objects.values_list("code", flat=True),
    LimitScope.STRATEGY: known_strategies,
    LimitScope.ASSET: lambda: InstrumentRow.objects.values_list("asset", flat=True).distinct(),
    LimitScope.INSTRUMENT: _instruments,
}
_SHOWN = 12


def _listed(known: list[str]) -> str:
    if not known:
        return "there is none yet"
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"{', '.join(known[:_SHOWN])}{more}"
