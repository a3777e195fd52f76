"""Gather what a report has to say, from the books, the equity series, the risk floor's history and the audit trail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import numpy as np
from django.db.models import Case, Model, Q, QuerySet, When

from apps.exchanges.models import Account, AccountEvent, ScopeKind
from apps.exchanges.models.venues import Environment
from apps.monitor.analytics.drift import drifts
from apps.monitor.analytics.figures import figures, usual
from apps.monitor.analytics.period import Period
from apps.monitor.analytics.reports.content import Content, Happened
from apps.monitor.analytics.reports.days import Stretch
from apps.monitor.analytics.returns import Points, read_points, returns_of
from apps.monitor.analytics.scopes import TOTAL, Subject, subjects
from apps.monitor.analytics.trips import Trip, trips_closed
from apps.monitor.models import Alert, AuditEntry, Severity
from apps.risk.models import BreakerChange, RiskEvent
from apps.risk.portfolio.conversion import conversion_between
from moondev.domain.clock import milliseconds

# What is usual is what was so in so many days before.
LATELY_DAYS = 30
STEPS = 280
# The oldest points are kept an hour apart; a longer gap is one.
THINNEST_MS = 75 * 60_000
MOST_EVENTS, MOST_CHANGES = 12, 12
M = TypeVar("M", bound=Model)
NONE_GRAVE = Q(pk__in=[])
MOST_REAL_FIRST = (Environment.LIVE, Environment.TESTNET, Environment.PAPER)
# Changes of these are worth reading; the trail itself has all of them.
CHANGED = (
    "limit", "rule", "breaker", "strategy", "gate", "stage's terms", "portfolio", "account", "venue", "trading state",
    "user", "user's role", "API token", "signer", "transfer", "strategy's code", "alert rule",
)  # fmt: skip


def gather(stretch: Stretch, now: datetime) -> Content | None:
    """Return what there is to say of the most real money that is there; None while there is no account at all."""
    known = {subject.environment: subject for subject in subjects(TOTAL)}
    whole = next((known[name] for name in MOST_REAL_FIRST if name in known), None)
    if whole is None:
        return None
    period = stretch.period
    lately = Period.before(period.start, LATELY_DAYS)
    own = subjects(ScopeKind.STRATEGY.value, whole.environment)
    here, *strategies = figures([whole, *own], period, now)
    all_lately, *strategies_lately = usual([whole, *own], lately, now)
    earlier = read_points([whole.scope], stretch.before.period)
    points = read_points([whole.scope], period)
    changes = _changes(period)
    risk, more_risk = _risk(whole, period)
    alerts, more_alerts = _alerts(period)
    return Content(
        stretch=stretch,
        environment=whole.environment,
        currency=whole.currency,
        whole=here,
        before=returns_of(earlier.get(whole.scope)),
        lately=all_lately,
        strategies=strategies,
        strategies_lately=strategies_lately,
        trips=sorted(_trips(whole, period, now), key=lambda trip: trip.net, reverse=True),
        drifts=drifts(now),
        risk=risk,
        more_risk=more_risk,
        alerts=alerts,
        more_alerts=more_alerts,
        changes=changes[:MOST_CHANGES],
        more_changes=len(changes[MOST_CHANGES:]),
        equity=_equity(points.get(whole.scope), period),
    )


def _trips(whole: Subject, period: Period, now: datetime) -> list[Trip]:
    """Return the trips that ended in a period, all in one currency; without those of which one has no rate."""
    trips = trips_closed(sorted(whole.accounts), period)
    own = dict(Account.objects.filter(pk__in=whole.accounts).values_list("pk", "currency"))
    rates = conversion_between([(one, whole.currency) for one in {*own.values(), *(t.currency for t in trips)}], now)
    found = []
    for trip in trips:
        prices, costs = rates.rate(trip.currency, whole.currency), rates.rate(own[trip.account_id], whole.currency)
        if prices is not None and costs is not None:
            found.append(replace(trip.times(prices, costs), currency=whole.currency))
    return found


def _equity(points: Points | None, period: Period) -> list[float | None]:
    """Return equity at even steps: the last point before the end of each, unless that is older than points ever are."""
    if points is None:
        return []
    first, last = milliseconds(period.start), milliseconds(period.end)
    ends = np.linspace(first, last, STEPS + 1)[1:]
    places = np.searchsorted(points.at, ends, side="right") - 1
    known = (places >= 0) & (ends - points.at[np.maximum(places, 0)] <= THINNEST_MS)
    return [float(points.equity[place]) if seen else None for place, seen in zip(places, known, strict=True)]


def _risk(whole: Subject, period: Period) -> tuple[list[Happened], int]:
    """Return breaker trips, vetoes, broken limits and alarms of accounts, oldest first, and how many are left out."""
    kinds = [RiskEvent.Kind.BREACH, RiskEvent.Kind.VETO]
    events, more = _gravest(_within(RiskEvent.objects.all(), "at", period), "at", Q(kind__in=kinds))
    found = [
        Happened(row.at, row.get_kind_display(), _scope(row.scope_kind, row.scope_key), row.message, row.actor,
                 row.kind in kinds)
        for row in events
    ]  # fmt: skip
    changes = BreakerChange.objects.filter(mode_to="open").select_related("breaker")
    trips, more_trips = _gravest(_within(changes, "at", period), "at")
    found += [
        Happened(row.at, f"breaker {row.breaker.code} tripped", _scope(row.scope_kind, row.scope_key), row.reason,
                 row.actor, grave=True)
        for row in trips
    ]  # fmt: skip
    alarming = AccountEvent.objects.filter(account__in=whole.accounts).select_related("account")
    alarms, more_alarms = _gravest(_within(alarming, "at", period), "at")
    found += [Happened(row.at, row.get_kind_display(), f"account {row.account.code}", row.message) for row in alarms]
    return sorted(found, key=lambda one: one.at), more + more_trips + more_alarms


def _alerts(period: Period) -> tuple[list[Happened], int]:
    """Return alerts, oldest first, and how many are left out."""
    grave = Q(severity=Severity.CRITICAL)
    rows, more = _gravest(_within(Alert.objects.all(), "fired_at", period), "fired_at", grave)
    found = [
        Happened(row.fired_at or row.since, row.title, row.scope, row.detail, row.acknowledged_by,
                 row.severity == Severity.CRITICAL)
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.at), more


def _within(rows: QuerySet[M], moment: str, period: Period) -> QuerySet[M]:
    return rows.filter(**{f"{moment}__gte": period.start, f"{moment}__lt": period.end})


def _gravest(rows: QuerySet[M], moment: str, grave: Q = NONE_GRAVE) -> tuple[list[M], int]:
    """Return as many as are shown, the grave ones before all others, and how many there are more."""
    shown = list(rows.order_by(Case(When(grave, then=0), default=1), moment, "pk")[:MOST_EVENTS])
    return shown, rows.count() - len(shown)


def _changes(period: Period) -> list[Happened]:
    rows = AuditEntry.objects.filter(at__gte=period.start, at__lt=period.end).order_by("seq")
    actions = [f"{label} {verb}" for label in CHANGED for verb in ("added", "changed", "removed")]
    return [
        Happened(row.at, row.action, row.subject, _difference(row), row.actor)
        for row in rows.filter(action__in=actions)
    ]


def _difference(row: AuditEntry) -> str:
    """Return what changed from what to what, and why if somebody said so."""
    names = [name for name in row.after if row.before.get(name) != row.after[name]] if row.before else []
    parts = [f"{name}: {_short(row.before.get(name))} → {_short(row.after[name])}" for name in names[:3]]
    return "; ".join([*parts, *([row.reason] if row.reason else [])])


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _scope(kind: str, key: str) -> str:
    return kind if kind == ScopeKind.EVERYTHING else f"{kind} {key}"
