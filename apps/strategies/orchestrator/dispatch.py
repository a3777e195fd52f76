"""Turns due strategies into tick rows, and rows into as few messages as isolation allows."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from kombu.exceptions import OperationalError

from apps.exchanges.bulk import fetch, run, values_fetch
from apps.strategies.models import TickStatus
from apps.strategies.orchestrator.counted import ticks_count
from apps.strategies.orchestrator.deadlines import real_time_from
from apps.strategies.orchestrator.due import Due
from moondev.celery import send
from moondev.domain.clock import Clock
from moondev.logs import said

logger = logging.getLogger(__name__)

TICK_TASK = "strategies.tick"
TICKS_KEPT = timedelta(days=7)
PRUNED_AT_ONCE = 1_000


def dispatch(due: Sequence[Due], clock: Clock) -> list[Due]:
    """Make a tick of every occasion that has none yet and publish them; return those that have to wait.

    An occasion waits while its strategy has a tick outstanding. Two dispatchers may do this at once: the row is
    unique, and only who inserts it publishes it.
    """
    if not due:
        return []
    now = clock.now()
    expire_overdue(now, [occasion.strategy.strategy_id for occasion in due])
    made = _insert(due, clock, now)
    _publish(
        [(occasion, made[occasion.strategy.strategy_id]) for occasion in due if occasion.strategy.strategy_id in made]
    )
    return _waiting([occasion for occasion in due if occasion.strategy.strategy_id not in made])


def expire_overdue(now: datetime, strategy_ids: Iterable[int] | None = None) -> int:
    """Expire outstanding ticks past their deadline, of some strategies or (None) of all; return how many."""
    chosen = None if strategy_ids is None else list(strategy_ids)
    expired = fetch(
        "UPDATE strategies_tick t SET status = 'expired', finished_at = %s,"
        " error = CASE status WHEN 'due' THEN 'no worker took it in time' ELSE 'its worker did not finish in time' END"
        " WHERE id IN (SELECT id FROM strategies_tick WHERE status IN ('due', 'running') AND deadline <= %s"
        " AND (%s::bigint[] IS NULL OR strategy_id = ANY(%s)) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)"
        " RETURNING (SELECT slug FROM strategies_strategy s WHERE s.id = t.strategy_id)",
        (now, now, chosen, chosen),
    )
    ticks_count([(slug, TickStatus.EXPIRED.value) for (slug,) in expired])
    return len(expired)


def prune(now: datetime) -> int:
    """Delete some of the finished ticks that are older than TICKS_KEPT; return how many."""
    return run(
        "DELETE FROM strategies_tick WHERE id IN (SELECT id FROM strategies_tick"
        " WHERE due_at < %s AND status NOT IN ('due', 'running') ORDER BY due_at LIMIT %s)",
        (now - TICKS_KEPT, PRUNED_AT_ONCE),
    )


def shards(due: Sequence[tuple[Due, int]]) -> list[tuple[int, list[tuple[Due, int]]]]:
    """Return (priority, occasions with tick ids) per message, most urgent first.

    Strategies of one priority share TICK_SHARDS messages; one that was too slow last time travels alone, so that it
    holds nobody up.
    """
    together: dict[tuple[int, int], list[tuple[Due, int]]] = {}
    for position, (occasion, tick_id) in enumerate(sorted(due, key=lambda pair: pair[0].strategy.strategy_id)):
        strategy = occasion.strategy
        shard = -strategy.strategy_id if strategy.overruns else position % settings.TICK_SHARDS
        together.setdefault((strategy.priority, shard), []).append((occasion, tick_id))
    return [(priority, together[priority, shard]) for priority, shard in sorted(together, key=lambda k: (-k[0], k[1]))]


def _insert(due: Sequence[Due], clock: Clock, now: datetime) -> dict[int, int]:
    rows = values_fetch(
        "INSERT INTO strategies_tick (strategy_id, trigger, event, status, due_at, deadline, lease, placed, amended,"
        " cancelled, refused, parameters_version, code_hash, report, error) VALUES %s"
        " ON CONFLICT DO NOTHING RETURNING strategy_id, id",
        [
            (
                occasion.strategy.strategy_id, occasion.trigger, occasion.event, occasion.at,
                real_time_from(clock, now, timedelta(milliseconds=occasion.strategy.deadline_ms)),
            )
            for occasion in sorted(due, key=lambda o: o.strategy.strategy_id)
        ],
        "(%s, %s, %s, 'due', %s, %s, '', 0, 0, 0, 0, 0, '', '{}', '')",
    )  # fmt: skip
    return {strategy_id: tick_id for strategy_id, tick_id in rows}  # noqa: C416  rows are of any length to mypy


def _publish(made: Sequence[tuple[Due, int]]) -> None:
    for occasion, tick_id in made:
        logger.debug("tick due: %s %s", occasion.trigger, occasion.event, extra=said(tick=str(tick_id)))
    for priority, shard in shards(made):
        expires_s = max(occasion.strategy.deadline_ms for occasion, _ in shard) / 1000
        try:
            send(TICK_TASK, urgency=priority, expires_s=expires_s, tick_ids=[tick_id for _, tick_id in shard])
        except (OperationalError, OSError) as error:
            logger.warning("%s ticks were not published, they expire: %s", len(shard), error)


def _waiting(left: Sequence[Due]) -> list[Due]:
    """Return those of `left` whose occasion has no tick: they were held off by another one."""
    if not left:
        return []
    known = fetch(
        "SELECT strategy_id, trigger, event FROM strategies_tick WHERE strategy_id = ANY(%s) AND event = ANY(%s)",
        ([occasion.strategy.strategy_id for occasion in left], [occasion.event for occasion in left]),
    )
    return [o for o in left if (o.strategy.strategy_id, o.trigger, o.event) not in set(known)]
