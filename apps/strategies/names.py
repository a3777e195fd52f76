"""The names of strategies, for floors below that must not import this one: the settings say where to find them."""

from __future__ import annotations

from collections.abc import Iterable

from apps.strategies.by_hand.desks import PREFIX
from apps.strategies.models import Desk, StrategyRow


def strategy_names() -> Iterable[str]:
    """Return the slug of every strategy there is, whether it has traded or not, and the owners of orders by hand."""
    desks = Desk.objects.values_list("account__code", flat=True)
    return [*StrategyRow.objects.values_list("slug", flat=True), *(f"{PREFIX}{code}" for code in desks)]
