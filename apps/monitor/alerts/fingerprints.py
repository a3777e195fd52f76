"""Which alerts a rule could have after one look: its fingerprints, each with whether it is so. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from apps.monitor.alerts.machine import Timing
from apps.monitor.alerts.measured import EVERYTHING, Measured, scope
from apps.monitor.alerts.measures import MEASURES
from apps.monitor.alerts.scopes import covers
from apps.monitor.alerts.taking import Taken
from apps.monitor.models import Alert, AlertRule, Comparison

BREACH, UNKNOWN = Alert.About.BREACH, Alert.About.UNKNOWN
Print = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look says of one fingerprint. `holds` None: nobody knows."""

    scope: str
    about: Alert.About
    holds: bool | None
    measured: Measured


def seen_by(rule: AlertRule, taken: Taken, live: Collection[Print]) -> Iterator[Seen]:
    """Yield what a look says of each fingerprint of a rule; `live` are those that have an alert now.

    A scope that is there no more is well. A reading that could not be taken says nothing of any scope.
    """
    failure = taken.failures.get(rule.reading)
    if failure is not None:
        yield from _failed(rule, failure, live)
        return
    there: set[Print] = set()
    for name, measured in taken.readings.get(rule.reading, {}).items():
        if covers(rule.scope, name, measured.within):
            there |= {(name, BREACH), (name, UNKNOWN)}
            yield Seen(name, BREACH, breached(rule, measured.value), measured)
            yield Seen(name, UNKNOWN, bool(rule.unknown_severity) and measured.value is None, measured)
    for name, about in live:
        if (name, about) not in there:
            yield Seen(name, Alert.About(about), holds=False, measured=Measured(None))


def breached(rule: AlertRule, value: Decimal | None) -> bool | None:
    """Return whether a value is on the wrong side of the threshold; None when there is no value."""
    if value is None:
        return None
    return compare(Comparison(rule.comparison), value, rule.threshold)


def compare(comparison: Comparison, value: Decimal | float, threshold: Decimal | float) -> bool:
    """Return whether `value` is on the wrong side of `threshold`."""
    if comparison is Comparison.ABOVE:
        return value > threshold
    if comparison is Comparison.AT_LEAST:
        return value >= threshold
    if comparison is Comparison.BELOW:
        return value < threshold
    return value <= threshold


def timing_of(rule: AlertRule, about: str) -> Timing:
    """Return how long a rule wants it to be so, and not to be so."""
    wait = rule.unknown_seconds if about == UNKNOWN else rule.for_seconds
    return Timing(
        timedelta(seconds=wait), timedelta(seconds=rule.resolve_seconds), timedelta(seconds=rule.cool_down_seconds)
    )


def _failed(rule: AlertRule, failure: str, live: Collection[Print]) -> Iterator[Seen]:
    measure = MEASURES.get(rule.reading)
    within = () if measure is None else (scope("source", measure.source),)
    for name, about in live:
        if (name, about) != (EVERYTHING, UNKNOWN):
            yield Seen(name, Alert.About(about), holds=None, measured=Measured(None))
    yield Seen(EVERYTHING, UNKNOWN, bool(rule.unknown_severity), Measured(None, failure, within))
