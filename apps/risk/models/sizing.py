"""How each strategy is sized, as rows with a history, and the record of its trades that Kelly looks at."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from apps.exchanges.models.orders import choices
from apps.exchanges.models.venues import CODE
from apps.risk.sizing.kelly import TradeRecord
from apps.risk.sizing.rule import SizingMethod, SizingRule
from moondev.domain.errors import InvalidValue


class Sizing(models.Model):
    """The sizing rule of one strategy; a strategy without a row is sized by weight. It binds the next tick."""

    strategy = models.CharField(max_length=64, unique=True, validators=[CODE], help_text="The strategy's slug.")
    method = models.CharField(max_length=16, choices=choices(SizingMethod), default=SizingMethod.WEIGHT)
    target = models.FloatField(
        default=1.0,
        help_text="Fixed fraction: multiple of equity. ATR: share of equity lost per average true range. Realised and"
        " equal risk: volatility of a year (0.2 is 20 %). Kelly: part of the Kelly fraction (0.25 is a quarter).",
    )
    bar_seconds = models.PositiveIntegerField(default=3_600, help_text="Length of the bars volatility is measured on.")
    bars = models.PositiveIntegerField(default=48, help_text="How many of them.")
    ceiling = models.FloatField(default=20.0, help_text="Largest multiple of equity, besides the strategy's leverage.")
    fewest_trades = models.PositiveIntegerField(default=30, help_text="Kelly: closed trades before its figure counts.")
    start = models.FloatField(default=0.1, help_text="Kelly: the multiple of equity until then.")
    stops_at_drawdown = models.FloatField(
        null=True, blank=True, help_text="The size falls to nothing as drawdown reaches this share; empty: it does not."
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        """By strategy."""

        ordering = ["strategy"]
        verbose_name = verbose_name_plural = "sizing"

    def __str__(self) -> str:
        """Return strategy and method."""
        return f"{self.strategy}: {self.method}"

    def clean(self) -> None:
        """Refuse numbers that no rule can mean."""
        try:
            self.to_rule()
        except InvalidValue as error:
            field = error.field if error.field in RULE_FIELDS else "method"
            raise ValidationError({field: str(error)}) from error

    def to_rule(self) -> SizingRule:
        """Return the rule. Raises InvalidValue as the rule does."""
        values = {name: getattr(self, name) for name in RULE_FIELDS if name != "method"}
        if self.method not in SizingMethod.__members__.values():
            raise InvalidValue("method", self.method, ", ".join(SizingMethod))
        return SizingRule(SizingMethod(self.method), **values)


RULE_FIELDS = (
    "method", "target", "bar_seconds", "bars", "ceiling", "fewest_trades", "start", "stops_at_drawdown",
)  # fmt: skip


class SizingChange(models.Model):
    """History of a sizing rule: who set it to what, and when. Append only."""

    sizing = models.ForeignKey(Sizing, on_delete=models.CASCADE, related_name="changes")
    version = models.PositiveIntegerField()
    rule = models.JSONField()
    actor = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return the version and who made it."""
        return f"v{self.version} by {self.actor}"


class StrategyTrades(models.Model):
    """What the closed trades of one strategy returned, added up anew every few minutes from its fills."""

    strategy = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField()
    mean = models.FloatField()
    mean_square = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        """Rows are few."""

        verbose_name_plural = "strategy trades"

    def __str__(self) -> str:
        """Return strategy and count."""
        return f"{self.strategy}: {self.count}"

    def to_record(self) -> TradeRecord:
        """Return the record."""
        return TradeRecord(self.count, self.mean, self.mean_square)
