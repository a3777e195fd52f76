"""Texts become values or are refused; nothing is half understood."""

from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.venues.bybit import fields
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Side


@pytest.mark.parametrize("text", ["0", "49990", "0.00012500", "-0.10232512", "5."])
def test_plain_numbers_are_read_exactly(text: str) -> None:
    assert fields.number("x", text) == Decimal(text)


@pytest.mark.parametrize(
    "text", ["", " 1", "1_000", "1e5", "NaN", "Infinity", "0x10", "١٢", "+1", "1,5", ".5", "--1", "9" * 25, "1\n"]
)
def test_what_python_would_take_for_a_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="plain decimal"):
        fields.number("x", text)


@given(st.text(max_size=30))
def test_no_text_is_read_as_another_number_than_it_says(text: str) -> None:
    try:
        number = fields.number("x", text)
    except InvalidValue:
        return
    assert set(text) <= set("-0123456789.")
    assert number == Decimal(text)


def test_empty_and_zero_mean_none() -> None:
    assert fields.optional_number("x", "") is None
    assert fields.optional_number("x", "0.00") is None
    assert fields.optional_number("x", "1.5") == Decimal("1.5")


def test_our_ids_are_found_in_their_name_for_them_and_others_are_not() -> None:
    name = uuid4()
    assert len(str(name)) == 36
    assert fields.client_order_id(str(name)) == name
    for other in ("", "spot-test-postonly", name.hex, str(name).upper(), f"{{{name}}}", "x" * 36):
        assert fields.client_order_id(other) is None


def test_sides_and_currencies() -> None:
    assert fields.side("Buy") is Side.BUY
    assert fields.side_word(Side.SELL) == "Sell"
    for word in ("buy", "", "None"):
        with pytest.raises(InvalidValue, match="side"):
            fields.side(word)
    assert fields.quote_of("BTCUSDT") == "USDT"
    assert fields.quote_of("ETHPERP") == "USDC"
    with pytest.raises(InvalidValue, match="symbol"):
        fields.quote_of("BTCUSD")


def test_hedge_mode_is_refused() -> None:
    fields.require_one_way(0)
    with pytest.raises(InvalidValue, match="one-way"):
        fields.require_one_way(2)
