"""Traces of ticks: load, decide, plan, review and record below the tick, each told when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from apps.strategies.models import Tick, TickStatus
from apps.strategies.orchestrator.rows import Ending
from apps.strategies.orchestrator.work import Decided, Failed, Ready
from moondev.domain.clock import process_clock
from moondev.traces.ids import tracing
from moondev.traces.spans import TICK, Stage, stage_ended

MILLISECONDS = 1_000


def loaded(ticks: Iterable[Tick], load_ms: float) -> None:
    """Tell how long it took to read what ticks are decided on: once for the shard, told of each."""
    if tracing():
        for tick in ticks:
            _told(tick, "load", load_ms)


def decided(answer: Decided | Failed) -> None:
    """Tell how long a strategy was asked."""
    if not tracing():
        return
    if isinstance(answer, Failed):
        _told(answer.tick, "decide", answer.decide_ms or 0.0, problem=answer.message)
    else:
        _told(answer.work.tick, "decide", answer.decide_ms)


def planned(ready: Ready | Failed) -> None:
    """Tell how long sizing and planning took, and the review after it."""
    if tracing() and isinstance(ready, Ready):
        review_ms = ready.stages_ms.get("review", 0.0)
        counts = {"approved": len(ready.reviewed.approved), "refused": len(ready.reviewed.refused)}
        _told(ready.tick, "plan", ready.stages_ms.get("plan", 0.0), ago_ms=review_ms)
        _told(ready.tick, "review", review_ms, about=counts)


def ended(endings: Iterable[Ending], committing_ms: float, now: datetime) -> None:
    """Tell of ticks whose end is committed, and of how long that took; `now` is the run's time at their end."""
    if not tracing():
        return
    for one in endings:
        record_ms = (one.report.get("stages_ms") or {}).get("record")
        if record_ms is not None:
            _told(one.tick, "record", record_ms + committing_ms)
        _whole(one, committing_ms, now)


def _whole(one: Ending, committing_ms: float, now: datetime) -> None:
    """Tell the tick itself, from when it was due."""
    tick, (placed, amended, cancelled, refused) = one.tick, one.counts
    since_due = process_clock().wall_seconds((now - tick.due_at).total_seconds())
    about: dict[str, str | int | float] = {
        "strategy": tick.strategy.slug, "venue": tick.strategy.account.venue_id, "trigger": tick.trigger,
        "event": tick.event, "tick": str(tick.pk), "placed": placed, "amended": amended, "cancelled": cancelled,
        "refused": refused,
    }  # fmt: skip
    problem = "" if one.status is TickStatus.DONE else one.error or one.status.value
    seconds = since_due + committing_ms / MILLISECONDS
    stage_ended(Stage(str(tick.pk), TICK, (), seconds, about=about, problem=problem))


def _told(
    tick: Tick,
    name: str,
    took_ms: float,
    *,
    ago_ms: float = 0.0,
    about: Mapping[str, str | int | float] | None = None,
    problem: str = "",
) -> None:
    took, ago = took_ms / MILLISECONDS, ago_ms / MILLISECONDS
    stage_ended(Stage(str(tick.pk), (name,), TICK, took, ago, about or {}, problem))
