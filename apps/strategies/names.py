"""The names of strategies, for floors below that must not import this one: the settings say where to find them."""

from __future__ import annotations

from collections.abc import Iterable

from apps.strategies.models import StrategyRow


def strategy_names() -> Iterable[str]:
    """Return the slug of every strategy there is, whether it has traded or not."""
    return StrategyRow.objects.values_list("slug", flat=True)
