"""Many alerts, one message: those of a group that are due together, or soon after each other, go out in one. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.monitor.alerts.telling import Due
from apps.monitor.models.alerts import Severity

# A first alert waits so long for its fellows; after a message its group has this pause. Critical ones do not wait, and
# have a shorter pause: of a hundred that fire within seconds the first is told at once and the others in one message.
GATHER: Mapping[str, timedelta] = {Severity.CRITICAL: timedelta(0)}
PAUSE: Mapping[str, timedelta] = {Severity.CRITICAL: timedelta(seconds=15)}
USUAL_GATHER, USUAL_PAUSE = timedelta(seconds=10), timedelta(seconds=60)
RANKS = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class Item:
    """Something due: of which alert, what, since when, to whom. `group` is what it is told with."""

    alert: int
    due: Due
    group: str
    severity: Severity
    since: datetime
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What goes out as one message."""

    due: Due
    group: str
    channels: tuple[str, ...]
    items: tuple[Item, ...]

    @property
    def severity(self) -> Severity:
        """Return the gravest severity in it."""
        return max((item.severity for item in self.items), key=RANKS.index)


def bundles(items: Iterable[Item], last_told: Mapping[str, datetime], now: datetime) -> list[Bundle]:
    """Return the messages to send now; what is left waits for its group. `last_told` is each group's last message."""
    found: defaultdict[tuple[Due, str, tuple[str, ...]], list[Item]] = defaultdict(list)
    for item in items:
        group = "" if item.due is Due.DIGEST else item.group
        found[item.due, group, item.channels].append(item)
    made = [
        Bundle(due, group, channels, tuple(sorted(of, key=_rank)))
        for (due, group, channels), of in found.items()
        if due is not Due.FIRING or _ripe(of, last_told.get(group), now)
    ]
    return sorted(made, key=lambda bundle: (-RANKS.index(bundle.severity), bundle.due, bundle.group))


def _ripe(items: Sequence[Item], last: datetime | None, now: datetime) -> bool:
    """Return whether one of them has waited for long enough; the others then come along."""
    return any(
        now - item.since >= GATHER.get(item.severity, USUAL_GATHER)
        and (last is None or now - last >= PAUSE.get(item.severity, USUAL_PAUSE))
        for item in items
    )


def _rank(item: Item) -> tuple[int, datetime, int]:
    return -RANKS.index(item.severity), item.since, item.alert
