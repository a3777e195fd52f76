"""Keep what was read, so that rules can be tried on it later.

A series is a step function: a sample is written when the value has moved by what could matter to a rule, when it
crosses a threshold, and when it begins or ceases to be known. Trying a rule at its present threshold is therefore
exact; at another, exact to STEP of the tightest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from apps.exchanges.bulk import fetch
from apps.monitor.alerts.measured import Measured
from apps.monitor.alerts.taking import Taken
from apps.monitor.models import AlertRule, ReadingSample

KEPT = timedelta(days=14)
STEP = 0.05
PRUNED_MOST = 20_000
Series = tuple[str, str]
Known = ReadingSample.Known
State = tuple[str, float | None]
_GONE: State = (Known.GONE.value, None)


class Recorder:
    """Writes samples, remembering the last of each series. One watch's own; it forgets when another has recorded."""

    def __init__(self) -> None:
        self._last: dict[Series, State] | None = None

    def forget(self) -> None:
        """Read what was recorded last anew: somebody else has recorded since."""
        self._last = None

    def record(self, taken: Taken, rules: Iterable[AlertRule]) -> int:
        """Write what has changed, in the open transaction; return how many samples that were."""
        if self._last is None:
            self._last = _read_last()
        marks = _thresholds(rules)
        new = [
            (series, state)
            for series, state in self._states(taken)
            if _matters(self._last.get(series, _GONE), state, marks[series[0]])
        ]
        ReadingSample.objects.bulk_create(
            ReadingSample(reading=reading, scope=scope[:200], at=taken.at, known=known, value=value)
            for (reading, scope), (known, value) in new
        )
        self._last.update(new)
        return len(new)

    def _states(self, taken: Taken) -> Iterator[tuple[Series, State]]:
        """Yield how each series stands: of readings that could not be taken, and of scopes that are gone, too."""
        last = self._last or {}
        for reading, found in taken.readings.items():
            for scope, measured in found.items():
                yield (reading, scope), _state(measured)
            for series in [series for series in last if series[0] == reading and series[1] not in found]:
                yield series, _GONE
        for reading in taken.failures:
            for series in [series for series in last if series[0] == reading]:
                yield series, (Known.UNKNOWN.value, None)


def prune(now: datetime) -> int:
    """Delete some of what is older than KEPT; return how much.

    The last sample before that stays: what has not changed since is so still, unless its scope is gone.
    """
    oldest = now - KEPT
    followed = ReadingSample.objects.filter(
        reading=OuterRef("reading"), scope=OuterRef("scope"), at__gt=OuterRef("at"), at__lt=oldest
    )
    over = Q(at__lt=oldest) & (Exists(followed) | Q(known=Known.GONE))
    old = ReadingSample.objects.filter(over).order_by("at").values("pk")[:PRUNED_MOST]
    return ReadingSample.objects.filter(pk__in=old).delete()[0]


def _state(measured: Measured) -> State:
    if measured.value is None:
        return (Known.UNKNOWN.value, None)
    return (Known.VALUE.value, float(measured.value))


def _matters(was: State, is_: State, thresholds: list[float]) -> bool:
    if was[0] != is_[0] or was[1] is None or is_[1] is None:
        return was != is_
    low, high = min(was[1], is_[1]), max(was[1], is_[1])
    if high == low:
        return False
    if any(low <= mark <= high for mark in thresholds):
        return True
    step = STEP * min((abs(mark) for mark in thresholds if mark), default=max(abs(high), 1.0))
    return high - low > step


def _thresholds(rules: Iterable[AlertRule]) -> defaultdict[str, list[float]]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for rule in rules:
        found[rule.reading].append(float(rule.threshold))
    return found


# From one series to the next by the index: two watches that take turns each read this every few seconds, and of some
# series there is a sample every few seconds, for two weeks.
_LAST = """
WITH RECURSIVE series AS (
    (SELECT reading, scope FROM monitor_readingsample ORDER BY reading, scope LIMIT 1)
    UNION ALL
    SELECT following.reading, following.scope FROM series CROSS JOIN LATERAL (
        SELECT reading, scope FROM monitor_readingsample
        WHERE (reading, scope) > (series.reading, series.scope) ORDER BY reading, scope LIMIT 1) following
)
SELECT reading, scope, known, value FROM series CROSS JOIN LATERAL (
    SELECT known, value FROM monitor_readingsample sample
    WHERE sample.reading = series.reading AND sample.scope = series.scope ORDER BY at DESC, id DESC LIMIT 1) last
"""


def _read_last() -> dict[Series, State]:
    return {(reading, scope): (known, value) for reading, scope, known, value in fetch(_LAST)}
