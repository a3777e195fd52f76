"""USDT, USDC and USD are three currencies: nothing is taken for another by silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.models import InstrumentRow, Venue
from apps.risk.models import ConversionRate
from apps.risk.portfolio.conversion import Conversion, Rate, read_conversion
from moondev.domain.values import Money

D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)


def rate(base: str, quote: str, amount: str, *, fresh: bool = True) -> Rate:
    return Rate(base, quote, D(amount), NOW, fresh)


def test_without_a_rate_only_the_same_currency_is_known() -> None:
    nothing = Conversion.of([])
    assert nothing.convert(D(5), "USDT", "USDT") == 5
    assert nothing.convert(D(5), "USDT", "USDC") is None
    assert nothing.money(Money(D(5), "USDT"), "USD") is None
    assert nothing.why_not("USDT", "USD") == "no rate of USDT in USD"
    assert nothing.why_not("USD", "USD") == ""


def test_nothing_is_worth_nothing_in_any_currency_and_the_unknown_stays_unknown() -> None:
    assert Conversion.of([]).convert(D(0), "USDT", "USD") == 0
    assert Conversion.of([rate("USDT", "USD", "1")]).convert(None, "USDT", "USD") is None


def test_a_rate_holds_both_ways_and_leads_over_one_currency_between() -> None:
    rates = Conversion.of([rate("USDC", "USDT", "0.8"), rate("USDC", "USD", "1.25")])
    assert rates.convert(D(10), "USDC", "USDT") == 8
    assert rates.convert(D(8), "USDT", "USDC") == 10
    assert rates.money(Money(D(8), "USDT"), "USD") == Money(D("12.5"), "USD")
    assert rates.why_not("USDT", "USD") == ""


def test_a_pair_of_its_own_goes_before_the_way_round() -> None:
    rates = Conversion.of([rate("USDC", "USDT", "1"), rate("USDC", "USD", "1"), rate("USDT", "USD", "0.9")])
    assert rates.rate("USDT", "USD") == D("0.9")


def test_a_stale_rate_is_none_and_is_named() -> None:
    rates = Conversion.of([rate("USDC", "USDT", "1", fresh=False), rate("USDC", "USD", "1")])
    assert rates.rate("USDC", "USDT") is None
    assert rates.rate("USDT", "USD") is None
    assert rates.why_not("USDT", "USDC") == "the rate of USDT in USDC is stale, seen 2025-07-01 12:00:00"


@given(amount=st.decimals(-(10**9), 10**9, places=12), of=st.decimals("0.01", 100, places=6))
def test_there_and_back_loses_no_more_than_rounding(amount, of) -> None:
    rates = Conversion.of([Rate("A1", "B1", of, NOW, True)])
    back = rates.convert(rates.convert(amount, "A1", "B1"), "B1", "A1")
    assert back is not None
    assert abs(back - amount) <= max(D("1e-12"), D("1e-12") / of) * 2 + abs(amount) * D("1e-26")


@pytest.mark.django_db
def test_a_row_is_as_good_as_its_age() -> None:
    ConversionRate.objects.create(base="USDC", quote="USDT", rate=D("0.9996"), at=NOW, max_age_seconds=60, reason="x")
    assert read_conversion(NOW).rate("USDC", "USDT") == D("0.9996")
    assert read_conversion(NOW + timedelta(seconds=60)).rate("USDC", "USDT") == D("0.9996")
    assert read_conversion(NOW + timedelta(seconds=61)).rate("USDC", "USDT") is None
    # A rate of a time to come tells of a clock that jumped, not of now.
    assert read_conversion(NOW - timedelta(seconds=61)).rate("USDC", "USDT") is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"quote": "USDC"}, "quote", "another currency"),
        ({"base": "usdc"}, "base", "capital letters"),
        ({"rate": D(0)}, "rate", "greater than or equal"),
        ({"rate": D(-1)}, "rate", "greater than or equal"),
        ({"rate": D("NaN")}, "rate", "decimal"),
        ({"max_age_seconds": 0}, "max_age_seconds", "greater than or equal"),
        ({"max_age_seconds": 10**9}, "max_age_seconds", "less than or equal"),
        ({"reason": " "}, "reason", "why this rate is right"),
        ({"base": "USDT", "quote": "USD"}, "base", "holds both ways"),
        ({"other": "instrument"}, "instrument", "an instrument of this pair"),
    ],
)
def test_a_rate_that_cannot_be_right_is_refused_with_the_field_named(changes, field, says) -> None:
    ConversionRate.objects.create(base="USD", quote="USDT", rate=1, at=NOW, reason="x")
    values = {"base": "USDC", "quote": "USDT", "rate": D(1), "at": NOW, "max_age_seconds": 60, "reason": "ask"}
    if changes.pop("other", None):
        venue = Venue.objects.create(
            code="v", protocol="binance", environment="paper", rest_url="http://x", websocket_url="ws://x"
        )
        row = InstrumentRow.objects.create(venue=venue, symbol="BTCUSDT", asset="BTC", quote="USDT", tick=1, lot=1)
        changes = {"instrument": row}
    with pytest.raises(ValidationError) as refused:
        ConversionRate(**{**values, **changes}).full_clean()
    assert says in str(refused.value.message_dict[field])
