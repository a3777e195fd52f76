"""The three kinds of amount column; one precision each, so sums stay exact."""

from __future__ import annotations

from typing import Any

from django.db import models


class AmountField(models.DecimalField):  # type: ignore[type-arg]
    """A price, quantity or amount of money: 18 digits before the point, 12 behind it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Fix the precision; everything else is an ordinary DecimalField."""
        kwargs.setdefault("max_digits", 30)
        kwargs.setdefault("decimal_places", 12)
        super().__init__(*args, **kwargs)
