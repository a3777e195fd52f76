"""Counters that let no two ticks overrun one limit together.

Invariant, for every row: ``used`` = sum of ``reserved`` over the scope's orders + sum of ``abs(cost)``
over its positions. Review raises, fills move, the end of an order lowers; a job recomputes.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.exchanges.models.fields import AmountField
from apps.exchanges.models.gate import ScopeKind

ALL_ASSETS = "*"


class ExposureCounter(models.Model):
    """Exposure of one scope in one asset (or in all of them), in the portfolio's currency."""

    scope_kind = models.CharField(max_length=12, choices=ScopeKind)
    scope_key = models.CharField(max_length=80)
    asset = models.CharField(max_length=20, default=ALL_ASSETS)
    used = AmountField(default=0)

    class Meta:
        """One row per scope and asset, never below zero."""

        constraints = [
            models.UniqueConstraint(fields=["scope_kind", "scope_key", "asset"], name="exposure_per_scope_and_asset"),
            models.CheckConstraint(condition=Q(used__gte=0), name="exposure_not_negative"),
        ]

    def __str__(self) -> str:
        """Return scope, asset and use."""
        return f"{self.scope_kind}:{self.scope_key}/{self.asset} {self.used:f}"
