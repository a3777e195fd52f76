from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.risk.sizing import size_target
from moondev.domain.desired import Target
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Quantity

D = Decimal


def target(weight: float) -> Target:
    return Target("hyperliquid:BTC", weight, "s1", "test")


def test_weight_of_the_allocation_over_price_in_lots(instrument) -> None:
    assert size_target(target(0.5), 10_000.0, 2.0, 30_000.0, instrument) == Quantity(D("0.333"))


def test_a_short_has_the_same_size_as_a_long(instrument) -> None:
    assert size_target(target(-0.5), 10_000.0, 2.0, 30_000.0, instrument) == Quantity(D("0.333"))


def test_whole_lots_are_not_lost_to_binary_fractions(instrument) -> None:
    assert size_target(target(0.3), 10.0, 1.0, 1_000.0, instrument) == Quantity(D("0.003"))


@pytest.mark.parametrize(("weight", "equity"), [(0.0, 1_000.0), (1.0, 0.0), (1.0, -50.0), (0.0001, 10.0)])
def test_nothing_is_bought_with_nothing(instrument, weight, equity) -> None:
    assert not size_target(target(weight), equity, 1.0, 30_000.0, instrument)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0, -1.0])
def test_refuses_numbers_that_are_no_price_or_leverage(instrument, bad) -> None:
    with pytest.raises(InvalidValue, match="price"):
        size_target(target(1.0), 1_000.0, 1.0, bad, instrument)
    with pytest.raises(InvalidValue, match="leverage"):
        size_target(target(1.0), 1_000.0, bad, 1_000.0, instrument)


def test_refuses_equity_that_is_not_a_number(instrument) -> None:
    with pytest.raises(InvalidValue, match="equity"):
        size_target(target(1.0), float("nan"), 1.0, 1_000.0, instrument)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    weight=st.floats(-1, 1),
    equity=st.floats(0, 1e7),
    leverage=st.floats(0.1, 10),
    price=st.floats(0.01, 1e6),
    cap=st.floats(0, 1e6),
)
def test_never_above_the_asset_cap_nor_the_allocation_and_always_on_the_lot(
    instrument, weight, equity, leverage, price, cap
) -> None:
    size = size_target(target(weight), equity, leverage, price, instrument, asset_cap=cap).value
    assert size % instrument.lot.value == 0
    assert float(size) * price <= cap * (1 + 1e-9) + 1e-6
    assert float(size) * price <= abs(weight) * equity * leverage * (1 + 1e-9) + 1e-6
