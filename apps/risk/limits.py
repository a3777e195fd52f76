"""Which limit binds: of all active limits whose scope contains the order, the tightest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from apps.risk.models import Limit, LimitKind
from apps.risk.scope import ScopeId

LimitId = tuple[str, str, str]
_NONE: Mapping[ScopeId, Decimal] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LimitBook:
    """Every active limit as of one moment, by (kind, scope kind, scope key).

    Each kind is an upper bound, so the tightest is the smallest. `scopes` are those with any limit at all, `currencies`
    those with limits in money and of which.
    """

    values: Mapping[LimitId, Decimal]
    currencies: Mapping[ScopeId, str] = field(default_factory=dict)
    scopes: frozenset[ScopeId] = field(init=False, repr=False, compare=False)
    _by_kind: Mapping[str, Mapping[ScopeId, Decimal]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the limits by kind once: the review asks for each of them many times."""
        by_kind: defaultdict[str, dict[ScopeId, Decimal]] = defaultdict(dict)
        for (kind, scope, key), value in self.values.items():
            by_kind[kind][(scope, key)] = value
        object.__setattr__(self, "_by_kind", dict(by_kind))
        object.__setattr__(self, "scopes", frozenset(scope for scopes in by_kind.values() for scope in scopes))

    def of(self, kind: LimitKind) -> Mapping[ScopeId, Decimal]:
        """Return the limits of one kind by scope."""
        return self._by_kind.get(kind.value, _NONE)  # asked once: an enum's value is no plain attribute

    def tightest(self, kind: LimitKind, scopes: Iterable[ScopeId]) -> Decimal | None:
        """Return the binding limit of `kind`; None when no active limit covers any of `scopes`."""
        bounds = self.of(kind)
        found = (bounds.get(scope) for scope in scopes)
        return min((value for value in found if value is not None), default=None)

    def binding(self, kind: LimitKind, scopes: Iterable[ScopeId]) -> tuple[ScopeId, Decimal] | None:
        """Return the tightest limit of `kind` with the scope it is set for; of equals the first."""
        bounds = self.of(kind)
        found = [(scope, bounds[scope]) for scope in scopes if scope in bounds]
        return min(found, key=lambda one: one[1], default=None)

    def foreign(self, scopes: Iterable[ScopeId], currency: str) -> str | None:
        """Return the currency of a limit in money on one of `scopes` that is not `currency`, if any."""
        if not self.currencies:
            return None
        found = (self.currencies.get(scope, currency) for scope in scopes)
        return next((other for other in found if other != currency), None)


def read_limits() -> LimitBook:
    """Read all active limits in one query, so that an edit binds whoever reads next."""
    rows = list(Limit.objects.filter(active=True).values_list("kind", "scope_kind", "scope_key", "value", "currency"))
    currencies = {(scope, key): currency for _, scope, key, _, currency in rows if currency}
    return LimitBook({(kind, scope, key): value for kind, scope, key, value, _ in rows}, currencies)
