"""Limits on what scopes carry: how each figure is taken, and which limit it would exceed.

Asked twice of every opening order: by the review, on what was carried when the tick began, and once more while its part
is reserved, with the portfolio locked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from apps.risk.facts import ONE, RiskFacts
from apps.risk.loads import Load
from apps.risk.models import LimitKind
from apps.risk.scope import ScopeId
from moondev.domain.decisions import RefusalCode
from moondev.domain.values import Side


@dataclass(frozen=True, slots=True)
class Measure:
    """A kind of limit on loads: how its figure is taken, and the code with which it refuses."""

    kind: LimitKind
    code: RefusalCode
    of: Callable[[Load, Side], Decimal]
    money: bool


GROSS = Measure(
    LimitKind.MAX_GROSS_EXPOSURE, RefusalCode.GROSS_EXPOSURE_EXCEEDED, lambda load, _: load.gross, money=True
)
NET = Measure(LimitKind.MAX_NET_EXPOSURE, RefusalCode.NET_EXPOSURE_EXCEEDED, Load.net_towards, money=True)
OPEN_ORDERS = Measure(
    LimitKind.MAX_OPEN_ORDERS, RefusalCode.OPEN_ORDERS_EXCEEDED, lambda load, _: Decimal(load.orders), money=False
)
ORDER_RATE = Measure(
    LimitKind.ORDERS_PER_MINUTE, RefusalCode.ORDER_RATE_EXCEEDED, lambda load, _: Decimal(load.recent), money=False
)
MEASURES = (GROSS, NET, OPEN_ORDERS, ORDER_RATE)


@dataclass(frozen=True, slots=True)
class Overload:
    """A limit that a load would exceed: where it is set, what it allows, and what it would come to."""

    code: RefusalCode
    scope: ScopeId
    limit: Decimal
    value: Decimal | None

    @property
    def allowed(self) -> str:
        """Return the limit with its scope, as refusals name it."""
        return f"{self.limit.normalize():f} for {self.scope[0]}:{self.scope[1]}"

    @property
    def found(self) -> Decimal | str:
        """Return what it would come to; in words when the rate of a currency is not known."""
        return "a currency without a rate" if self.value is None else self.value


def find_overload(
    measure: Measure, facts: RiskFacts, scopes: Iterable[ScopeId], after: Callable[[ScopeId], Load], side: Side
) -> Overload | None:
    """Return the first limit of the measure's kind, widest scope first, that the load `after` would exceed.

    Money of accounts in other currencies than the portfolio's counts with the dearest of them; while that is not known,
    every limit in money is taken to be exceeded.
    """
    bounds = facts.limits.of(measure.kind)
    if not bounds:
        return None
    worth = facts.worth if measure.money else ONE
    for scope in scopes:
        limit = bounds.get(scope)
        if limit is None:
            continue
        if worth is None:
            return Overload(RefusalCode.EQUITY_UNKNOWN, scope, limit, None)
        value = measure.of(after(scope), side) * worth
        if value > limit:
            return Overload(measure.code, scope, limit, value)
    return None
