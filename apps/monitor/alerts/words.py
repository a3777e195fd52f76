"""What a message says. All of it is plain text; whoever sends it sees to that it stays so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast

from django.conf import settings

from apps.monitor.alerts.bundles import Bundle
from apps.monitor.alerts.fingerprints import UNKNOWN
from apps.monitor.alerts.machine import FLAPS
from apps.monitor.alerts.notice import Kind, Notice, Severity
from apps.monitor.alerts.telling import Due
from apps.monitor.models import Alert, AlertState, Comparison

# More than so many are counted, not listed: who is woken reads a screen, not a page.
LISTED = 15
_SIGNS = {Comparison.ABOVE: "above", Comparison.AT_LEAST: "from", Comparison.BELOW: "below", Comparison.AT_MOST: "to"}


def notice_of(bundle: Bundle, alerts: Sequence[Alert], now: datetime) -> Notice:
    """Return the message about a bundle of alerts."""
    kind = cast(Kind, "report" if bundle.due is Due.DIGEST else bundle.due.value)
    listed = [line for alert in alerts[:LISTED] for line in _lines(alert, now)]
    if len(alerts) > LISTED:
        listed.append(f"… and {len(alerts) - LISTED} more")
    group = bundle.group or "quiet hours"
    severity = cast(Severity, bundle.severity.value)
    return Notice(kind, severity, _title(bundle, alerts), "\n".join(listed), group, settings.ALERTS_DASHBOARD_URL)


def _title(bundle: Bundle, alerts: Sequence[Alert]) -> str:
    if bundle.due is Due.DIGEST:
        open_still = sum(alert.state != AlertState.RESOLVED for alert in alerts)
        return f"While it was quiet: {_counted(len(alerts))}, {open_still} of them not over"
    what = alerts[0].title if len(alerts) == 1 else f"{_counted(len(alerts))} ({bundle.group}): {alerts[0].title}, …"
    return {
        Due.FIRING: what,
        Due.RESOLVED: f"Over: {what}",
        Due.ESCALATED: f"Nobody has answered: {what}",
        Due.REMINDER: f"Still: {what}",
    }[bundle.due]


def _lines(alert: Alert, now: datetime) -> Iterator[str]:
    rule = alert.rule
    over = alert.state == AlertState.RESOLVED
    until = f"over after {_lasted(alert, now)}" if over else f"for {_lasted(alert, now)}"
    yield f"[{alert.severity}] {alert.title} — {until}"
    if alert.about != UNKNOWN and alert.value is not None:
        sign = _SIGNS[Comparison(rule.comparison)]
        yield f"    {_plain(alert.value)}; wrong {sign} {_plain(alert.threshold)}"
    if alert.detail:
        yield f"    {alert.detail}"
    if alert.count >= FLAPS and not over:
        yield f"    It has come back {alert.count} times; it is over once it has stayed away for its cool-down."
    if rule.advice and not over:
        yield f"    → {rule.advice}"


def _lasted(alert: Alert, now: datetime) -> str:
    began, ended = alert.fired_at or alert.since, alert.resolved_at or now
    seconds = max(int((ended - began).total_seconds()), 0)
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7_200 else f"{seconds // 3_600} h"


def _plain(value: Decimal) -> str:
    return f"{round(value, 4).normalize():f}"


def _counted(number: int) -> str:
    return "1 alert" if number == 1 else f"{number} alerts"
