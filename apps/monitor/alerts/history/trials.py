"""How often a rule would have fired with another threshold or another for-duration, over what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, product

from apps.monitor.alerts.fingerprints import BREACH, timing_of
from apps.monitor.alerts.history.replay import Fired, Step, Trial, replay
from apps.monitor.alerts.machine import Timing
from apps.monitor.alerts.measured import Unit
from apps.monitor.alerts.measures import MEASURES
from apps.monitor.alerts.scopes import covers
from apps.monitor.models import AlertRule, Comparison, ReadingSample

FACTORS = (Decimal("0.75"), Decimal(1), Decimal("1.25"), Decimal("1.5"))
WAITS = (0, 30, 120, 600)
# More than this is not read: the answer would come too late to be asked for from a page.
MOST_SAMPLES = 300_000
Series = tuple[str, list[Step]]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a variant would have done: how many alerts, how many of them comings back, and for how long in all."""

    threshold: Decimal
    for_seconds: int
    fired: int
    again: int
    seconds: float
    present: bool


def try_rule(rule: AlertRule, variants: Iterable[tuple[Decimal, int]], since: datetime, until: datetime) -> list[Tried]:
    """Return what each variant (threshold, seconds) of a rule would have done between two moments.

    Only the value counts here, not what mutes the rule; a rule for a scope around those that are measured is tried on
    nothing.
    """
    series = list(_series(rule, since, until))
    return [_tried(rule, threshold, wait, series, until) for threshold, wait in variants]


def usual_variants(rule: AlertRule) -> list[tuple[Decimal, int]]:
    """Return variants worth a look: lower and higher thresholds, each at once and after a while."""
    measure = MEASURES.get(rule.reading)
    fixed = measure is not None and measure.unit is Unit.YES_NO
    thresholds = [rule.threshold] if fixed else [round(rule.threshold * factor, 6) for factor in FACTORS]
    waits = sorted({rule.for_seconds, *WAITS})
    return list(product(thresholds, waits))


def _tried(rule: AlertRule, threshold: Decimal, wait: int, series: Sequence[Series], until: datetime) -> Tried:
    usual = timing_of(rule, BREACH)
    timing = Timing(timedelta(seconds=wait), usual.settle, usual.cool_down)
    trial = Trial(Comparison(rule.comparison), float(threshold), timing)
    fired: list[Fired] = [one for _, steps in series for one in replay(steps, trial, until)]
    return Tried(
        threshold, wait, len(fired), sum(one.again for one in fired),
        sum(one.lasted(until).total_seconds() for one in fired),
        present=threshold == rule.threshold and wait == rule.for_seconds,
    )  # fmt: skip


def _series(rule: AlertRule, since: datetime, until: datetime) -> Iterator[Series]:
    """Yield each series that the rule is about: what it was at `since`, and its steps from there to `until`."""
    rows = ReadingSample.objects.filter(reading=rule.reading)
    before = rows.filter(at__lt=since).order_by("scope", "-at", "-pk").distinct("scope")
    began = {scope: (known, value) for scope, known, value in before.values_list("scope", "known", "value")}
    within = rows.filter(at__gte=since, at__lte=until).order_by("scope", "at", "pk")
    found = within.values_list("scope", "at", "known", "value")[:MOST_SAMPLES]
    steps = {scope: [_step(*row[1:]) for row in group] for scope, group in groupby(found, key=lambda row: row[0])}
    for scope in sorted({*began, *steps}):
        if covers(rule.scope, scope):
            first = [_step(since, *began[scope])] if scope in began else []
            yield scope, [*first, *steps.get(scope, [])]


def _step(at: datetime, known: str, value: float | None) -> Step:
    return Step(at, value, known == ReadingSample.Known.GONE)
