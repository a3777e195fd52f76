"""Amounts as people write them, in lists and in forms."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm

M = TypeVar("M", bound=Model)
DASH = "\N{EN DASH}"


def plain(amount: Decimal | None) -> str:
    """Return an amount without trailing zeros and without an exponent; a dash for none."""
    return DASH if amount is None else f"{amount.normalize():f}"


def amount_column(field: str) -> Any:  # noqa: ANN401  a function, where the stubs of Django want a name
    """Return a column that shows an amount of the row as `plain` does, and sorts by it."""

    @admin.display(description=field.replace("_", " "), ordering=field)
    def column(row: Any) -> str:  # noqa: ANN401  a row of any model with such a field
        return plain(getattr(row, field))

    column.__name__ = f"show_{field}"
    return column


def moment_column(field: str) -> Any:  # noqa: ANN401  a function, as above
    """Return a column that shows a time of the row to the millisecond, and sorts by it."""

    @admin.display(description=field.replace("_", " "), ordering=field)
    def column(row: Any) -> str:  # noqa: ANN401  a row of any model with such a field
        moment: datetime | None = getattr(row, field)
        return DASH if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"

    column.__name__ = f"show_{field}"
    return column


class PlainAmountsForm(ModelForm[M]):
    """A form whose amounts are filled in without trailing zeros."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's
        super().__init__(*args, **kwargs)
        amounts = {name: value for name, value in self.initial.items() if isinstance(value, Decimal)}
        self.initial.update({name: plain(value) for name, value in amounts.items()})
