"""Amounts as the API takes and tells them: decimal text, exactly as they are, never a float."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer


def plain(amount: Decimal) -> str:
    """Return an amount without an exponent and without zeros that say nothing."""
    return f"{amount.normalize():f}" if amount else "0"


Amount = Annotated[Decimal, PlainSerializer(plain, return_type=str), Field(examples=["1234.5"])]
# What somebody wants: a number that a venue, and our columns, can hold.
Wanted = Annotated[Decimal, Field(gt=0, le=Decimal(10) ** 12, max_digits=24, decimal_places=12, examples=["0.25"])]
