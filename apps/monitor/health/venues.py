"""How each venue's streams do, as the process that listens to them reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from apps.exchanges.health.freshness import NEVER
from apps.exchanges.health.reports import UNHEARD, VenueReport, venue_reports
from apps.exchanges.health.states import VenueState
from apps.exchanges.market_data.cache import process_redis
from apps.monitor.health.states import Component, Kind, State
from moondev.domain.errors import Connectivity

_STATES: Mapping[VenueState, State] = {
    VenueState.OK: State.OK, VenueState.DEGRADED: State.DEGRADED, VenueState.DOWN: State.DOWN,
}  # fmt: skip


def look_at_venues(venues: Sequence[str], now: datetime) -> list[Component]:
    """Return how the streams of `venues` do at `now`, a real time; a venue is the component ``venue.<code>``."""
    try:
        reports = venue_reports(process_redis(), venues)
    except Connectivity:
        return [_named(code, State.UNKNOWN, "Redis, which holds the reports, does not answer") for code in venues]
    return [_component(code, reports[code], now) for code in venues]


def _component(code: str, report: VenueReport, now: datetime) -> Component:
    if report == UNHEARD:
        return _named(code, State.DOWN, report.reasons[0])
    age = "no data yet" if report.data_age_seconds >= NEVER else f"newest data is {report.data_age_seconds:.1f} s old"
    since = (now - timedelta(seconds=report.state_seconds)).replace(microsecond=0)
    detail = "; ".join((*report.reasons, age))
    return Component(
        f"venue.{code}", Kind.VENUE, _STATES[report.state], since, detail, instances=int(bool(report.connected))
    )


def _named(code: str, state: State, detail: str) -> Component:
    return Component(f"venue.{code}", Kind.VENUE, state, detail=detail)
