"""Honesty checks that were run, and what is required of them before a strategy goes further."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from apps.exchanges.models.orders import choices
from apps.strategies.backtest.honesty.check import CheckCode, Limit
from moondev.domain.errors import InvalidValue


class HonestyCheck(models.Model):
    """One answer to one question about one strategy's code, parameters and data. Append only.

    `passed` None: it could not be judged, and `words` say why. `terms` hold the money, rules and costs it ran under;
    `figures` are what a gate judges again by the limits of its day.
    """

    kind = models.CharField(max_length=64, help_text="Name in the strategy library.")
    code_hash = models.CharField(max_length=64)
    parameters = models.JSONField()
    parameters_hash = models.CharField(max_length=64)
    data = models.TextField()
    data_hash = models.CharField(max_length=64)
    terms = models.JSONField()
    check_code = models.CharField("check", max_length=32, choices=choices(CheckCode))
    passed = models.BooleanField(null=True)
    figures = models.JSONField()
    words = models.TextField()
    findings = models.JSONField(default=list, blank=True)
    backtests = models.PositiveIntegerField()
    days = models.FloatField()
    asked_by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        """Newest first; the index is what a gate reads."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["kind", "code_hash", "parameters_hash"], name="honesty_of_version")]

    def __str__(self) -> str:
        """Return the strategy, the question and the answer."""
        return f"{self.kind}: {self.check_code} {self.verdict}"

    @property
    def verdict(self) -> str:
        """Return passed, failed or not judged."""
        return {True: "passed", False: "failed", None: "not judged"}[self.passed]


class HonestyRequirement(models.Model):
    """Whether a check is required, and on how much past. A check without a row is required as it is by default."""

    check_code = models.CharField("check", max_length=32, choices=choices(CheckCode), unique=True)
    required = models.BooleanField(default=True)
    days_at_least = models.FloatField(
        default=30.0, validators=[MinValueValidator(0.0)], help_text="Days of past that the check must have run on."
    )

    class Meta:
        """In the order they are asked."""

        ordering = ["id"]

    def __str__(self) -> str:
        """Return the check."""
        return self.check_code


class HonestyLimit(models.Model):
    """The range in which a figure of a check passes, its ends included."""

    requirement = models.ForeignKey(HonestyRequirement, on_delete=models.CASCADE, related_name="limits")
    figure = models.CharField(max_length=64)
    at_least = models.FloatField(null=True, blank=True)
    at_most = models.FloatField(null=True, blank=True)

    class Meta:
        """One range for each figure, with an end."""

        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["requirement", "figure"], name="honesty_limit_once"),
            models.CheckConstraint(
                condition=Q(at_least__isnull=False) | Q(at_most__isnull=False), name="honesty_limit_has_an_end"
            ),
        ]

    def __str__(self) -> str:
        """Return the figure."""
        return self.figure

    def clean(self) -> None:
        """Refuse a range that nothing can meet, and one without an end."""
        try:
            self.to_limit()
        except InvalidValue as error:
            raise ValidationError(str(error)) from error

    def to_limit(self) -> Limit:
        """Return the limit that a gate judges by. Raises InvalidValue as Limit does."""
        return Limit(CheckCode(self.requirement.check_code), self.figure, self.at_least, self.at_most)
