from __future__ import annotations

from decimal import Decimal

import pytest

from apps.risk.checks.order_size import find_wrong_size
from moondev.domain.decisions import RefusalCode
from moondev.domain.orders import Purpose
from moondev.domain.values import Side

EXIT = {"side": Side.SELL, "purpose": Purpose.REDUCING, "price": "1000"}


@pytest.mark.parametrize(
    ("quantity", "price", "code"),
    [
        ("0.0009", "100000", RefusalCode.QUANTITY_BELOW_LOT),
        ("0.0015", "100000", RefusalCode.QUANTITY_OFF_GRID),
        ("0.001", "9999.9", RefusalCode.NOTIONAL_BELOW_MINIMUM),
    ],
)
def test_refuses_sizes_the_venue_would_refuse(candidate, quantity, price, code) -> None:
    breach = find_wrong_size(candidate(quantity=quantity, price=price))
    assert breach is not None
    assert breach.code is code


def test_passes_one_lot_at_the_minimum_notional(candidate) -> None:
    assert find_wrong_size(candidate(quantity="0.001", price="10000")) is None


def test_a_small_exit_passes_when_it_closes_the_whole_position(candidate) -> None:
    assert find_wrong_size(candidate(quantity="0.002", held=Decimal("0.002"), **EXIT)) is None


def test_a_small_exit_of_a_part_is_refused(candidate) -> None:
    breach = find_wrong_size(candidate(quantity="0.002", held=Decimal("0.003"), **EXIT))
    assert breach is not None
    assert breach.code is RefusalCode.NOTIONAL_BELOW_MINIMUM


def test_an_amendment_may_shrink_but_never_grow(candidate, working) -> None:
    resting = working(quantity="0.1")
    assert find_wrong_size(candidate(quantity="0.1", amended=resting)) is None
    breach = find_wrong_size(candidate(quantity="0.101", amended=resting))
    assert breach is not None
    assert breach.code is RefusalCode.QUANTITY_EXCEEDS_MAXIMUM
