"""Topics ``gates``, ``breakers``, ``vetoes``, ``releases`` and ``drills``: what may trade, what tripped, what halts."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q

from apps.exchanges.models import TradingState, Veto
from apps.monitor.api.stream.sources.words import amount, milliseconds_between, moment
from apps.monitor.api.stream.table import Rows
from apps.risk.models import BreakerState, DrillRun
from apps.risk.models.breakers import SHARES
from apps.risk.stopping import releases_waiting
from moondev.domain.clock import Clock

# A halt that is done is still worth seeing for a while.
DONE_SHOWN = timedelta(hours=1)


def read_gates(_words: tuple[str, ...], _clock: Clock) -> Rows:
    """Return the trading state of every scope that has one."""
    return {
        f"{state.scope_kind}:{state.scope_key}": {
            "kind": state.scope_kind,
            "key": state.scope_key,
            "mode": state.mode,
            "reason": state.reason,
            "actor": state.actor,
            "at": moment(state.changed_at),
        }
        for state in TradingState.objects.order_by("pk")
    }


def read_breakers(_words: tuple[str, ...], _clock: Clock) -> Rows:
    """Return every breaker in every scope where it was measured."""
    states = BreakerState.objects.select_related("breaker").filter(breaker__enabled=True).order_by("pk")
    return {
        f"{state.breaker.code}/{state.scope_kind}:{state.scope_key}": {
            "breaker": state.breaker.code,
            "metric": state.breaker.get_metric_display(),
            "scope": f"{state.scope_kind}:{state.scope_key}",
            "mode": state.mode,
            "reading": amount(state.reading),
            "threshold": amount(state.breaker.threshold),
            "share": state.breaker.metric in SHARES,
            "recovery": state.breaker.recovery,
            "since": moment(state.since),
        }
        for state in states
    }


def read_vetoes(_words: tuple[str, ...], clock: Clock) -> Rows:
    """Return halts that are not done, and those that were done within the last hour."""
    recent = Q(done_at=None) | Q(done_at__gt=clock.now() - DONE_SHOWN)
    return {
        str(veto.pk): {
            "venue": veto.venue_id,
            "scope": f"{veto.scope_kind}:{veto.scope_key}",
            "flatten": veto.flatten,
            "stage": veto.stage,
            "reason": veto.reason,
            "actor": veto.actor,
            "detail": veto.detail,
            "engaged": moment(veto.engaged_at),
            "done_ms": milliseconds_between(veto.engaged_at, veto.done_at),
        }
        for veto in Veto.objects.filter(recent).order_by("-pk")[:100]
    }


def read_releases(_words: tuple[str, ...], clock: Clock) -> Rows:
    """Return the releases that wait for a second person."""
    return {
        str(release.pk): {
            "scope": f"{release.scope_kind}:{release.scope_key}",
            "reason": release.reason,
            "asked_by": release.asked_by,
            "asked": moment(release.asked_at),
            "expires": moment(release.expires_at),
        }
        for release in releases_waiting(clock.now())
    }


def read_drills(_words: tuple[str, ...], _clock: Clock) -> Rows:
    """Return the latest rehearsals of the kill switch."""
    return {
        str(drill.pk): {
            "scope": f"{drill.scope_kind}:{drill.scope_key}",
            "state": drill.state,
            "asked_by": drill.asked_by,
            "asked": moment(drill.asked_at),
            "first_cancel_ms": drill.first_cancel_ms,
            "done_ms": drill.done_ms,
            "problems": list(drill.problems),
        }
        for drill in DrillRun.objects.order_by("-pk")[:5]
    }
