"""Which rules bind an order: those of every scope it lies in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from apps.risk.models import CustomRule
from apps.risk.scope import ScopeId


@dataclass(frozen=True, slots=True)
class Rule:
    """One enabled rule."""

    name: str
    scope: ScopeId
    expression: str


def read_rules() -> tuple[Rule, ...]:
    """Return every enabled rule in the order in which they are asked; one query."""
    rows = CustomRule.objects.filter(enabled=True).values_list("name", "scope_kind", "scope_key", "expression")
    return tuple(Rule(name, (kind, key), expression) for name, kind, key, expression in rows)


def binding(rules: Collection[Rule], scopes: Collection[ScopeId]) -> list[Rule]:
    """Return those rules whose scope is one of `scopes`."""
    return [rule for rule in rules if rule.scope in scopes]
