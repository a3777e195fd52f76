"""What an operator may do with strategies from their list, each after a question."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from apps.exchanges.admin.confirm import confirmed_action
from apps.exchanges.models import ScopeKind, TradingMode
from apps.risk.admin.steps import FLATTEN, HALT, OPEN_STEPS, RELEASE, step_action
from apps.risk.scope import ScopeId
from apps.strategies import services
from apps.strategies.models import StrategyRow
from moondev.domain.clock import process_clock


def scope_of(row: StrategyRow) -> ScopeId:
    """Return the scope of a strategy."""
    return (ScopeKind.STRATEGY.value, row.slug)


@confirmed_action(
    title="Enable", question="It trades from its next tick on, on its account and instruments.", permission="change"
)
def enable(row: StrategyRow, actor: str, _reason: str) -> str:
    """Let a strategy run."""
    services.strategy_enable(row.pk, actor=actor, now=process_clock().now())
    return f"Enabled {row.slug}"


@confirmed_action(
    title="Disable",
    question="It stops deciding and its orders are cancelled; its stops and positions stay.",
    permission="change",
)
def disable(row: StrategyRow, actor: str, _reason: str) -> str:
    """Stop a strategy."""
    services.strategy_disable(row.pk, actor=actor, now=process_clock().now())
    return f"Disabled {row.slug}"


@confirmed_action(
    title="Pause",
    question="It stops deciding and its orders are cancelled, but it keeps its instruments.",
    permission="change",
    wants_reason=True,
)
def pause(row: StrategyRow, actor: str, reason: str) -> str:
    """Stop a strategy for a while."""
    services.strategy_pause(row.pk, reason=reason, actor=actor, now=process_clock().now())
    return f"Paused {row.slug}"


@confirmed_action(title="Resume", question="It decides again from its next tick on.", permission="change")
def resume(row: StrategyRow, actor: str, _reason: str) -> str:
    """Let a paused strategy run again."""
    services.strategy_resume(row.pk, actor=actor, now=process_clock().now())
    return f"Resumed {row.slug}"


@confirmed_action(title="Run a tick now", question="It decides once, at once, and may trade.", permission="change")
def tick_now(row: StrategyRow, actor: str, _reason: str) -> str:
    """Make a strategy due at once."""
    tick = services.tick_now(row.pk, actor=actor)
    return f"Made {row.slug} due: tick {tick.pk}"


@admin.action(description="Backtest on recorded data…", permissions=["backtest"])
def backtest(_page: Any, _request: HttpRequest, rows: QuerySet[StrategyRow]) -> HttpResponse:  # noqa: ANN401  Django's
    """Ask on what data, for the strategies chosen; who may start backtests is checked there."""
    chosen = urlencode([("strategy", pk) for pk in rows.order_by("slug").values_list("pk", flat=True)])
    return HttpResponseRedirect(f"{reverse('admin:strategies_backtestrun_add')}?{chosen}")


ACTIONS = [
    enable,
    disable,
    pause,
    resume,
    tick_now,
    backtest,
    *(step_action(step, scope_of) for step in (HALT, FLATTEN, RELEASE)),
]


def useful_steps(row: StrategyRow, mode: TradingMode) -> frozenset[str]:
    """Return the names of the actions that would change something for a strategy in trading state `mode`."""
    vetoes = {step.name for step in OPEN_STEPS[mode]}
    if not row.enabled:
        return frozenset({"enable", "backtest", *vetoes})
    return frozenset({"disable", "backtest", *vetoes, *(("resume",) if row.paused_reason else ("pause", "tick_now"))})
