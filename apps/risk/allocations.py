"""Remember which strategies trade with what capital, so that the guard can watch them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from apps.exchanges.models import ScopeKind
from apps.risk.models import Allocation, HighWaterMark
from apps.risk.scope import StrategyScope


def allocations_remember(scopes: Sequence[StrategyScope], now: datetime) -> None:
    """Keep the allocation rows in step with `scopes`: one query when nothing changed, as nearly always."""
    names = [scope.strategy for scope in scopes]
    known = {
        strategy: (account_id, capital, leverage)
        for strategy, account_id, capital, leverage in Allocation.objects.filter(strategy__in=names).values_list(
            "strategy", "account_id", "capital", "leverage"
        )
    }
    changed = [s for s in scopes if known.get(s.strategy) != (s.account_id, s.capital, s.leverage)]
    if changed:
        _write(changed, now, set(known))


def _write(scopes: Sequence[StrategyScope], now: datetime, known: set[str]) -> None:
    """Write the changed allocations; a new strategy starts with its capital as its peak."""
    ordered = sorted(scopes, key=lambda scope: scope.strategy)
    with transaction.atomic():
        Allocation.objects.bulk_create(
            [
                Allocation(
                    strategy=s.strategy, account_id=s.account_id, capital=s.capital, leverage=s.leverage, updated_at=now
                )
                for s in ordered
            ],
            update_conflicts=True,
            unique_fields=["strategy"],
            update_fields=["account", "capital", "leverage", "updated_at"],
        )
        HighWaterMark.objects.bulk_create(
            [_first_mark(s.strategy, s.capital, now) for s in ordered if s.strategy not in known],
            ignore_conflicts=True,
        )


def _first_mark(strategy: str, capital: Decimal, now: datetime) -> HighWaterMark:
    return HighWaterMark(
        scope_kind=ScopeKind.STRATEGY,
        scope_key=strategy,
        peak=capital,
        peak_at=now,
        equity=capital,
        funded=capital,
        marked_at=now,
    )
