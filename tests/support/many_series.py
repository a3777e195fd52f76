"""As many series as a large platform has: for measuring a scrape."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from pathlib import Path

from moondev.counting.measures import Histogram
from moondev.counting.store import Store
from moondev.counting.table import FILLS, ORDER_STAGES, ORDERS, TICKS, TRADED, VENUE_CALLS

STAGES = ("decision", "approval", "submit", "acknowledge", "fill")
STATUSES = ("approved", "open", "filled", "cancelled", "rejected")
# Decisions and approvals come from one process, the others from senders and streams.
PROCESSES = 4


def many_series(folder: Path, strategies: Iterable[str], venues: Iterable[str]) -> list[Store]:
    """Leave numbers in `folder` as of a few processes that live, for every strategy at every venue; return the stores.

    They hold the files' locks, so keep them for as long as they are to be counted as living, then `let_go` of each.
    50 strategies at 5 venues are about 20,000 lines.
    """
    stores = [Store(folder) for _ in range(PROCESSES)]
    for number, (strategy, venue) in enumerate(product(strategies, venues)):
        for stage in STAGES:
            _observe(stores[number % PROCESSES], ORDER_STAGES, (stage, strategy, venue), number)
            _observe(stores[(number + 1) % PROCESSES], ORDER_STAGES, (stage, strategy, venue), number)
        for status in STATUSES:
            stores[number % PROCESSES].add((ORDERS.name, (strategy, venue, status)), 1, [(0, float(number))])
        for measure in (FILLS, TRADED):
            stores[number % PROCESSES].add((measure.name, (strategy, venue)), 1, [(0, number + 0.25)])
        for outcome in ("done", "failed", "expired"):
            stores[0].add((TICKS.name, (strategy, outcome)), 1, [(0, 1.0)])
        for call in ("place", "cancel", "fills"):
            stores[1].add((VENUE_CALLS.name, (venue, call, "answered")), 1, [(0, 1.0)])
    return stores


def _observe(store: Store, measure: Histogram, labels: tuple[str, ...], number: int) -> None:
    place = number % (measure.width - 1)
    store.add((measure.name, labels), measure.width, [(0, 0.0125 * number), (1 + place, 3.0)])
