"""What amounts of one currency are worth in another: by a rate that somebody saw lately, or not known.

A currency is worth one of itself, and nothing else is ever taken for one: USDT, USDC and USD are three currencies. A
rate holds both ways. Where a pair has none of its own, one currency between the two will do. A stale rate is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from apps.exchanges.execution.timing import lasting
from apps.risk.models import ConversionRate
from moondev.domain.clock import process_clock
from moondev.domain.values import Money

ONE = Decimal(1)
# Amount columns hold twelve places. What is converted is rounded to them once, so that sums of it stay exact.
PLACES = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of `base` was worth `rate` of `quote` at `at`; `fresh` tells whether that is recent enough."""

    base: str
    quote: str
    rate: Decimal
    at: datetime
    fresh: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The rates of one moment. Make one with `read_conversion`, ask it as often as needed."""

    rates: Mapping[tuple[str, str], Rate] = field(default_factory=dict)

    @classmethod
    def of(cls, rates: Iterable[Rate]) -> Conversion:
        """Return the book of these rates."""
        return cls({(rate.base, rate.quote): rate for rate in rates})

    def rate(self, base: str, quote: str) -> Decimal | None:
        """Return what one `base` is worth in `quote`; None when no fresh rate leads there."""
        if base == quote:
            return ONE
        straight = self._step(base, quote)
        if straight is not None:
            return straight
        for between in sorted(self._neighbours(base)):
            first, second = self._step(base, between), self._step(between, quote)
            if first is not None and second is not None:
                return first * second
        return None

    def convert(self, amount: Decimal | None, base: str, quote: str) -> Decimal | None:
        """Return an amount of `base` in `quote`, to twelve places; None when either is not known.

        Nothing is worth nothing in every currency, whatever the rate.
        """
        if amount is None or not amount or base == quote:
            return amount
        rate = self.rate(base, quote)
        return None if rate is None else (amount * rate).quantize(PLACES, ROUND_HALF_EVEN)

    def money(self, money: Money, currency: str) -> Money | None:
        """Return the same worth in another currency; None when no fresh rate leads there."""
        amount = self.convert(money.value, money.currency, currency)
        return None if amount is None else Money(amount, currency)

    def why_not(self, base: str, quote: str) -> str:
        """Return in words what is missing between two currencies; empty when nothing is."""
        if self.rate(base, quote) is not None:
            return ""
        stale = self.rates.get((base, quote)) or self.rates.get((quote, base))
        if stale is not None:
            return f"the rate of {base} in {quote} is stale, seen {stale.at:%Y-%m-%d %H:%M:%S}"
        return f"no rate of {base} in {quote}"

    def _step(self, base: str, quote: str) -> Decimal | None:
        straight = self.rates.get((base, quote))
        if straight is not None and straight.fresh:
            return straight.rate
        back = self.rates.get((quote, base))
        return ONE / back.rate if back is not None and back.fresh else None

    def _neighbours(self, currency: str) -> set[str]:
        return {q for b, q in self.rates if b == currency} | {b for b, q in self.rates if q == currency}


def read_conversion(now: datetime) -> Conversion:
    """Read every rate, in one query. Ages count in real seconds, for processes see to the rates."""
    clock = process_clock()
    rows = ConversionRate.objects.select_related("instrument")
    return Conversion.of(
        Rate(
            row.base, row.quote, row.rate, row.at, is_recent(row.at, lasting(clock, row.max_age_seconds), now),
            row.source,
        )
        for row in rows
    )  # fmt: skip


def conversion_between(pairs: Iterable[tuple[str, str]], now: datetime) -> Conversion:
    """Return the rates when one of these pairs needs them; without asking when each is of one currency."""
    return read_conversion(now) if any(base != quote for base, quote in pairs) else Conversion()


def is_recent(at: datetime, allowed: timedelta, now: datetime) -> bool:
    """Return whether something seen `at` is not older than allowed, and not of a time to come by more than that."""
    return abs(now - at) <= allowed
