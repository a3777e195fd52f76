"""Which strategies and venues there are: what was counted of others is told to nobody any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.exchanges.models import UNASSIGNED, Venue
from apps.monitor.metrics.process_file import Key
from apps.strategies.names import strategy_names
from moondev.counting.measures import Measure


@dataclass(frozen=True, slots=True)
class Known:
    """The values that labels may have. `venues` are those that are switched on, `all_venues` the others too."""

    strategies: frozenset[str]
    venues: tuple[str, ...]
    all_venues: frozenset[str]

    def of(self, measures: Mapping[str, Measure], series: Mapping[Key, list[float]]) -> dict[Key, list[float]]:
        """Return the series whose strategy and venue are still there."""
        where = {name: _places(measure) for name, measure in measures.items()}
        return {key: numbers for key, numbers in series.items() if self._is_there(key[1], *where[key[0]])}

    def _is_there(self, labels: tuple[str, ...], strategy: int | None, venue: int | None) -> bool:
        known = strategy is None or labels[strategy] in self.strategies
        return known and (venue is None or labels[venue] in self.all_venues)


def read_known() -> Known:
    """Return what there is, in three questions. Raises DatabaseError."""
    venues = dict(Venue.objects.order_by("code").values_list("code", "enabled"))
    enabled = tuple(code for code, on in venues.items() if on)
    return Known(frozenset([*strategy_names(), UNASSIGNED]), enabled, frozenset(venues))


def _places(measure: Measure) -> tuple[int | None, int | None]:
    def place(label: str) -> int | None:
        return measure.labels.index(label) if label in measure.labels else None

    return place("strategy"), place("venue")
