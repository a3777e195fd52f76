"""Limits are rows: edited in admin, versioned, binding on the next tick of every worker."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from apps.exchanges.models.fields import AmountField
from apps.risk.models.limit_kinds import MEASURED_IN, UNITS, LimitKind, LimitScope, Unit
from moondev.domain.values import BPS_IN_ONE


class Limit(models.Model):
    """One bound on one scope. Of several that apply to an order the tightest wins.

    What adds up (exposure, orders) is added up within each portfolio: a limit on a venue or on everything bounds every
    portfolio by itself.
    """

    kind = models.CharField(max_length=32, choices=LimitKind)
    scope_kind = models.CharField(max_length=12, choices=LimitScope)
    scope_key = models.CharField(
        max_length=80, default="*", help_text="'*' for everything, else a code, slug, asset or instrument key."
    )
    value = AmountField()
    currency = models.CharField(
        max_length=10,
        blank=True,
        help_text="Of limits in money; left empty, it becomes that of the portfolios it binds.",
    )
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
        """Refuse what no limit of its kind can be, with the reason; what concerns other rows is `require_limit`'s."""
        if self.value is not None and self.kind in LimitKind.values:
            self._require_value(LimitKind(self.kind), self.value)
        if (self.scope_kind == LimitScope.EVERYTHING) != (self.scope_key == "*"):
            raise ValidationError({"scope_key": f"scope_key is {self.scope_key!r}; allowed: '*' for everything only"})
        measured = MEASURED_IN.get(LimitKind(self.kind)) if self.kind in LimitKind.values else None
        if measured is not None and self.scope_kind in LimitScope.values and self.scope_kind not in measured:
            allowed = ", ".join(scope.value for scope in LimitScope if scope in measured)
            message = f"scope_kind is {self.scope_kind}; allowed: {allowed}, for {self.kind} is measured there only"
            raise ValidationError({"scope_kind": message})

    @staticmethod
    def _require_value(kind: LimitKind, value: Decimal) -> None:
        unit = UNITS[kind]
        if value <= 0:
            raise ValidationError({"value": f"value is {value}; allowed: a number above 0"})
        if unit is Unit.SHARE and value > 1:
            raise ValidationError({"value": f"value is {value}; allowed: a share above 0 and up to 1 (100 %)"})
        if unit is Unit.BPS and value > BPS_IN_ONE:
            raise ValidationError({"value": f"value is {value}; allowed: basis points up to 10000 (100 %)"})
        if unit is Unit.NUMBER and value != int(value):
            raise ValidationError({"value": f"value is {value}; allowed: a whole number"})


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
