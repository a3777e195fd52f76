"""Whether an order could get through us: every part on its way worked, at a look a minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from apps.monitor.health.deep import look_deep
from apps.monitor.health.servers import BROKER, DATABASE, REDIS
from apps.monitor.health.slos.budget import Count
from apps.monitor.health.states import Component, State
from apps.monitor.models import Slo
from moondev.domain.clock import LiveClock

# From market data to the venue, and who stops what goes wrong. Venues' own troubles are theirs, and counted apart.
SERVERS = frozenset({DATABASE, BROKER, REDIS})
PROCESSES = frozenset({"dispatcher", "ticks", "risk_guard"})
BY_VENUE = ("orders-", "vetoes-", "stream-market-", "stream-user-")


def order_path(_: Slo, minutes: Sequence[datetime]) -> Mapping[datetime, Count]:
    """Return one look for the newest minute: good when nothing on the way was down, unknown when somebody was."""
    good = path_works(look_deep(LiveClock().now()))
    return {} if good is None else {minutes[-1]: Count(int(good), 1)}


def path_works(parts: Sequence[Component]) -> bool | None:
    """Return whether every part of the path works, if only just; None when that cannot be said."""
    states = {part.state for part in parts if _on_the_way(part.component)}
    if State.DOWN in states:
        return False
    return None if State.UNKNOWN in states or not states else True


def _on_the_way(name: str) -> bool:
    return name in SERVERS or name in PROCESSES or name.startswith(BY_VENUE)
