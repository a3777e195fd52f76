"""What portfolios are worth, as the guard observes it: venue equity, and the money that was moved."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from apps.exchanges.models import ScopeKind, Transfer
from apps.risk.portfolio.drawdown import Observation
from apps.risk.portfolio.equity import read_equities
from moondev.domain.values import ZERO

# How much of what the ledger says the venue may say more and still be believed as a new peak: fills that
# are on their way to us. Anything above is money that came in and is not booked yet.
UNBOOKED_SHARE = Decimal("0.005")


def observe_portfolios(portfolios: Collection[str], now: datetime) -> list[Observation]:
    """Return every portfolio whose equity is known now; two queries."""
    equities = read_equities(portfolios, now)
    moved = dict(
        Transfer.objects.filter(account__portfolio__in=portfolios, account__enabled=True)
        .values_list("account__portfolio")
        .annotate(total=Sum("amount"))
    )
    return [
        Observation(
            (ScopeKind.PORTFOLIO.value, code),
            equity,
            moved.get(code, ZERO),
            _explained(equities.ledgers.get(code)),
            equities.ledgers.get(code),
        )
        for code, equity in equities.portfolios.items()
        if equity is not None
    ]


def _explained(ledger: Decimal | None) -> Decimal | None:
    return None if ledger is None else ledger * (1 + UNBOOKED_SHARE)
