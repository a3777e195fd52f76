"""Limits are rows: edited in admin, versioned, binding on the next tick of every worker."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from apps.exchanges.models import ScopeKind
from apps.exchanges.models.fields import AmountField


class LimitKind(models.TextChoices):
    """What a limit bounds, with its unit."""

    MAX_DATA_AGE_MS = "max_data_age_ms", "oldest market data to open on (ms)"
    MAX_ORDER_NOTIONAL = "max_order_notional", "largest order (portfolio currency)"
    PRICE_BAND_BPS = "price_band_bps", "farthest price from the mid (bps)"
    REDUCING_PRICE_BAND_BPS = "reducing_price_band_bps", "the same for exits (bps)"
    ASSET_SHARE = "asset_share", "largest exposure per asset (share of portfolio equity)"
    MAX_LEVERAGE = "max_leverage", "largest gross exposure (multiple of equity)"
    STRATEGY_DRAWDOWN = "strategy_drawdown", "drawdown that stops a strategy (share)"
    PORTFOLIO_DRAWDOWN = "portfolio_drawdown", "drawdown that stops the portfolio (share)"
    POSITION_AGE_SECONDS = "position_age_seconds", "longest time a position stays open (s)"


SHARES = frozenset({LimitKind.ASSET_SHARE, LimitKind.STRATEGY_DRAWDOWN, LimitKind.PORTFOLIO_DRAWDOWN})


class Limit(models.Model):
    """One bound on one scope. Of several that apply to an order the tightest wins."""

    kind = models.CharField(max_length=32, choices=LimitKind)
    scope_kind = models.CharField(max_length=12, choices=ScopeKind)
    scope_key = models.CharField(max_length=80, default="*")
    value = AmountField()
    active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """One row per kind and scope; a limit of zero or less is no limit but an accident."""

        constraints = [
            models.UniqueConstraint(fields=["kind", "scope_kind", "scope_key"], name="limit_once"),
            models.CheckConstraint(condition=Q(value__gt=0), name="limit_above_zero"),
        ]

    def __str__(self) -> str:
        """Return kind, scope and value."""
        return f"{self.kind} {self.scope_kind}:{self.scope_key} = {self.value.normalize():f}"

    def clean(self) -> None:
        """Refuse shares above 100 % and a scope key that does not fit its kind."""
        if self.value is not None and self.value <= 0:
            raise ValidationError({"value": f"value is {self.value}; allowed: a number above 0"})
        if self.kind in SHARES and self.value is not None and self.value > Decimal(1):
            raise ValidationError({"value": f"value is {self.value}; allowed: a share above 0 and up to 1 (100 %)"})
        if (self.scope_kind == ScopeKind.EVERYTHING) != (self.scope_key == "*"):
            raise ValidationError({"scope_key": f"scope_key is {self.scope_key!r}; allowed: '*' for everything only"})


class LimitChange(models.Model):
    """History of a limit: who set it to what, and when. Append only."""

    limit = models.ForeignKey(Limit, on_delete=models.PROTECT, related_name="changes")
    version = models.PositiveIntegerField()
    value = AmountField()
    active = models.BooleanField()
    actor = models.CharField(max_length=100)
    at = models.DateTimeField()

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return version and value."""
        return f"v{self.version}: {self.value:f} by {self.actor}"
