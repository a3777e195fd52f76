"""What is promised of the platform, and how each minute kept it."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q


class Indicator(models.TextChoices):
    """What is counted. The module of each is in apps/monitor/health/slos/indicators/."""

    ORDER_PATH = "order_path", "minutes in which every part of the order path worked"
    ANSWERED = "answered", "orders that their venue answered within eight seconds"
    FRESH_DATA = "fresh_data", "looks at a venue's newest datum that was younger than a second"
    TICK_TO_SUBMIT = "tick_to_submit", "orders sent within the threshold of what made their strategy due"
    SUBMIT_TO_ACKNOWLEDGE = "submit_to_acknowledge", "orders answered within the threshold of being sent"
    API = "api", "requests to the API that were answered within the threshold, and not with a failure of ours"


TIMED = (Indicator.TICK_TO_SUBMIT, Indicator.SUBMIT_TO_ACKNOWLEDGE, Indicator.API)


class Slo(models.Model):
    """One objective: the share of good events among all of them, over the last `window_days`.

    `scope` is the venue for what is counted by venue. What an objective allows to be bad is its error budget.
    """

    slug = models.SlugField(max_length=60, primary_key=True)
    title = models.CharField(max_length=120)
    indicator = models.CharField(max_length=24, choices=Indicator)
    scope = models.CharField(max_length=32, blank=True, help_text="A venue's code; empty is everything.")
    objective = models.DecimalField(
        max_digits=6, decimal_places=5,
        validators=[MinValueValidator(Decimal("0.5")), MaxValueValidator(Decimal("0.99999"))],
        help_text="Share of good events: 0.995 is 99.5 %.",
    )  # fmt: skip
    window_days = models.PositiveSmallIntegerField(
        default=28, validators=[MinValueValidator(1), MaxValueValidator(90)], help_text="Days, 1 to 90."
    )
    threshold_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="For what is timed: the longest that is good. The API knows 5, 10, 25, ... ms."
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        """An objective leaves something to be bad, or its budget would be nothing."""

        ordering = ["indicator", "slug"]
        verbose_name = "service level objective"
        constraints = [
            models.CheckConstraint(condition=Q(objective__gt=0, objective__lt=1), name="slo_objective_share"),
            models.CheckConstraint(condition=Q(window_days__gte=1, window_days__lte=90), name="slo_window_days"),
            models.CheckConstraint(
                condition=~Q(indicator__in=[str(name) for name in TIMED]) | Q(threshold_ms__gt=0),
                name="slo_timed_has_threshold",
            ),
        ]

    def __str__(self) -> str:
        """Return the title."""
        return self.title


class SloSample(models.Model):
    """One minute of one objective. A minute in which nothing happened is 0 of 0; one nobody measured has no row."""

    slo = models.ForeignKey(Slo, on_delete=models.CASCADE, related_name="samples", db_index=False)
    minute = models.DateTimeField()
    good = models.PositiveIntegerField()
    total = models.PositiveIntegerField()

    class Meta:
        """A minute is measured once; sums over a window are read from the index alone."""

        constraints = [
            models.UniqueConstraint(fields=["slo", "minute"], include=["good", "total"], name="slo_minute_once"),
            models.CheckConstraint(condition=Q(good__lte=F("total")), name="slo_good_of_total"),
        ]

    def __str__(self) -> str:
        """Return which minute, and how it was."""
        return f"{self.slo_id} {self.minute:%Y-%m-%d %H:%M}: {self.good} of {self.total}"
