from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.grid import Grid, divided, money_units
from moondev.domain.errors import InvalidValue

BTC = Grid.of(InstrumentSpec("BTC", 0, 5, 50))
DOGE = Grid.of(InstrumentSpec("DOGE", 1, 0, 10))


@pytest.mark.parametrize("price", ["123456", "1234.5", "0.1", "99999", "100000", "12345"])
def test_accepts_prices_the_venue_documents_as_valid(price: str) -> None:
    assert BTC.price_units(Decimal(price)) is not None


@pytest.mark.parametrize("price", ["12345.6", "1234.56", "0.01", "0", "-5", "NaN", "Infinity"])
def test_refuses_prices_beyond_figures_or_decimals(price: str) -> None:
    assert BTC.price_units(Decimal(price)) is None


def test_counts_figures_from_the_first_digit_that_is_not_zero() -> None:
    assert DOGE.price_units(Decimal("0.12345")) == 123450
    assert DOGE.price_units(Decimal("0.123456")) is None
    assert DOGE.price_units(Decimal("0.012345")) == 12345


@pytest.mark.parametrize("size", ["0.000001", "NaN", "Infinity"])
def test_refuses_sizes_finer_than_a_lot(size: str) -> None:
    assert BTC.size_units(Decimal(size)) is None


@given(st.integers(min_value=1, max_value=10**9))
def test_rounding_reaches_the_next_valid_price_in_both_directions(units: int) -> None:
    low, high = BTC.floor(units), BTC.ceil(units)
    assert low <= units <= high
    assert BTC.holds(high)
    assert low == 0 or BTC.holds(low)
    assert high - low in (0, BTC.step_at(units))


@given(st.integers(min_value=-(10**12), max_value=10**12), st.integers(min_value=1, max_value=10**6))
def test_division_is_never_off_by_more_than_half(numerator: int, denominator: int) -> None:
    assert abs(divided(numerator, denominator) * denominator - numerator) * 2 <= denominator


def test_refuses_money_finer_than_a_millionth() -> None:
    with pytest.raises(InvalidValue, match="deposit"):
        money_units("deposit", Decimal("0.0000001"))


@pytest.mark.parametrize("fields", [{"sz_decimals": 7}, {"max_leverage": 0}, {"sig_figs": 0}])
def test_refuses_an_instrument_the_units_cannot_hold(fields: dict[str, int]) -> None:
    values = {"sz_decimals": 5, "max_leverage": 50, "sig_figs": 5} | fields
    with pytest.raises(InvalidValue, match=next(iter(fields))):
        InstrumentSpec("BTC", 0, **values)
