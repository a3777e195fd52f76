"""Alerts as rows: what a turn makes of one, and what of it has to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from apps.monitor.alerts.fingerprints import UNKNOWN, Seen, timing_of
from apps.monitor.alerts.machine import Standing, turn
from apps.monitor.alerts.measured import EVERYTHING
from apps.monitor.models import Alert, AlertRule, AlertState, Severity

# A value that has moved by less than this part of itself is not worth a write.
MOVED = Decimal("0.01")
# What an earlier firing of the same alert has left in its row.
UNANSWERED: Mapping[str, object] = MappingProxyType(
    {
        "acknowledged_by": "", "acknowledged_at": None, "acknowledge_reason": "", "label": "", "reminded_at": None,
        "escalated_at": None,
    }
)  # fmt: skip


@dataclass
class Changes:
    """What a pass has to write: rows that are new, rows that are to go, and of the others which columns."""

    new: list[Alert] = field(default_factory=list)
    gone: list[Alert] = field(default_factory=list)
    altered: dict[int, tuple[Alert, set[str]]] = field(default_factory=dict)

    def set(self, alert: Alert, **values: object) -> None:
        """Change columns of an alert, and remember which."""
        differing = {name for name, value in values.items() if getattr(alert, name) != value}
        for name in differing:
            setattr(alert, name, values[name])
        if differing and alert.pk is not None:
            self.altered.setdefault(alert.pk, (alert, set()))[1].update(differing)


def standing_of(alert: Alert) -> Standing:
    """Return where a row says that its alert stands."""
    return Standing(
        AlertState(alert.state), alert.since, alert.fired_at, alert.clear_since, alert.resolved_at, alert.count
    )


def turn_row(rule: AlertRule, alert: Alert | None, seen: Seen, now: datetime, changes: Changes) -> Alert | None:
    """Turn one alert by what was seen, and return it as it is then; None when there is none."""
    standing = turn(None if alert is None else standing_of(alert), now, timing_of(rule, seen.about), holds=seen.holds)
    if standing is None:
        if alert is not None:
            changes.gone.append(alert)
        return None
    if alert is None:
        alert = _begun(rule, seen, now, standing)
        changes.new.append(alert)
    elif alert.state == AlertState.RESOLVED and standing.resolved_at is None and not standing.count:
        # Past its cool-down: another alert, and the old one stays as it ended.
        alert = _begun(rule, seen, now, standing)
        changes.new.append(alert)
    _follow(rule, alert, standing, seen, changes)
    return alert


def close_row(alert: Alert, now: datetime, why: str, changes: Changes) -> None:
    """End an alert whose rule looks no more: nobody is told of an end that is none."""
    if alert.state == AlertState.PENDING and alert.fired_at is None:
        changes.gone.append(alert)
        return
    changes.set(
        alert, state=AlertState.RESOLVED, resolved_at=alert.resolved_at or now, clear_since=None, closed_told=True,
        detail=why,
    )  # fmt: skip


def _begun(rule: AlertRule, seen: Seen, now: datetime, standing: Standing) -> Alert:
    return Alert(
        rule=rule, scope=seen.scope[:200], about=seen.about, threshold=rule.threshold, since=standing.since,
        seen_at=now, severity=_severity(rule, seen), title=_title(rule, seen),
    )  # fmt: skip


def _follow(rule: AlertRule, alert: Alert, standing: Standing, seen: Seen, changes: Changes) -> None:
    """Have the row say what the machine says, and what was read."""
    if standing.state is AlertState.FIRING and standing.fired_at != alert.fired_at:
        changes.set(
            alert, **UNANSWERED, closed_told=False, held="", severity=_severity(rule, seen), title=_title(rule, seen),
            threshold=rule.threshold,
        )  # fmt: skip
    changes.set(
        alert, state=standing.state, since=standing.since, fired_at=standing.fired_at, clear_since=standing.clear_since,
        resolved_at=standing.resolved_at, count=standing.count,
    )  # fmt: skip
    if seen.holds and (alert.value is None or _moved(alert.value, seen.measured.value)):
        changes.set(alert, value=seen.measured.value, detail=seen.measured.detail[:500],
                    within=[name[:200] for name in seen.measured.within])  # fmt: skip


def _moved(was: Decimal, is_: Decimal | None) -> bool:
    return is_ is None or abs(is_ - was) > abs(was) * MOVED


def _severity(rule: AlertRule, seen: Seen) -> str:
    return (rule.unknown_severity or Severity.WARNING) if seen.about == UNKNOWN else rule.severity


def _title(rule: AlertRule, seen: Seen) -> str:
    where = "" if seen.scope == EVERYTHING else f": {seen.scope.partition(':')[2]}"
    if seen.about == UNKNOWN:
        return f"Not known: {rule.title}{where}"[:200]
    return f"{rule.title}{where}"[:200]
