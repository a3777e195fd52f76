"""Topic ``health``: how every part of the platform does."""

from __future__ import annotations

from apps.monitor.api.stream.sources.words import moment
from apps.monitor.api.stream.table import Row, Rows
from apps.monitor.health.deep import look_deep
from apps.monitor.health.states import Component
from moondev.domain.clock import Clock, LiveClock


def read_health(_words: tuple[str, ...], _clock: Clock) -> Rows:
    """Return every part by its name. Processes and servers live in real time, whatever clock the run has."""
    return {found.component: _row(found) for found in look_deep(LiveClock().now())}


def _row(found: Component) -> Row:
    return {
        "component": found.component,
        "kind": found.kind.value,
        "state": found.state.value,
        "since": moment(found.since),
        "detail": found.detail,
        "latency_ms": found.latency_ms,
        "instances": found.instances,
    }
