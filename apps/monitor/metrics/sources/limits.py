"""What is left of the venues' rate budgets, per lane: the figures of the dashboard."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db.models import Prefetch
from prometheus_client.metrics_core import Metric

from apps.exchanges.models import Account, Venue
from apps.exchanges.throttling import Lane
from apps.monitor.api.stream.sources.budgets import budgets_left
from apps.monitor.metrics.told import Sample, Told

ROOM = Told(
    "moondev_limiter_headroom_ratio",
    "What is left of a venue's rate budget, as a share of what the lane may use of it.",
    ("venue", "owner", "budget", "lane"),
)
SPENT = Told(
    "moondev_limiter_spent", "Units of a venue's rate budget that count as spent.", ("venue", "owner", "budget")
)
LIMITS = (ROOM, SPENT)


def read_limits(now: datetime, strategies: Collection[str]) -> Iterator[Metric]:  # noqa: ARG001  as every source
    """Yield the headroom of every budget of our address and of every account. A question per owner, all to Redis."""
    rooms: list[Sample] = []
    spent: list[Sample] = []
    accounts = Prefetch("accounts", Account.objects.order_by("code"))
    for venue in Venue.objects.filter(enabled=True).order_by("code").prefetch_related(accounts):
        for line in budgets_left(venue):
            whose = (venue.code, str(line["owner"]), str(line["name"]))
            taken = _number(line["spent"])
            spent.append((whose, taken))
            for lane, room in ((Lane.ORDINARY, line["room"]), (Lane.RESERVED, line["reserved_room"])):
                left = _number(room)
                # Of a lane that is overdrawn nothing is left, however much it is overdrawn by.
                rooms.append(((*whose, lane.value), left / (left + taken) if left else 0.0))
    yield ROOM.family(rooms)
    yield SPENT.family(spent)


def _number(value: object) -> float:
    return float(str(value))
