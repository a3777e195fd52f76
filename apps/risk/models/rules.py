"""Rules of one's own, as rows. An edit binds the next tick of every worker."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from apps.exchanges.models.venues import CODE
from apps.risk.models.limit_kinds import LimitScope
from apps.risk.rules.language import require_rule
from moondev.domain.errors import InvalidValue


class CustomRule(models.Model):
    """What must hold for an order in a scope to open. Exits are never asked."""

    name = models.CharField(max_length=40, unique=True, validators=[CODE])
    scope_kind = models.CharField(max_length=12, choices=LimitScope, default=LimitScope.STRATEGY)
    scope_key = models.CharField(
        max_length=80, help_text="'*' for everything, else a code, slug, asset or instrument key."
    )
    expression = models.TextField(help_text="For example: notional < 20000.0 && weekday <= 5")
    enabled = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """Asked in the order of their names."""

        ordering = ["name"]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    def clean(self) -> None:
        """Refuse what is no rule, with the reason, and a scope key that does not fit its kind."""
        try:
            require_rule(self.expression)
        except InvalidValue as error:
            raise ValidationError({"expression": str(error)}) from error
        if (self.scope_kind == LimitScope.EVERYTHING) != (self.scope_key == "*"):
            raise ValidationError({"scope_key": f"scope_key is {self.scope_key!r}; allowed: '*' for everything only"})
