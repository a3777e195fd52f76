"""Count what the open transaction does once it is committed, and never what was rolled back."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from django.db import transaction

P = ParamSpec("P")


def count_on_commit(count: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call `count` after the commit; at once when no transaction is open. What it raises is logged, and no more."""

    # A function with a name: Django logs that of one that fails, and a partial has none.
    def counting() -> None:
        count(*args, **kwargs)

    transaction.on_commit(counting, robust=True)
