"""What one currency is worth in another. USDT, USDC and USD are different currencies."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from apps.exchanges.models import InstrumentRow
from apps.exchanges.models.fields import AmountField

CURRENCY = RegexValidator(r"^[A-Z][A-Z0-9]{1,9}$", "2 to 10 capital letters and digits, such as USDC")
# A rate of currencies that nobody has looked at for longer is a guess.
LONGEST_AGE_SECONDS = 7 * 24 * 3600
SMALLEST_RATE, LARGEST_RATE = Decimal("1e-12"), Decimal(10) ** 12


class ConversionRate(models.Model):
    """One unit of `base` is worth `rate` of `quote`; it holds the other way round as well.

    The guard refreshes a row that names an instrument from the mark the venue puts on it; a row without one was set by
    a person, who said why. After `max_age_seconds` it is stale: then nobody knows what one is worth in the other.
    """

    base = models.CharField(max_length=10, validators=[CURRENCY])
    quote = models.CharField(max_length=10, validators=[CURRENCY])
    rate = AmountField(validators=[MinValueValidator(SMALLEST_RATE), MaxValueValidator(LARGEST_RATE)])
    instrument = models.ForeignKey(
        InstrumentRow, on_delete=models.PROTECT, null=True, blank=True, related_name="conversions",
        help_text="Whose mark the rate is refreshed from; empty: set by hand, and the guard leaves it alone.",
    )  # fmt: skip
    at = models.DateTimeField(help_text="When it was seen at the venue, or set.")
    max_age_seconds = models.PositiveIntegerField(
        default=900, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_AGE_SECONDS)]
    )
    actor = models.CharField(max_length=64, editable=False, default="risk_guard")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        """One row per pair; a pair has one direction only, which `clean` sees to."""

        ordering = ["base", "quote"]
        constraints = [
            models.UniqueConstraint(fields=["base", "quote"], name="rate_once_per_pair"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="rate_positive"),
            models.CheckConstraint(condition=~Q(base=F("quote")), name="rate_of_two_currencies"),
        ]

    def __str__(self) -> str:
        """Return the rate as a sentence."""
        return f"1 {self.base} = {self.rate.normalize():f} {self.quote}"

    @property
    def source(self) -> str:
        """Return where the rate comes from."""
        return f"mark of {self.instrument.key}" if self.instrument is not None else f"set by {self.actor}"

    def clean(self) -> None:
        """Refuse a pair of one currency, a pair that is there the other way round, and an instrument of other coins."""
        if self.base == self.quote:
            raise ValidationError({"quote": f"quote is {self.quote}; allowed: another currency than base"})
        if ConversionRate.objects.filter(base=self.quote, quote=self.base).exists():
            raise ValidationError({"base": f"{self.quote}/{self.base} is there already and holds both ways"})
        found = self.instrument
        if found is not None and (found.asset, found.quote) != (self.base, self.quote):
            message = f"{found.key} is {found.asset} in {found.quote}; allowed: an instrument of this pair"
            raise ValidationError({"instrument": message})
        if found is None and not self.reason.strip():
            raise ValidationError({"reason": "reason is empty; allowed: why this rate is right"})
