"""What a token may be used for. Each scope is a set of Django's permissions, so admin and API can never disagree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from moondev.domain.errors import InvalidValue


class Scope(StrEnum):
    """What a token may be used for; its user must be allowed it too."""

    READ = "read"
    AUDIT = "audit"
    HALT = "halt"
    ORDERS = "orders"
    STRATEGIES = "strategies"
    BACKTESTS = "backtests"
    RISK = "risk"
    ALERTS = "alerts"


# Halting is no part of `risk`: a watchman may hold a token that stops everything and can let nothing go on.
SCOPES: Mapping[Scope, frozenset[str]] = MappingProxyType(
    {
        Scope.AUDIT: frozenset({"monitor.view_auditentry"}),
        Scope.HALT: frozenset({"exchanges.add_veto"}),
        Scope.ORDERS: frozenset({"exchanges.add_order", "exchanges.add_ordercommand", "exchanges.change_position"}),
        Scope.STRATEGIES: frozenset({"strategies.change_strategyrow", "strategies.approve_stage"}),
        Scope.BACKTESTS: frozenset({"strategies.add_backtestrun"}),
        Scope.ALERTS: frozenset({"monitor.change_alert", "monitor.change_alertrule", "monitor.test_channel"}),
        Scope.RISK: frozenset({"risk.change_limit", "risk.change_breakerstate", "exchanges.change_tradingstate"}),
    }
)


def grants(scopes: Iterable[str], permission: str) -> bool:
    """Return whether one of `scopes` covers a permission."""
    for name in scopes:
        scope = Scope(name)
        if permission in SCOPES.get(scope, ()):
            return True
        if scope is Scope.READ and ".view_" in permission and permission not in SCOPES[Scope.AUDIT]:
            return True
    return False


def checked_scopes(names: Iterable[str]) -> list[str]:
    """Return scopes once each, in order. Raises InvalidValue for an unknown one, and for none."""
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in set(Scope):
            raise InvalidValue("scopes", name, ", ".join(Scope))
    if not wanted:
        raise InvalidValue("scopes", "", f"at least one of {', '.join(Scope)}")
    return wanted
