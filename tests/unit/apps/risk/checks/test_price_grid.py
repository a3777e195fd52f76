from __future__ import annotations

from decimal import Decimal

import pytest

from apps.risk.checks.price_grid import find_price_off_grid
from moondev.domain.decisions import RefusalCode
from moondev.domain.values import Price


@pytest.mark.parametrize("price", ["100001", "9999.9", "100000"])
def test_passes_prices_on_the_grid(candidate, price) -> None:
    assert find_price_off_grid(candidate(price=price)) is None


@pytest.mark.parametrize("price", ["100000.5", "9999.95"])
def test_refuses_prices_between_two_steps(candidate, price) -> None:
    breach = find_price_off_grid(candidate(price=price))
    assert breach is not None
    assert (breach.code, breach.value) == (RefusalCode.PRICE_OFF_GRID, Decimal(price))


def test_refuses_a_trigger_price_between_two_steps(candidate) -> None:
    breach = find_price_off_grid(candidate(trigger_price=Price(Decimal("99999.95"))))
    assert breach is not None
    assert breach.code is RefusalCode.PRICE_OFF_GRID
