"""Which venues are not well now, as far as routing is concerned."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from apps.exchanges.health.reports import venue_reports
from apps.exchanges.health.states import VenueState
from apps.exchanges.market_data.cache import process_redis


@dataclass(frozen=True, slots=True)
class Troubled:
    """Venues that take no new risk now, and venues that take it only when no healthy one is to be had."""

    down: frozenset[str] = frozenset()
    degraded: frozenset[str] = frozenset()


def venues_troubled(venues: Collection[str]) -> Troubled:
    """Return those of `venues` that are down or degraded; one that nobody reports on is down.

    Raises Connectivity when the cache does not answer.
    """
    states = {name: report.state for name, report in venue_reports(process_redis(), venues).items()}
    return Troubled(_in(VenueState.DOWN, states), _in(VenueState.DEGRADED, states))


def _in(state: VenueState, states: dict[str, VenueState]) -> frozenset[str]:
    return frozenset(name for name, is_in in states.items() if is_in is state)
