from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from apps.exchanges.admin.amounts import DASH, amount_column, moment_column, plain


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal("107250.000000000000"), "107250"),
        (Decimal("0.250000000000"), "0.25"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.000000000001"), "-0.000000000001"),
        (Decimal(0), "0"),
        (None, DASH),
    ],
)
def test_an_amount_is_written_without_trailing_zeros_or_exponent(amount, text):
    assert plain(amount) == text


def test_an_amount_column_sorts_by_its_field():
    column = amount_column("filled_quantity")
    assert column(SimpleNamespace(filled_quantity=Decimal("1.50"))) == "1.5"
    assert (column.admin_order_field, column.short_description) == ("filled_quantity", "filled quantity")


def test_a_moment_is_written_to_the_millisecond():
    column = moment_column("at")
    assert column(SimpleNamespace(at=datetime(2025, 7, 1, 12, 0, 0, 7_999, UTC))) == "2025-07-01 12:00:00.007"
    assert column(SimpleNamespace(at=None)) == DASH
