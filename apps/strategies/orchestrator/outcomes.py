"""How ticks end: done, failed or expired, with what their strategies remember and what operators can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from apps.strategies.models import Tick, TickStatus
from apps.strategies.orchestrator import rows
from apps.strategies.orchestrator.counted import ticks_count
from apps.strategies.orchestrator.report import report_of
from apps.strategies.orchestrator.telling import endings_told
from apps.strategies.orchestrator.work import Failed, Ready
from moondev.domain.decisions import RiskRefused
from moondev.domain.orders import PlaceOrder

OVERRUNS_THAT_PAUSE = 3
NO_COUNTS = (0, 0, 0, 0)


def end_ready(kept: Sequence[Ready], refused_late: Sequence[RiskRefused], record_ms: float, now: datetime) -> None:
    """End recorded ticks as done, and save what their strategies remember.

    `refused_late` are the refusals of the reservation; `record_ms` what writing the shard took so far.
    """
    late = {refusal.request.client_order_id: refusal for refusal in refused_late}
    rows.strategies_save([after for one in kept if (after := _after(one)) is not None])
    _end([_ending(one, late, record_ms) for one in kept], now)
    rows.events_append(
        [(one.tick.strategy.slug, now, "paused", _pause(one)) for one in kept if _pause(one)],
    )


def end_failed(failed: Sequence[Failed], now: datetime) -> None:
    """End ticks as failed, each with an event; a strategy that is too slow too often is paused."""
    if not failed:
        return
    _end(
        [
            rows.Ending(one.tick, TickStatus.FAILED, one.decide_ms, NO_COUNTS, one.code_hash, {}, one.message[:2_000])
            for one in failed
        ],
        now,
    )
    events = [(one.tick.strategy.slug, now, one.kind, one.message[:2_000]) for one in failed]
    slow = [one for one in failed if one.overrun]
    rows.strategies_save([_slower(one.tick) for one in slow])
    events += [(one.tick.strategy.slug, now, "paused", _pause_reason(one.tick)) for one in slow if _pauses(one.tick)]
    rows.events_append(events)


def expire(ticks: Sequence[Tick], now: datetime) -> None:
    """End ticks that were not in time; nothing of them has been written."""
    error = "its deadline passed before it could be recorded"
    _end([rows.Ending(tick, TickStatus.EXPIRED, None, NO_COUNTS, "", {}, error) for tick in ticks], now)


def _end(endings: Sequence[rows.Ending], now: datetime) -> None:
    rows.ticks_end(endings, now)
    endings_told(endings, now)
    ticks_count([(ending.tick.strategy.slug, ending.status) for ending in endings])


def _ending(one: Ready, late: Mapping[UUID, RiskRefused], record_ms: float) -> rows.Ending:
    approved = one.reviewed.approved
    placed = [a for a in approved if isinstance(a.request, PlaceOrder) and a.request.client_order_id not in late]
    amended = [a for a in approved if not isinstance(a.request, PlaceOrder)]
    own_late = [late[a.request.client_order_id] for a in approved if a.request.client_order_id in late]
    refused = [*one.reviewed.refused, *own_late]
    return rows.Ending(
        tick=one.tick,
        status=TickStatus.DONE,
        decide_ms=one.decided.decide_ms,
        counts=(len(placed), len(amended), len(one.reviewed.cancels), len(refused)),
        code_hash=one.decided.work.loaded.code_hash,
        report=report_of(one, refused, {**one.stages_ms, "record": record_ms}),
        error="",
    )


def _after(one: Ready) -> rows.StrategyAfter | None:
    """Return what changes in the strategy's row; None when nothing does."""
    strategy, state = one.tick.strategy, dict(one.decided.decision.state)
    changed = state if state != strategy.state else None
    if one.decided.overrun:
        slower = _slower(one.tick)
        return rows.StrategyAfter(one.tick, changed, slower.overruns, slower.paused_reason)
    if changed is None and strategy.overruns == 0:
        return None
    return rows.StrategyAfter(one.tick, changed, 0, "")


def _slower(tick: Tick) -> rows.StrategyAfter:
    reason = _pause_reason(tick) if _pauses(tick) else ""
    return rows.StrategyAfter(tick, None, tick.strategy.overruns + 1, reason)


def _pauses(tick: Tick) -> bool:
    return tick.strategy.overruns + 1 >= OVERRUNS_THAT_PAUSE


def _pause_reason(tick: Tick) -> str:
    return f"decide was too slow {tick.strategy.overruns + 1} times in a row"


def _pause(one: Ready) -> str:
    return _pause_reason(one.tick) if one.decided.overrun and _pauses(one.tick) else ""
