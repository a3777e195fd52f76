"""What becomes of ticks, for the metrics: in real seconds, and only what has been committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from apps.strategies.models import Tick
from apps.strategies.orchestrator.work import Decided, Failed, Ready
from moondev.counting.committed import count_on_commit
from moondev.counting.table import ORDER_STAGES, TICKS
from moondev.domain.clock import Clock


def decision_count(answer: Decided | Failed, clock: Clock) -> Decided | Failed:
    """Count how long after its tick was due a strategy has decided; return its answer with the moment noted."""
    if isinstance(answer, Failed):
        return answer
    now, tick = clock.now(), answer.work.tick
    _observe("decision", tick, clock, now - tick.due_at)
    return replace(answer, decided_at=now)


def approvals_count(kept: Sequence[Ready], clock: Clock) -> None:
    """Count how long after the decisions they were reviewed and written, once the open transaction has committed."""
    count_on_commit(_count_approvals, kept, clock)


def ticks_count(ended: Sequence[tuple[str, str]]) -> None:
    """Count ticks by strategy and how they ended, once the open transaction has committed."""
    if ended:
        count_on_commit(_count_ticks, ended)


def _count_approvals(kept: Sequence[Ready], clock: Clock) -> None:
    now = clock.now()
    for one in kept:
        if one.decided.decided_at is not None:
            _observe("approval", one.tick, clock, now - one.decided.decided_at)


def _count_ticks(ended: Sequence[tuple[str, str]]) -> None:
    for strategy, outcome in ended:
        TICKS.add(strategy, outcome)


def _observe(stage: str, tick: Tick, clock: Clock, passed: timedelta) -> None:
    strategy = tick.strategy
    ORDER_STAGES.observe(clock.wall_seconds(passed.total_seconds()), stage, strategy.slug, strategy.account.venue_id)
