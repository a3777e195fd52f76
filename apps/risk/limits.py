"""Which limit binds: of all active limits whose scope contains the order, the tightest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.risk.models import Limit, LimitKind
from apps.risk.scope import ScopeId

LimitId = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class LimitBook:
    """Every active limit as of one moment, by (kind, scope kind, scope key).

    Each kind is an upper bound, so the tightest is the smallest.
    """

    values: Mapping[LimitId, Decimal]

    def tightest(self, kind: LimitKind, scopes: Iterable[ScopeId]) -> Decimal | None:
        """Return the binding limit of `kind`; None when no active limit covers any of `scopes`."""
        name = kind.value  # asked once: an enum's value is no plain attribute
        found = (self.values.get((name, *scope)) for scope in scopes)
        return min((value for value in found if value is not None), default=None)


def read_limits() -> LimitBook:
    """Read all active limits in one query, so that an edit binds whoever reads next."""
    rows = Limit.objects.filter(active=True).values_list("kind", "scope_kind", "scope_key", "value")
    return LimitBook({(kind, scope, key): value for kind, scope, key, value in rows})
