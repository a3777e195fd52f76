"""How every part does: servers, venues, processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from django.conf import settings

import celeryconfig
from apps.monitor.health.expected import configured_names, expected_names, expected_venues
from apps.monitor.health.heartbeats import hear, hear_without_database, look_at
from apps.monitor.health.probes.probe import Told
from apps.monitor.health.servers import BROKER, DATABASE, servers
from apps.monitor.health.since import Since
from apps.monitor.health.states import Component, Kind, State
from apps.monitor.health.venues import look_at_venues


def look_deep(now: datetime) -> list[Component]:
    """Return the state of every part at `now`, a real time. Takes seconds at most: who is away is not waited for."""
    told = servers().look()
    answers = told[DATABASE].answer.state is not State.DOWN
    names = expected_names() if answers else configured_names()
    venues = expected_venues() if answers else list(settings.MOONDEV_VENUES)
    processes = look_at(names, hear() if answers else hear_without_database(), now)
    return [*_servers(told, names, now), *look_at_venues(venues, now), *processes]


def _servers(told: Mapping[str, Told], names: Sequence[str], now: datetime) -> list[Component]:
    return [_server(name, _staffed(found, names) if name == BROKER else found, now) for name, found in told.items()]


def _server(name: str, told: Told, now: datetime) -> Component:
    answer = told.answer
    since = _since().of(name, answer, now)
    reachable = int(answer.state in {State.OK, State.DEGRADED})
    return Component(name, Kind.SERVER, answer.state, since, answer.detail, told.latency_ms, reachable)


def _staffed(told: Told, names: Sequence[str]) -> Told:
    """Return what the broker said, as DEGRADED when a queue that ought to be read has nobody who reads it."""
    consumers = told.answer.consumers
    unread = sorted(queue for queue in queues_of(names) if consumers.get(queue, 1) == 0)
    if told.answer.state is not State.OK or not unread:
        return told
    return replace(told, answer=replace(told.answer, state=State.DEGRADED, detail=f"nobody reads {', '.join(unread)}"))


def queues_of(names: Sequence[str]) -> set[str]:
    """Return the queues, as the broker knows them, that the workers among some processes read."""
    found = set()
    for name in names:
        row, _, venue = name.partition("-")
        rule = celeryconfig.WORKERS.get(row)
        found |= {celeryconfig.queue_name(queue, venue) for queue in (rule.queues if rule else ())}
    return found


@lru_cache(maxsize=1)
def _since() -> Since:
    return Since()
