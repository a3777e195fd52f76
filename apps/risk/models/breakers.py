"""Circuit breakers as rows: what trips them, what they do, how they stand, and what they did."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.exchanges.models import ScopeKind, Veto
from apps.exchanges.models.fields import AmountField
from apps.exchanges.models.venues import CODE


class Metric(models.TextChoices):
    """What a breaker watches, with its unit, and in which scopes it is measured."""

    DAY_LOSS = "day_loss", "loss since 00:00 UTC, each portfolio (share of its equity then)"
    STRATEGY_DRAWDOWN = "strategy_drawdown", "fall from the peak, each strategy (share)"
    PORTFOLIO_DRAWDOWN = "portfolio_drawdown", "fall from the peak, each portfolio (share)"
    ORDER_LATENCY = "order_latency", "sent to acknowledged, 95 of 100 orders, each venue (ms)"
    ERROR_RATE = "error_rate", "orders whose fate was not known for a while, each venue (share)"
    VENUES_DOWN = "venues_down", "venues that do not answer the guard (number)"
    POSITION_AGE = "position_age", "age of the oldest position, each strategy with a limit on it (share of that)"
    CPU = "cpu", "processor use of this machine (share)"
    MEMORY = "memory", "memory use of this machine (share)"
    CREDENTIAL_ALARMS = "credential_alarms", "the venue refuses our key, each account (times)"


# Readings that do not fall by waiting.
CUMULATIVE = frozenset({Metric.DAY_LOSS, Metric.STRATEGY_DRAWDOWN, Metric.PORTFOLIO_DRAWDOWN})
# Readings that an open breaker silences itself, because it lets no order out that could be measured.
OF_OWN_ORDERS = frozenset({Metric.ORDER_LATENCY, Metric.ERROR_RATE})
SHARES = frozenset(
    {
        Metric.DAY_LOSS, Metric.STRATEGY_DRAWDOWN, Metric.PORTFOLIO_DRAWDOWN, Metric.ERROR_RATE, Metric.CPU,
        Metric.MEMORY,
    }
)  # fmt: skip


class Recovery(models.TextChoices):
    """How a breaker comes back."""

    AUTOMATIC = "automatic", "by itself, after the cool-down"
    MANUAL = "manual", "when a person resets it"


class Breaker(models.Model):
    """One rule. Its actions are taken in the scope where it trips, or in everything (`everywhere`)."""

    code = models.CharField(max_length=32, unique=True, validators=[CODE])
    metric = models.CharField(max_length=20, choices=Metric)
    threshold = AmountField()
    window_seconds = models.PositiveIntegerField(
        default=300, help_text="For rates and latencies: how far back is looked."
    )
    cool_down_seconds = models.PositiveIntegerField(default=600)
    recovery = models.CharField(max_length=9, choices=Recovery, default=Recovery.AUTOMATIC)
    stops_opening = models.BooleanField(default=True, help_text="Only exits pass while it is open.")
    halts = models.BooleanField(default=False, help_text="Only cancels pass while it is open.")
    close_share = models.DecimalField(
        max_digits=4,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
        help_text="The part of every position that is closed when it trips: 0.5 halves, 1 flattens.",
    )
    urgency = models.CharField(
        max_length=9,
        choices=Veto.Urgency,
        default=Veto.Urgency.IMMEDIATE,
        help_text="How what it closes is closed: what endangers the capital at the market, the rest at better prices.",
    )
    everywhere = models.BooleanField(default=False, help_text="What it does concerns everything, not its scope alone.")
    half_open_share = models.DecimalField(
        max_digits=4,
        decimal_places=2,
        default=Decimal("0.25"),
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal(1))],
        help_text="The part of its size a strategy may hold while it is half open.",
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        """A threshold of zero or less would be open for ever."""

        constraints = [models.CheckConstraint(condition=Q(threshold__gt=0), name="breaker_threshold_positive")]

    def __str__(self) -> str:
        """Return code and threshold."""
        return f"{self.code} at {self.threshold.normalize():f}"

    def clean(self) -> None:
        """Refuse thresholds that can never or always be reached, and breakers that do nothing."""
        if self.threshold is not None and self.threshold <= 0:
            raise ValidationError({"threshold": f"threshold is {self.threshold}; allowed: a number above 0"})
        if self.metric in SHARES and self.threshold is not None and self.threshold > 1:
            message = f"threshold is {self.threshold}; allowed: a share above 0 and up to 1 (100 %)"
            raise ValidationError({"threshold": message})
        if not (self.stops_opening or self.halts):
            # Whatever it closes, the next tick would open again.
            message = "stops_opening is off and halts, too; allowed: one of them on, or nothing would stay closed"
            raise ValidationError({"stops_opening": message})


class BreakerState(models.Model):
    """How a breaker stands in one scope. `epoch` is that of the trading state it set: what it may release again."""

    breaker = models.ForeignKey(Breaker, on_delete=models.PROTECT, related_name="states")
    scope_kind = models.CharField(max_length=12, choices=ScopeKind)
    scope_key = models.CharField(max_length=80)
    mode = models.CharField(max_length=9)
    since = models.DateTimeField()
    seen = models.PositiveSmallIntegerField(default=0)
    reading = AmountField(null=True)
    worst = AmountField(default=0)
    accepted = AmountField(default=0)
    acknowledged = models.BooleanField(default=False)
    epoch = models.BigIntegerField(default=0)
    looked_at = models.DateTimeField()

    class Meta:
        """One row per breaker and scope."""

        constraints = [
            models.UniqueConstraint(fields=["breaker", "scope_kind", "scope_key"], name="breaker_state_once")
        ]

    def __str__(self) -> str:
        """Return breaker, scope and mode."""
        return f"{self.breaker_id} {self.scope_kind}:{self.scope_key} {self.mode}"


class BreakerChange(models.Model):
    """Every time a breaker went from one mode to another, why and by whom. Append only."""

    breaker = models.ForeignKey(Breaker, on_delete=models.PROTECT, related_name="changes")
    scope_kind = models.CharField(max_length=12, choices=ScopeKind)
    scope_key = models.CharField(max_length=80)
    mode_from = models.CharField(max_length=9)
    mode_to = models.CharField(max_length=9)
    reading = AmountField(null=True)
    actor = models.CharField(max_length=100)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(db_index=True)

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return the change."""
        return f"{self.scope_kind}:{self.scope_key} {self.mode_from} -> {self.mode_to}"
