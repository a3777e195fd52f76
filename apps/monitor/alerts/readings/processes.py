"""Processes that ought to work and do not: dead, silent, or alive with a loop that stands still."""

from __future__ import annotations

from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import NO, YES, Measured, Readings, scope
from apps.monitor.health.heartbeats import UNREADABLE, look_at_processes
from apps.monitor.health.states import Component, State
from moondev.domain.clock import LiveClock


def process_down(_look: Look) -> Readings:
    """Return 1 for a process of which no instance works, 0 for one that works or is just starting."""
    return {scope("process", one.component): _down(one) for one in look_at_processes(LiveClock().now())}


def _down(one: Component) -> Measured:
    if one.detail == UNREADABLE:
        return Measured(None, one.detail)
    # One that was never heard of is missing as well; one that is only just starting is not, alone or with all others.
    missing = one.state is State.DOWN or (one.state is State.UNKNOWN and one.since is None)
    return Measured(YES if missing else NO, one.detail)
