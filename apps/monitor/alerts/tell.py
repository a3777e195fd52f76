"""Have people told: what is due of each alert, bundled, into the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.monitor.alerts.bundles import Bundle, Item, bundles
from apps.monitor.alerts.fingerprints import UNKNOWN
from apps.monitor.alerts.muting import Loud, Perhaps, is_muted
from apps.monitor.alerts.outbox import enqueue
from apps.monitor.alerts.quiet import in_quiet_hours
from apps.monitor.alerts.rows import Changes
from apps.monitor.alerts.telling import Due, Held, Manner, Moment, Telling, Told, is_silent_end, telling
from apps.monitor.alerts.words import notice_of
from apps.monitor.models import Alert, AlertRule, AlertState, Channel, Severity
from moondev.domain.clock import LiveClock

LOUD = (AlertState.FIRING, AlertState.ACKNOWLEDGED)
BREACHING = Alert.About.BREACH


def tell(alerts: Sequence[Alert], now: datetime, changes: Changes) -> int:
    """Put into the outbox whatever is to be told of `alerts` now; return how many messages that were."""
    loud = [Loud(a.rule.slug, a.rule.reading, a.scope) for a in alerts if _says_so(a, now)]
    items: list[Item] = []
    channels: _Channels | None = None
    for alert in alerts:
        what = _telling(alert, loud, now)
        if alert.state == AlertState.RESOLVED and what is None:
            _end_silently(alert, changes)
        if isinstance(what, Held):
            changes.set(alert, held=what.value)
        if not isinstance(what, Due):
            continue
        channels = _channels() if channels is None else channels
        items.append(_item(alert, what, channels))
    reachable = [item for item in items if item.channels]
    by_number = {alert.pk: alert for alert in alerts}
    for item in items:
        changes.set(by_number[item.alert], held=(Held.GATHERING if item.channels else Held.NOBODY).value)
    made = bundles(reachable, _last_told(alerts), now)
    for bundle in made:
        _send(bundle, [by_number[item.alert] for item in bundle.items], now, changes)
    return len(made)


def manner_of(rule: AlertRule) -> Manner:
    """Return how a rule has people told."""
    return Manner(
        timedelta(seconds=rule.cool_down_seconds),
        None if rule.escalate_seconds is None else timedelta(seconds=rule.escalate_seconds),
        None if rule.remind_seconds is None else timedelta(seconds=rule.remind_seconds),
        rule.tell_resolved,
        insists=rule.severity == Severity.CRITICAL,
    )


def group_of(alert: Alert) -> str:
    """Return what an alert is told with."""
    return alert.rule.group or alert.rule.slug


def _told(alert: Alert) -> Told:
    return Told(alert.told_at, alert.reminded_at, alert.escalated_at, alert.closed_told, alert.held)


def _telling(alert: Alert, loud: Iterable[Loud], now: datetime) -> Telling:
    rule = alert.rule
    perhaps = Perhaps(rule.muted_by, {alert.scope, *alert.within}, alert.about == UNKNOWN)
    moment = Moment(now, is_muted(perhaps, loud), _quiet(alert, now), alert.clear_since is not None)
    return telling(AlertState(alert.state), alert.fired_at, _told(alert), manner_of(rule), moment)


def _says_so(alert: Alert, now: datetime) -> bool:
    """Return whether an alert says what it is about, so that others need not: one held back for the night does not."""
    if alert.state not in LOUD or alert.about != BREACHING:
        return False
    known = alert.told_at is not None and alert.fired_at is not None and alert.told_at >= alert.fired_at
    return known or alert.state == AlertState.ACKNOWLEDGED or not _quiet(alert, now)


def _quiet(alert: Alert, now: datetime) -> bool:
    rule = alert.rule
    if alert.severity == Severity.CRITICAL and rule.critical_pierces:
        return False
    return in_quiet_hours(now, rule.quiet_from, rule.quiet_until, rule.quiet_zone)


def _end_silently(alert: Alert, changes: Changes) -> None:
    if not alert.closed_told and is_silent_end(_told(alert), manner_of(alert.rule), alert.fired_at):
        changes.set(alert, closed_told=True, held="")


@dataclass(frozen=True, slots=True)
class _Channels:
    """Which channels reach anybody: those that are enabled, and those that are not and have a fall-back that is."""

    enabled: Sequence[str]
    reaching: frozenset[str]


def _channels() -> _Channels:
    rows = {row.pk: row for row in Channel.objects.all()}
    reaching = set()
    for row in rows.values():
        way: list[Channel] = []
        following: Channel | None = row
        while following is not None and following not in way:
            way.append(following)
            following = None if following.fallback_id is None else rows.get(following.fallback_id)
        if any(one.enabled for one in way):
            reaching.add(row.slug)
    return _Channels([row.slug for row in rows.values() if row.enabled], frozenset(reaching))


def _item(alert: Alert, due: Due, channels: _Channels) -> Item:
    rule = alert.rule
    wanted = rule.escalate_channels if due is Due.ESCALATED else rule.channels
    # One that is gone, or switched off without a fall-back, reaches nobody: where all are so, everybody is told.
    known = [slug for slug in wanted if slug in channels.reaching] or channels.enabled
    since = alert.resolved_at if alert.state == AlertState.RESOLVED else alert.fired_at
    return Item(alert.pk, due, group_of(alert), Severity(alert.severity), since or alert.since, tuple(sorted(known)))


def _last_told(alerts: Iterable[Alert]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for alert in alerts:
        if alert.told_at is not None:
            group = group_of(alert)
            found[group] = max(alert.told_at, found.get(group, alert.told_at))
    return found


def _send(bundle: Bundle, alerts: Sequence[Alert], now: datetime, changes: Changes) -> None:
    # Real time, also in a replay: people and servers live in ours.
    enqueue(notice_of(bundle, alerts, now), bundle.channels, now=LiveClock().now())
    for alert in alerts:
        changes.set(alert, held="")
        if bundle.due is Due.ESCALATED:
            changes.set(alert, escalated_at=now)
        elif bundle.due is Due.REMINDER:
            changes.set(alert, reminded_at=now)
        elif alert.state == AlertState.RESOLVED:
            changes.set(alert, closed_told=True)
        else:
            changes.set(alert, told_at=now)
