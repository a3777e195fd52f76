"""At which venues a scope has anything to stop."""

from __future__ import annotations

from collections.abc import Iterable

from apps.exchanges.models import Account, InstrumentRow, Order, Portfolio, Position, ScopeKind, Venue
from apps.risk.models import Allocation
from apps.risk.scope import ScopeId
from apps.risk.strategy_names import known_strategies
from moondev.domain.errors import InvalidValue


def venues_of(scope: ScopeId) -> tuple[str, ...]:
    """Return the codes of the venues where the scope may have orders or positions.

    Raises InvalidValue for a scope that does not exist, naming those that do: a misspelt halt must not
    look like one that works.
    """
    kind, key = scope
    match ScopeKind(kind):
        case ScopeKind.EVERYTHING:
            return _sorted(Venue.objects.values_list("code", flat=True))
        case ScopeKind.VENUE:
            _require(scope, Venue.objects.values_list("code", flat=True))
            return (key,)
        case ScopeKind.INSTRUMENT:
            rows = InstrumentRow.objects.filter(venue_id=key.partition(":")[0])
            _require(scope, [f"{venue}:{symbol}" for venue, symbol in rows.values_list("venue_id", "symbol")])
            return (key.partition(":")[0],)
        case ScopeKind.PORTFOLIO:
            _require(scope, Portfolio.objects.values_list("code", flat=True))
            return _sorted(Account.objects.filter(portfolio=key).values_list("venue_id", flat=True))
        case ScopeKind.ACCOUNT:
            _require(scope, Account.objects.values_list("code", flat=True))
            return _sorted(Account.objects.filter(code=key).values_list("venue_id", flat=True))
        case ScopeKind.STRATEGY:
            return _venues_of_strategy(scope)


def _venues_of_strategy(scope: ScopeId) -> tuple[str, ...]:
    """Return where the strategy trades now, and wherever it left orders or positions behind."""
    slug = scope[1]
    sources = (
        Allocation.objects.filter(strategy=slug),
        Position.objects.filter(strategy=slug),
        Order.objects.filter(strategy=slug),
    )
    found = {venue for rows in sources for venue in rows.values_list("account__venue_id", flat=True).distinct()}
    if not found:
        # One that has not traded yet can be stopped before it does.
        _require(scope, known_strategies())
    return _sorted(found)


def _require(scope: ScopeId, known: Iterable[str]) -> None:
    names = _sorted(known)
    if scope[1] not in names:
        raise InvalidValue(scope[0], scope[1], ", ".join(names) or "there is none yet")


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
