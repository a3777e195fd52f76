from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moondev.domain.errors import InvalidValue
from moondev.domain.values import Bps, Money, Price, Quantity, Side, SignedQuantity, finite_decimal

amounts = st.decimals(min_value="0.00000001", max_value="1000000000", places=8)
signed = st.decimals(min_value="-1000000", max_value="1000000", places=8)


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-Infinity", "0", "-1", "abc", ""])
def test_refuses_a_price_that_is_no_price(bad: str) -> None:
    with pytest.raises(InvalidValue, match="price"):
        Price(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [0.1, True, None])
def test_refuses_what_is_not_exact(bad: object) -> None:
    with pytest.raises(InvalidValue):
        Price(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")])
def test_no_amount_holds_a_number_that_is_not_finite(bad: Decimal) -> None:
    for birth in (Price, Quantity, SignedQuantity, Bps, lambda value: Money(value, "USDC")):
        with pytest.raises(InvalidValue):
            birth(bad)


def test_refuses_a_negative_quantity() -> None:
    with pytest.raises(InvalidValue, match="0 or more"):
        Quantity(Decimal(-1))


def test_the_message_names_field_value_and_what_is_allowed() -> None:
    with pytest.raises(InvalidValue, match=r"price is Decimal\('-3'\); allowed: a number above 0"):
        Price(Decimal(-3))


def test_currencies_never_add_up() -> None:
    with pytest.raises(InvalidValue, match="USDC"):
        Money(Decimal(1), "USDC") + Money(Decimal(1), "USDT")


def test_money_without_a_currency_is_refused() -> None:
    with pytest.raises(InvalidValue, match="currency"):
        Money(Decimal(1), "")


def test_flat_has_no_side() -> None:
    with pytest.raises(InvalidValue):
        _ = SignedQuantity(Decimal(0)).side


@given(amounts, amounts)
def test_notional_is_exact(quantity: Decimal, price: Decimal) -> None:
    assert Quantity(quantity).at(Price(price), "USDC") == Money(quantity * price, "USDC")


@given(amounts, st.decimals(min_value="0.0001", max_value="10", places=4))
def test_a_floored_quantity_is_a_multiple_and_never_more(quantity: Decimal, step: Decimal) -> None:
    floored = Quantity(quantity).floored(Quantity(step))
    assert floored.value % step == 0
    assert 0 <= quantity - floored.value < step


@given(signed.filter(lambda value: value != 0))
def test_size_and_side_make_the_signed_quantity_again(value: Decimal) -> None:
    position = SignedQuantity(value)
    assert position.size.signed(position.side) == position
    assert position.side.opposite is (-position).side


@given(amounts, st.decimals(min_value="-9000", max_value="9000", places=2))
def test_distance_undoes_a_move(price: Decimal, bps: Decimal) -> None:
    start = Price(price)
    assert abs(start.moved(Bps(bps)).distance_bps(start).value - abs(bps)) < Decimal("1e-9")


def test_a_side_is_never_mistaken_for_a_number() -> None:
    assert [Side.BUY.value, Side.SELL.value] == ["buy", "sell"]
    assert Side.of(Decimal(-2)) is Side.SELL


@pytest.mark.parametrize("text", ["1_000", "\u0663", "\uff11\uff12"])
def test_digits_no_venue_writes_are_no_numbers(text: str) -> None:
    with pytest.raises(InvalidValue, match="a decimal number"):
        finite_decimal("price", text)
