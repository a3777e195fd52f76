"""What people do with alerts and rules: acknowledge, label, change. Each with a reason, for the trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.monitor.models import Alert, AlertRule, AlertState
from moondev.domain.errors import InvalidValue

# What of a rule may be changed; its slug is its name for ever.
CHANGEABLE = (
    "title", "advice", "reading", "scope", "severity", "comparison", "threshold", "for_seconds", "resolve_seconds",
    "cool_down_seconds", "unknown_severity", "unknown_seconds", "group", "muted_by", "channels", "tell_resolved",
    "escalate_seconds", "escalate_channels", "remind_seconds", "quiet_from", "quiet_until", "quiet_zone",
    "critical_pierces", "enabled",
)  # fmt: skip
SHORTEST_REASON, LONGEST_REASON = 3, 300


@transaction.atomic
def alert_acknowledge(*, alert_id: int, actor: str, reason: str, now: datetime, label: str = "") -> Alert:
    """Say that somebody has it in hand, and perhaps whether it was right to tell; return the alert.

    Reminders and escalations end; its end is told as always. Of one that is over only the label can be said. Raises
    InvalidValue when there is no such alert, it has not fired, or somebody else has it in hand already.
    """
    _require(actor, reason, label)
    alert = Alert.objects.select_for_update(of=("self",)).select_related("rule").filter(pk=alert_id).first()
    if alert is None:
        raise InvalidValue("alert", alert_id, "the number of an alert")
    if alert.fired_at is None:
        raise InvalidValue("alert", alert_id, "one that fires: it has not been so for long enough")
    if alert.state == AlertState.ACKNOWLEDGED and alert.acknowledged_by != actor and not label:
        raise InvalidValue("alert", alert_id, f"one that nobody has in hand: {alert.acknowledged_by} has")
    if alert.state != AlertState.FIRING and not label:
        if alert.state == AlertState.ACKNOWLEDGED:
            return alert
        raise InvalidValue("alert", alert_id, "one that fires; of one that is over only a label can be said")
    if alert.state == AlertState.FIRING:
        alert.state, alert.acknowledged_by, alert.acknowledged_at = AlertState.ACKNOWLEDGED, actor[:150], now
        alert.acknowledge_reason = reason
    alert.label = label or alert.label
    # One write, so that the trail has one entry.
    alert.save(update_fields=["state", "acknowledged_by", "acknowledged_at", "acknowledge_reason", "label"])
    return alert


@transaction.atomic
def rule_change(*, slug: str, values: Mapping[str, object], actor: str, reason: str) -> AlertRule:
    """Change a rule and return it; the next pass goes by it. Raises InvalidValue naming the field that is wrong."""
    _require(actor, reason)
    # Locked, so that of two who change it at once neither overwrites what he has not seen.
    rule = AlertRule.objects.select_for_update(no_key=True).filter(slug=slug).first()
    if rule is None:
        raise InvalidValue("rule", slug, "the slug of a rule")
    for name, value in values.items():
        if name not in CHANGEABLE:
            raise InvalidValue("field", name, ", ".join(CHANGEABLE))
        setattr(rule, name, value)
    rule_keep(rule, actor)
    return rule


def rule_keep(rule: AlertRule, actor: str) -> None:
    """Write a rule that was checked whole. Raises InvalidValue naming the first field that is wrong."""
    try:
        rule.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidValue(field, getattr(rule, field, ""), " ".join(messages)) from error
    rule.version += 1
    rule.updated_by = actor[:150]
    rule.save()


def _require(actor: str, reason: str, label: str = "") -> None:
    if not actor:
        raise InvalidValue("actor", actor, "who")
    if not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        raise InvalidValue("reason", reason[:LONGEST_REASON], f"{SHORTEST_REASON} to {LONGEST_REASON} characters: why")
    if label and label not in Alert.Label.values:
        raise InvalidValue("label", label, ", ".join(Alert.Label.values))
