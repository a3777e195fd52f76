"""The portfolio truth as the guard last wrote it: one row of figures for each thing that is looked at."""

from __future__ import annotations

from django.db import models

from apps.exchanges.models.fields import AmountField
from apps.exchanges.models.venues import Environment


class Level(models.TextChoices):
    """What a row of figures is about."""

    TOTAL = "total", "everything"
    PORTFOLIO = "portfolio", "portfolio"
    ACCOUNT = "account", "account"
    VENUE = "venue", "venue"
    STRATEGY = "strategy", "strategy"
    ASSET = "asset", "asset"


class TruthRow(models.Model):
    """Figures of one thing in one currency. Empty is unknown or does not apply; `why` says what is not known.

    Paper money and real money are never added up: the same strategy has a row in each environment. The key of a total
    is its environment.
    """

    environment = models.CharField(max_length=8, choices=Environment)
    level = models.CharField(max_length=10, choices=Level)
    key = models.CharField(max_length=80)
    currency = models.CharField(max_length=10)
    equity = AmountField(null=True)
    equity_at_least = AmountField(null=True)
    gross_exposure = AmountField(null=True)
    net_exposure = AmountField(null=True)
    margin_used = AmountField(null=True)
    margin_free = AmountField(null=True)
    realised = AmountField(null=True)
    unrealised = AmountField(null=True)
    fees = AmountField(null=True)
    funding = AmountField(null=True)
    slippage = AmountField(null=True)
    why = models.CharField(max_length=300, blank=True)
    taken_at = models.DateTimeField()

    class Meta:
        """One row per thing and environment."""

        verbose_name = "portfolio truth"
        verbose_name_plural = "portfolio truth"
        constraints = [models.UniqueConstraint(fields=["environment", "level", "key"], name="truth_once")]

    def __str__(self) -> str:
        """Return what it is about."""
        return f"{self.environment} {self.level} {self.key}"
