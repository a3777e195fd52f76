"""The values that cross the border to a venue refuse nonsense at birth."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.exchanges.ports import (
    AccountSnapshot,
    FundingPayment,
    ParseError,
    PositionSnapshot,
    VenueConfig,
)
from moondev.domain.errors import Connectivity, InvalidValue
from moondev.domain.values import Money, Price, SignedQuantity

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def usdc(text: str) -> Money:
    return Money(Decimal(text), "USDC")


def test_an_answer_nobody_understands_is_an_unknown_outcome_with_bounded_evidence() -> None:
    error = ParseError("answer", "no idea", "x" * 10_000)
    assert isinstance(error, Connectivity)
    assert len(error.evidence) == 500
    assert "no idea" in str(error)


def test_the_environment_may_come_as_text_but_must_be_one_of_the_three() -> None:
    venue = VenueConfig("a", "b", "paper", "http://x", "ws://x")  # type: ignore[arg-type]
    assert venue.environment.value == "paper"
    with pytest.raises(InvalidValue, match="paper, testnet, live"):
        VenueConfig("a", "b", "mainnet", "http://x", "ws://x")  # type: ignore[arg-type]


def test_cash_is_equity_less_long_and_plus_short_positions() -> None:
    long, short = (
        PositionSnapshot(
            "BTC",
            SignedQuantity(Decimal(sign)),
            Price(Decimal(90)),
            Price(Decimal(100)),
            usdc(str(100 * sign)),
            usdc("0"),
            1,
        )
        for sign in (1, -1)
    )
    account = AccountSnapshot(usdc("1000"), usdc("0"), usdc("0"), (long, short, short), None, NOW)
    assert account.cash == usdc("1100")


def test_a_funding_payment_is_named_by_symbol_and_moment() -> None:
    payment = FundingPayment("BTC", usdc("1"), Decimal("0.0001"), SignedQuantity(Decimal(1)), NOW, NOW)
    assert payment.payment_id == "BTC:1767225600000"
    with pytest.raises(InvalidValue, match="time_exchange"):
        FundingPayment("BTC", usdc("1"), Decimal(0), SignedQuantity(Decimal(1)), NOW.replace(tzinfo=None), NOW)
