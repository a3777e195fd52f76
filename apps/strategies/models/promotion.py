"""How far a strategy has come from an idea to real money, what each step asks, and who let it pass."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.exchanges.models.fields import AmountField
from apps.strategies.models.strategies import Stage, StrategyRow


class Requirement(models.TextChoices):
    """What a gate may ask for. The threshold's unit stands beside each."""

    CHECKS = "checks", "every required honesty check passed (no threshold)"
    DAYS = "days", "days on which it decided in the stage before (at least)"
    TRADES = "trades", "entries that filled in the stage before (at least)"
    TRACKING_ERROR = "tracking_error", "daily returns against the backtest's, standard deviation (at most, 0.01 is 1 %)"
    DRAWDOWN = "drawdown", "fall from its peak now (at most, 0.1 is 10 %)"
    APPROVALS = "approvals", "people other than its authors who approved (at least)"


class Gate(models.Model):
    """One thing that must be so before a strategy enters `stage`; all enabled gates of a stage must pass."""

    stage = models.CharField(max_length=12, choices=Stage)
    requirement = models.CharField(max_length=16, choices=Requirement)
    threshold = models.DecimalField(
        max_digits=10, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        """One row per stage and requirement."""

        constraints = [
            models.UniqueConstraint(fields=["stage", "requirement"], name="gate_once"),
            models.CheckConstraint(
                condition=Q(requirement="checks") | Q(threshold__isnull=False), name="gate_has_threshold"
            ),
        ]

    def __str__(self) -> str:
        """Return stage, requirement and threshold."""
        amount = "" if self.threshold is None else f" {self.threshold.normalize():f}"
        return f"{self.stage}: {self.requirement}{amount}"


class StageTerms(models.Model):
    """What a stage allows, and when a strategy falls out of it.

    `capital_share` is the part of its capital that a strategy may use; `band_deviations` how many standard deviations
    its profit may lag behind what its backtest lets expect before it is demoted (empty: it is not watched).
    """

    stage = models.CharField(max_length=12, choices=Stage, primary_key=True)
    capital_share = models.DecimalField(
        max_digits=5, decimal_places=4, validators=[MinValueValidator(Decimal("0.0001")), MaxValueValidator(Decimal(1))]
    )
    band_deviations = models.DecimalField(
        max_digits=4, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(Decimal("0.5"))]
    )

    class Meta:
        """A share of everything at most, of something at least."""

        verbose_name_plural = "stage terms"
        constraints = [
            models.CheckConstraint(condition=Q(capital_share__gt=0, capital_share__lte=1), name="stage_share_in_range")
        ]

    def __str__(self) -> str:
        """Return stage and share."""
        return f"{self.stage}: {self.capital_share.normalize():f} of the capital"


class StageApproval(models.Model):
    """A person's word that this code with these parameters may enter a stage. It lapses when either changes."""

    strategy = models.ForeignKey(StrategyRow, on_delete=models.CASCADE, related_name="approvals")
    stage = models.CharField(max_length=12, choices=Stage)
    parameters_version = models.PositiveIntegerField()
    code_hash = models.CharField(max_length=64)
    approver = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        """One word per person, stage and version."""

        permissions = [("approve_stage", "May let strategies into the next stage")]
        constraints = [
            models.UniqueConstraint(
                fields=["strategy", "stage", "parameters_version", "code_hash", "approver"], name="approved_once"
            )
        ]

    def __str__(self) -> str:
        """Return who approved what."""
        return f"{self.approver}: {self.strategy_id} to {self.stage}"


class StageChange(models.Model):
    """One step up or down. Append only: the latest names what the strategy's profit is measured against.

    `profit` is what it had made in all when it entered the stage; `expected_mean` and `expected_deviation` are the
    daily returns that its backtest lets expect (shares of its capital; None: no backtest was there to tell).
    """

    strategy = models.ForeignKey(StrategyRow, on_delete=models.CASCADE, related_name="stage_changes")
    before = models.CharField(max_length=12, choices=Stage)
    after = models.CharField(max_length=12, choices=Stage)
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    parameters_version = models.PositiveIntegerField()
    code_hash = models.CharField(max_length=64)
    evidence = models.JSONField(default=dict)
    profit = AmountField(default=0)
    expected_mean = models.FloatField(null=True)
    expected_deviation = models.FloatField(null=True)

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return the step."""
        return f"{self.strategy_id}: {self.before} to {self.after}"


class StrategyDay(models.Model):
    """What a strategy was worth at the end of a UTC day (of today: when last looked at), and what had been paid in."""

    strategy = models.ForeignKey(StrategyRow, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    equity = AmountField()
    funded = AmountField()
    stage = models.CharField(max_length=12, choices=Stage)

    class Meta:
        """One row a day."""

        constraints = [models.UniqueConstraint(fields=["strategy", "day"], name="day_once")]
        ordering = [F("day").asc()]

    def __str__(self) -> str:
        """Return day and worth."""
        return f"{self.strategy_id} {self.day} {self.equity:f}"
