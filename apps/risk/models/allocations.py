"""Which strategies there are and what money they were given: data from the floor above."""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from apps.exchanges.models import Account
from apps.exchanges.models.fields import AmountField


class Allocation(models.Model):
    """The capital and leverage of one strategy on one account, as of its latest tick.

    Kept here so that the guard can watch every strategy's drawdown without asking upstairs.
    """

    strategy = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="allocations")
    capital = AmountField()
    leverage = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(1))
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return strategy and capital."""
        return f"{self.strategy} {self.capital:f}"
