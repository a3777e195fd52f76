"""Numbers in the venue's spelling."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.mock.wire.hyperliquid.numbers import read_decimal, wire, wire_usd


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0.0"),
        ("-0.00", "0.0"),
        ("64097", "64097.0"),
        ("64097.10", "64097.1"),
        ("0.00033", "0.00033"),
        ("1E+3", "1000.0"),
        ("1E-7", "0.0000001"),
        ("-5.1470", "-5.147"),
    ],
)
def test_spells_amounts_like_the_recordings(value: str, text: str) -> None:
    assert wire(Decimal(value)) == text


def test_dollars_have_six_decimals_at_most() -> None:
    assert wire_usd(Decimal("77.8636449")) == "77.863645"
    assert wire_usd(Decimal(100000)) == "100000.0"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**9), max_value=10**9))
def test_what_is_written_reads_back_exactly(value: Decimal) -> None:
    assert read_decimal("p", wire(value)) == value


@pytest.mark.parametrize("raw", ["", "1e5", "NaN", "inf", "0x1", " 1", "1,5", 1.5, None, True, "1" * 40])
def test_refuses_what_is_not_a_plain_decimal(raw: object) -> None:
    with pytest.raises(ValueError, match="p must be a decimal string"):
        read_decimal("p", raw)
