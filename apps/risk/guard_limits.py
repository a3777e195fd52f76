"""Which drawdown limit binds a scope, and whether its mark has reached it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.models import Portfolio, ScopeKind
from apps.risk.limits import LimitBook, read_limits
from apps.risk.models import LimitKind
from apps.risk.portfolio.drawdown import Mark, peak_restart, read_marks
from apps.risk.portfolio.strategy_equity import read_watched
from apps.risk.scope import ScopeId


@dataclass(frozen=True, slots=True)
class Rule:
    """The drawdown rule of one scope, and the scopes whose limits bind it."""

    scope: ScopeId
    kind: LimitKind
    around: tuple[ScopeId, ...]


@dataclass(frozen=True, slots=True)
class DrawdownBreach:
    """A scope that has fallen as far as it may, as shares of its peak."""

    scope: ScopeId
    drawdown: Decimal
    limit: Decimal

    def __str__(self) -> str:
        """Return the reason that goes with the veto."""
        return f"{self.scope[0]} drawdown {self.drawdown:.4f} has reached its limit {self.limit.normalize():f}"


def read_rules() -> list[Rule]:
    """Return the rules of every strategy that ever ticked and of every portfolio; two queries."""
    strategies = [Rule(item.scope, LimitKind.STRATEGY_DRAWDOWN, item.enclosing) for item in read_watched()]
    codes = Portfolio.objects.order_by("code").values_list("code", flat=True)
    portfolios = [(ScopeKind.PORTFOLIO.value, code) for code in codes]
    return strategies + [Rule(scope, LimitKind.PORTFOLIO_DRAWDOWN, (EVERYTHING, scope)) for scope in portfolios]


def find_breaches(rules: Iterable[Rule], marks: Mapping[ScopeId, Mark], limits: LimitBook) -> list[DrawdownBreach]:
    """Return the scopes whose recent mark has reached their limit. No mark or no limit: no breach."""
    breaches = []
    for rule in rules:
        mark = marks.get(rule.scope)
        drawdown = mark.fresh_drawdown if mark else None
        limit = limits.tightest(rule.kind, rule.around)
        if drawdown is not None and limit is not None and drawdown >= limit:
            breaches.append(DrawdownBreach(rule.scope, drawdown, limit))
    return breaches


def restart_breached_peak(scope: ScopeId, now: datetime) -> bool:
    """Measure drawdown anew if the scope is at its limit; return whether it was."""
    rules = [rule for rule in read_rules() if rule.scope == scope]
    breaches = find_breaches(rules, read_marks([scope], now), read_limits())
    return bool(breaches) and peak_restart(scope, now)
