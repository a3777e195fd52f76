"""The statements with which a shard of ticks is fenced and written: one each, however many ticks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.exchanges.bulk import Row, fetch, run, values_run
from apps.strategies.models import Tick, TickStatus


@dataclass(frozen=True, slots=True)
class Fenced:
    """A tick that is still ours and in time, with its strategy's row locked beside it."""

    state_version: int
    running: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """How a tick ends; `counts` are placed, amended, cancelled, refused."""

    tick: Tick
    status: TickStatus
    decide_ms: float | None
    counts: tuple[int, int, int, int]
    code_hash: str
    report: Mapping[str, Any]
    error: str


@dataclass(frozen=True, slots=True)
class StrategyAfter:
    """What a tick leaves in its strategy's row; `state` None keeps the stored one."""

    tick: Tick
    state: Mapping[str, Any] | None
    overruns: int
    paused_reason: str


def ticks_fence(ticks: Sequence[Tick], now: datetime, wait_ms: int) -> dict[int, Fenced]:
    """Lock those ticks whose lease is ours and unexpired, and their strategies; return them by id.

    Waits at most `wait_ms` for any lock of this transaction: a tick that cannot be written in time is not written.
    """
    run("SELECT set_config('lock_timeout', %s, true)", (f"{max(wait_ms, 1)}ms",))
    rows = fetch(
        "SELECT t.id, s.state_version, s.enabled AND s.paused_reason = '' FROM strategies_tick t"
        " JOIN strategies_strategy s ON s.id = t.strategy_id"
        " WHERE t.id = ANY(%s) AND t.lease = ANY(%s) AND t.status = 'running' AND t.deadline > %s"
        " ORDER BY t.id FOR NO KEY UPDATE OF t, s",
        ([tick.pk for tick in ticks], sorted({tick.lease for tick in ticks}), now),
    )
    return {row[0]: Fenced(row[1], row[2]) for row in rows}


def ticks_end(endings: Sequence[Ending], now: datetime) -> None:
    """Write how ticks ended, each only while it is still running under our lease."""
    values_run(
        "UPDATE strategies_tick t SET status = v.status, finished_at = v.finished, decide_ms = v.decide_ms,"
        " placed = v.placed, amended = v.amended, cancelled = v.cancelled, refused = v.refused,"
        " parameters_version = v.version, code_hash = v.hash, report = v.report, error = v.error"
        " FROM (VALUES %s) AS v(id, lease, status, finished, decide_ms, placed, amended, cancelled, refused, version,"
        " hash, report, error) WHERE t.id = v.id AND t.lease = v.lease AND t.status = 'running'",
        [_ending_row(ending, now) for ending in sorted(endings, key=lambda e: e.tick.pk)],
        "(%s, %s, %s, %s::timestamptz, %s::float8, %s, %s, %s, %s, %s, %s, %s::jsonb, %s)",
    )


def strategies_save(after: Sequence[StrategyAfter]) -> None:
    """Write states, overruns and pauses; a strategy whose state is no longer the one that was read is left alone.

    A failed tick's strategy is not locked, hence the version here too.
    """
    values_run(
        "UPDATE strategies_strategy s SET state = COALESCE(v.state, s.state),"
        " state_version = s.state_version + CASE WHEN v.state IS NULL THEN 0 ELSE 1 END,"
        " overruns = v.overruns,"
        " paused_reason = CASE WHEN s.paused_reason = '' THEN v.paused ELSE s.paused_reason END"
        " FROM (VALUES %s) AS v(id, version, state, overruns, paused)"
        " WHERE s.id = v.id AND s.state_version = v.version",
        [
            (a.tick.strategy_id, a.tick.strategy.state_version, _json(a.state), a.overruns, a.paused_reason[:300])
            for a in sorted(after, key=lambda a: a.tick.strategy_id)
        ],
        "(%s, %s, %s::jsonb, %s, %s)",
    )


def sizes_save(rows: Sequence[Row]) -> None:
    """Write sizes of signals (strategy, instrument id, side, signal id, weight, quantity, time), replacing old ones."""
    values_run(
        "INSERT INTO strategies_signalsize (strategy, instrument_id, side, signal_id, weight, quantity, created_at)"
        " VALUES %s ON CONFLICT (strategy, instrument_id, side, signal_id)"
        " DO UPDATE SET weight = EXCLUDED.weight, quantity = EXCLUDED.quantity, created_at = EXCLUDED.created_at",
        rows,
    )


def events_append(rows: Sequence[tuple[str, datetime, str, str]]) -> None:
    """Append events (strategy, time, kind, message)."""
    values_run("INSERT INTO strategies_strategyevent (strategy, at, kind, message) VALUES %s", rows)


def _ending_row(ending: Ending, now: datetime) -> Row:
    tick = ending.tick
    return (
        tick.pk, tick.lease, ending.status.value, now, ending.decide_ms, *ending.counts,
        tick.strategy.parameters_version, ending.code_hash, _json(ending.report), ending.error,
    )  # fmt: skip


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(dict(value), allow_nan=False)
