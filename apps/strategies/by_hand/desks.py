"""Whose orders by hand are, and with what money."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.models import Account
from apps.risk.scope import StrategyScope
from apps.strategies.models import Desk

PREFIX = "hand-"


def owner_of(account: Account) -> str:
    """Return the name under which people trade on an account; scopes, limits and positions know it as a strategy."""
    return f"{PREFIX}{account.code}"


def desk_scope(account: Account) -> StrategyScope:
    """Return whose money an order by hand moves. Without a desk there is none: then it may only reduce."""
    desk = Desk.objects.filter(account=account).first()
    return StrategyScope(
        strategy=owner_of(account),
        account_id=account.pk,
        account=account.code,
        portfolio=account.portfolio_id,
        venue=account.venue_id,
        currency=account.currency,
        capital=Decimal(0) if desk is None else desk.capital,
        leverage=Decimal(1) if desk is None else desk.leverage,
        only_reduces="" if desk is not None else f"account {account.code} has no desk: nobody gave it money",
    )
