from __future__ import annotations

from decimal import Decimal

import pytest

from apps.risk.checks.price_band import find_price_outside_band
from moondev.domain.decisions import RefusalCode
from moondev.domain.orders import Purpose
from moondev.domain.values import Price


@pytest.mark.parametrize("price", ["105000", "95000", "100000"])
def test_passes_prices_up_to_the_edge_of_the_band(candidate, price) -> None:
    assert find_price_outside_band(candidate(price=price)) is None


@pytest.mark.parametrize("price", ["105001", "94999"])
def test_refuses_prices_outside_the_band_on_either_side(candidate, price) -> None:
    breach = find_price_outside_band(candidate(price=price))
    assert breach is not None
    assert (breach.code, breach.limit) == (RefusalCode.PRICE_OUTSIDE_BAND, 500)


def test_exits_have_the_wide_band(candidate) -> None:
    assert find_price_outside_band(candidate(price="120000", purpose=Purpose.REDUCING)) is None
    breach = find_price_outside_band(candidate(price="120001", purpose=Purpose.REDUCING))
    assert breach is not None
    assert (breach.code, breach.limit) == (RefusalCode.PRICE_OUTSIDE_BAND, 2_000)


def test_a_stop_is_measured_from_its_trigger(candidate) -> None:
    far = {"trigger_price": Price(Decimal(60_000)), "purpose": Purpose.PROTECTIVE}
    assert find_price_outside_band(candidate(price="55000", **far)) is None
    assert find_price_outside_band(candidate(price="40000", **far)) is not None


def test_without_a_mid_exits_pass_and_openings_do_not(candidate) -> None:
    assert find_price_outside_band(candidate(mid=None, purpose=Purpose.REDUCING)) is None
    breach = find_price_outside_band(candidate(mid=None))
    assert breach is not None
    assert breach.code is RefusalCode.DATA_MISSING
