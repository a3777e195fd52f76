"""Alerts to answer, rules to change, and what each rule was worth."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.exchanges.admin.amounts import PlainAmountsForm, amount_column, plain
from apps.exchanges.admin.confirm import confirmed_action
from apps.exchanges.admin.readonly import NoDeleteAdmin, ReadOnlyAdmin
from apps.monitor.alerts.history.report import SECONDS, Worth, worth_of_rules
from apps.monitor.alerts.history.trials import try_rule, usual_variants
from apps.monitor.alerts.measures import MEASURES
from apps.monitor.alerts.services import alert_acknowledge
from apps.monitor.models import Alert, AlertRule
from moondev.domain.clock import process_clock

LOOKED_BACK = timedelta(days=7)
_COLOURS = {"pending": "wait", "firing": "bad", "acknowledged": "wait", "resolved": "good"}
_CHOICES = [(name, f"{name}: {measure.words} ({measure.unit})") for name, measure in sorted(MEASURES.items())]


def _answer(row: Alert, actor: str, reason: str, label: str = "") -> str:
    now = process_clock().now()
    alert = alert_acknowledge(alert_id=row.pk, actor=actor, reason=reason, now=now, label=label)
    return f"{alert.title}: {alert.label or alert.state}"


@confirmed_action(
    title="Acknowledge",
    question="You have it in hand: reminders and escalations end. Its end is told as always.",
    permission="change_alert",
    wants_reason=True,
)
def acknowledge(row: Alert, actor: str, reason: str) -> str:
    """Take an alert in hand."""
    return _answer(row, actor, reason)


@confirmed_action(
    title="Call it right",
    question="It was right to tell: so the report counts it. One that fires is acknowledged as well.",
    permission="change_alert",
    wants_reason=True,
)
def call_right(row: Alert, actor: str, reason: str) -> str:
    """Say that it was right to tell."""
    return _answer(row, actor, reason, Alert.Label.RIGHT)


@confirmed_action(
    title="Call it a false alarm",
    question="Nobody need have been told: so the report counts it. One that fires is acknowledged as well.",
    permission="change_alert",
    wants_reason=True,
)
def call_false(row: Alert, actor: str, reason: str) -> str:
    """Say that it was a false alarm."""
    return _answer(row, actor, reason, Alert.Label.FALSE)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin[Alert]):
    """What is wrong, and was; answered here, changed by nobody."""

    list_display = [
        "title", "severity", "show_state", amount_column("value"), amount_column("threshold"), "fired_at",
        "resolved_at", "acknowledged_by", "label", "held",
    ]  # fmt: skip
    list_filter = ["state", "severity", "label", "about", "rule"]
    search_fields = ["title", "scope", "detail"]
    list_select_related = ["rule"]
    actions = [acknowledge, call_right, call_false]

    @admin.display(description="state", ordering="state")
    def show_state(self, row: Alert) -> SafeString:
        """Return the state in its colour."""
        return format_html('<span class="word word-{}">{}</span>', _COLOURS[row.state], row.state)

    def has_change_alert_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may answer, though nobody may edit."""
        return request.user.has_perm("monitor.change_alert")


def _words(worth: Worth) -> str:
    return (
        f"fired {worth.fired} times; {worth.told} told, {worth.acknowledged} acknowledged, {worth.brief} over by"
        f" themselves within {SECONDS.seconds} s, {worth.right} called right, {worth.false} called false"
    )


class RuleForm(PlainAmountsForm[AlertRule]):
    """A rule, with its reading chosen from those there are."""

    reading = forms.ChoiceField(choices=_CHOICES)


@admin.register(AlertRule)
class AlertRuleAdmin(NoDeleteAdmin[AlertRule]):
    """One rule each; an edit binds the next look. Switch one off rather than removing it."""

    form = RuleForm
    list_display = [
        "slug", "severity", "show_when", "for_seconds", "scope", "show_fired", "show_brief", "show_false", "enabled",
    ]  # fmt: skip
    list_filter = ["severity", "enabled", "group"]
    search_fields = ["slug", "title", "reading"]
    readonly_fields = ["show_worth", "show_trials", "version", "updated_by", "updated_at"]
    fieldsets = [
        (None, {"fields": ["slug", "title", "advice", "enabled"]}),
        (
            "When",
            {
                "fields": [
                    "reading", "scope", "severity", "comparison", "threshold", "for_seconds", "resolve_seconds",
                    "cool_down_seconds", "unknown_severity", "unknown_seconds",
                ]
            },
        ),
        (
            "Who is told",
            {
                "fields": [
                    "channels", "group", "muted_by", "tell_resolved", "escalate_seconds", "escalate_channels",
                    "remind_seconds",
                ]
            },
        ),
        ("Quiet hours", {"fields": ["quiet_from", "quiet_until", "quiet_zone", "critical_pierces"]}),
        ("What it was worth", {"fields": ["show_worth", "show_trials", "version", "updated_by", "updated_at"]}),
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: AlertRule | None = None) -> list[str]:
        """Freeze the name once there is one."""
        return [*self.readonly_fields, *(["slug"] if obj else [])]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        """Return the rules, each with what it was worth lately."""
        since = process_clock().now() - LOOKED_BACK
        lately = Q(alerts__fired_at__gte=since)
        alone = lately & Q(alerts__acknowledged_by="", alerts__resolved_at__lt=F("alerts__fired_at") + SECONDS)
        false = lately & Q(alerts__label=Alert.Label.FALSE)
        return (
            super()
            .get_queryset(request)
            .annotate(
                fired=Count("alerts", filter=lately), brief=Count("alerts", filter=alone),
                false=Count("alerts", filter=false),
            )
        )  # fmt: skip

    @admin.display(description="when")
    def show_when(self, row: AlertRule) -> str:
        """Return what is measured and where it is wrong, in words."""
        return f"{row.reading} {row.get_comparison_display()} {plain(row.threshold)}"

    @admin.display(description="fired in 7 days", ordering="fired")
    def show_fired(self, row: AlertRule) -> int:
        """Return how many alerts it raised."""
        return int(row.fired)  # type: ignore[attr-defined]  # annotated above

    @admin.display(description="over in seconds", ordering="brief")
    def show_brief(self, row: AlertRule) -> int:
        """Return how many of them were over by themselves at once."""
        return int(row.brief)  # type: ignore[attr-defined]  # annotated above

    @admin.display(description="false alarms", ordering="false")
    def show_false(self, row: AlertRule) -> int:
        """Return how many of them people called false."""
        return int(row.false)  # type: ignore[attr-defined]  # annotated above

    @admin.display(description="in 7 days")
    def show_worth(self, row: AlertRule) -> str:
        """Return what it was worth, in a sentence."""
        since = process_clock().now() - LOOKED_BACK
        return next((_words(worth) for worth in worth_of_rules(since) if worth.rule == row.slug), "")

    @admin.display(description="with other numbers")
    def show_trials(self, row: AlertRule) -> SafeString | str:
        """Return how often it would have fired, over what was recorded."""
        now = process_clock().now()
        tried = try_rule(row, usual_variants(row), now - LOOKED_BACK, now)
        lines = ((plain(one.threshold), one.for_seconds, one.fired, "as it is" if one.present else "") for one in tried)
        return format_html_join("", "<div>{} for {} s: {} times {}</div>", lines)

    def save_model(self, request: HttpRequest, obj: AlertRule, form: Any, change: bool) -> None:  # noqa: ANN401, FBT001  Django's signature
        """Write who changed it."""
        obj.version += int(change)
        obj.updated_by = request.user.get_username()[:150]
        super().save_model(request, obj, form, change)
