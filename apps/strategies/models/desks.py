"""Desks: with what money people may trade by hand."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from apps.exchanges.models import Account
from apps.exchanges.models.fields import AmountField


class Desk(models.Model):
    """What orders by hand on an account may risk. An account without one lets people only reduce what they have taken.

    Every limit of a strategy binds it, under the name that `by_hand.desks.owner_of` gives.
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="desk")
    capital = AmountField(validators=[MinValueValidator(Decimal(0))], help_text="In the account's currency.")
    leverage = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(1))

    class Meta:
        """No negative money."""

        constraints = [models.CheckConstraint(condition=Q(capital__gte=0, leverage__gt=0), name="desk_money_positive")]

    def __str__(self) -> str:
        """Return the account and the capital."""
        return f"desk of {self.account}: {self.capital.normalize():f}"
