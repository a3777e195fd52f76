"""Alerts: list, read, acknowledge."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException

from apps.monitor.alerts.history.report import worth_of_rules
from apps.monitor.alerts.services import alert_acknowledge
from apps.monitor.api.alerts.schemas import Acknowledged, AlertTold, Days, Label, Report, Severity, State, WorthTold
from apps.monitor.api.paging import Before, Id, Limit, Page, Word, given, page
from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import KEYED, READ, WRITE
from apps.monitor.audit.acting import because
from apps.monitor.models import Alert
from moondev.domain.clock import process_clock

Reader = Annotated[Caller, Depends(allowed("monitor.view_alert"))]
Answerer = Annotated[Caller, Depends(allowed("monitor.change_alert"))]

router = APIRouter(prefix="/alerts", tags=["alerts"])
_SAME = (
    "about", "severity", "scope", "title", "detail", "value", "threshold", "state", "resolved_at", "acknowledged_by",
    "acknowledged_at", "acknowledge_reason", "label", "count", "held",
)  # fmt: skip


@router.get("", responses=READ)
async def listed(
    _: Reader,
    state: State | None = None,
    severity: Severity | None = None,
    rule: Word = None,
    scope: Word = None,
    label: Label | None = None,
    before: Before = None,
    limit: Limit = 100,
) -> Page[AlertTold]:
    """List alerts, also those that are over."""
    chosen = given(state=state, severity=severity, rule__slug=rule, scope=scope, label=label)
    rows = Alert.objects.filter(**chosen).select_related("rule")
    return await in_thread(page, rows, before, limit, told)


@router.get("/report", responses=READ)
async def report(_: Reader, days: Days = 7) -> Report:
    """Say how often each rule fired lately, and how often for nothing."""
    return await in_thread(_report, days)


@router.get("/{alert_id}", responses=WRITE)
async def read(alert_id: Id, _: Reader) -> AlertTold:
    """Return one alert."""
    return await in_thread(lambda: told(_alert(alert_id)))


@router.post("/{alert_id}/acknowledge", responses=WRITE, dependencies=KEYED)
async def acknowledge(alert_id: Id, asked: Acknowledged, caller: Answerer) -> AlertTold:
    """Say that you have it in hand: reminders and escalations end. Its end is told as always."""
    return await in_thread(_acknowledge, alert_id, asked, caller.username)


def _report(days: int) -> Report:
    since = process_clock().now() - timedelta(days=days)
    items = [WorthTold(**asdict(one), false_share=one.false_share) for one in worth_of_rules(since)]
    return Report(since=since, items=items)


def told(alert: Alert) -> AlertTold:
    """Return what is told of an alert."""
    same = {name: getattr(alert, name) for name in _SAME}
    return AlertTold(id=alert.pk, rule=alert.rule.slug, since=alert.fired_at, advice=alert.rule.advice, **same)


def _acknowledge(alert_id: int, asked: Acknowledged, actor: str) -> AlertTold:
    _alert(alert_id)
    with because(asked.reason):
        alert = alert_acknowledge(
            alert_id=alert_id, actor=actor, reason=asked.reason, now=process_clock().now(), label=asked.label or ""
        )
    return told(alert)


def _alert(alert_id: int) -> Alert:
    found = Alert.objects.select_related("rule").filter(pk=alert_id).first()
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no alert {alert_id}")
    return found
