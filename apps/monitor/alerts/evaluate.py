"""One pass: what was read becomes alerts, and alerts become messages, in one transaction.

Whoever dies in the middle leaves nothing behind, and the next pass does all of it. Two watches never pass at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from apps.monitor.alerts.fingerprints import seen_by
from apps.monitor.alerts.recorder import Recorder
from apps.monitor.alerts.rows import Changes, close_row, turn_row
from apps.monitor.alerts.taking import Taken
from apps.monitor.alerts.tell import tell
from apps.monitor.models import Alert, AlertPass, AlertRule, AlertState
from moondev.domain.clock import milliseconds

Key = tuple[int, str, str]
# A look that was overtaken by another watch's is dropped. A last pass further in the future than any look takes means
# that the clock was set back, and that must make nobody blind.
LATEST_MS = 60_000
LIVE = Q(state__in=[AlertState.PENDING, AlertState.FIRING, AlertState.ACKNOWLEDGED])
# For a person who switches a rule off, that is the end of its alerts.
SWITCHED_OFF = "its rule was switched off"


@dataclass(frozen=True, slots=True)
class Passed:
    """What a pass has done."""

    firing: int
    messages: int


def evaluate(taken: Taken, recorder: Recorder, watcher: str) -> Passed | None:
    """Make one pass. None: another watch is at it, or has seen something newer."""
    AlertPass.objects.get_or_create(pk=1, defaults={"watcher": watcher, "at": taken.at - timedelta(days=1)})
    with transaction.atomic():
        turn = AlertPass.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if turn is None or 0 < milliseconds(turn.at) - milliseconds(taken.at) <= LATEST_MS:
            return None
        if turn.watcher != watcher:
            recorder.forget()
        rules = {rule.pk: rule for rule in AlertRule.objects.filter(enabled=True)}
        recorder.record(taken, rules.values())
        alerts = _turned(taken, rules)
        messages = tell(alerts.kept, taken.at, alerts.changes)
        _write(alerts.changes)
        turn.watcher, turn.at = watcher, taken.at
        turn.save(update_fields=["watcher", "at"])
        firing = sum(alert.state in {AlertState.FIRING, AlertState.ACKNOWLEDGED} for alert in alerts.kept)
        return Passed(firing, messages)


@dataclass(frozen=True, slots=True)
class _Alerts:
    kept: Sequence[Alert]
    changes: Changes


def _turned(taken: Taken, rules: Mapping[int, AlertRule]) -> _Alerts:
    """Return the alerts after this look, new ones written, so that they have numbers."""
    rows = _read(taken, rules)
    # Of one fingerprint the latest: older ones have only their end to be told.
    latest: dict[Key, Alert] = {(row.rule_id, row.scope, row.about): row for row in rows}
    changes, kept = Changes(), {id(row): row for row in rows}
    for rule in rules.values():
        of_rule = {(scope, about) for pk, scope, about in latest if pk == rule.pk}
        for seen in seen_by(rule, taken, of_rule):
            before = latest.get((rule.pk, seen.scope[:200], seen.about))
            after = turn_row(rule, before, seen, taken.at, changes)
            if after is not None:
                kept[id(after)] = after
    for row in rows:
        if row.rule_id not in rules and row.state != AlertState.RESOLVED:
            close_row(row, taken.at, SWITCHED_OFF, changes)
    Alert.objects.bulk_create(changes.new)
    gone = {id(row) for row in changes.gone}
    return _Alerts([row for key, row in kept.items() if key not in gone], changes)


def _read(taken: Taken, rules: Mapping[int, AlertRule]) -> list[Alert]:
    """Return, locked, what is live, what may come back, and what has an end to be told, oldest first."""
    longest = max((rule.cool_down_seconds for rule in rules.values()), default=0)
    lately = Q(resolved_at__gt=taken.at - timedelta(seconds=longest))
    chosen = Alert.objects.filter(LIVE | lately | Q(closed_told=False)).select_related("rule").order_by("pk")
    return list(chosen.select_for_update(of=("self",)))


def _write(changes: Changes) -> None:
    gone = {row.pk for row in changes.gone}
    if gone:
        Alert.objects.filter(pk__in=gone).delete()
    for row, columns in changes.altered.values():
        if row.pk not in gone:
            row.save(update_fields=sorted(columns))
