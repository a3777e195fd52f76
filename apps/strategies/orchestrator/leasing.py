"""Takes due ticks for one worker: a compare-and-set, so a message that comes twice finds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from apps.exchanges.bulk import fetch
from apps.strategies.models import Tick

# A message with fewer ticks than this takes along what else is waiting: one tick alone costs nearly what twenty cost
# together, so a worker that has fallen behind catches up by itself.
BATCH = 25


def ticks_lease(tick_ids: Sequence[int], worker: str, now: datetime) -> list[Tick]:
    """Return those ticks that were due and are ours now, with their strategies and accounts.

    Fills up to BATCH with other due ticks that are no less urgent; a strategy that was too slow last time is never
    taken along, so that it holds nobody up. What is no longer due, or past its deadline, is left to whoever has it
    or to the dispatcher.
    """
    lease = f"{worker[:31]}/{uuid4().hex}"
    ids = list(tick_ids)
    rows = fetch(
        # Materialised: PostgreSQL may run a plain sub-select with LIMIT twice, and take more than its limit.
        "WITH taken AS MATERIALIZED ("
        " SELECT t.id FROM strategies_tick t JOIN strategies_strategy s ON s.id = t.strategy_id"
        " WHERE t.status = 'due' AND t.deadline > %s AND (t.id = ANY(%s) OR s.overruns = 0 AND s.priority >= ("
        " SELECT min(n.priority) FROM strategies_strategy n JOIN strategies_tick m ON m.strategy_id = n.id"
        " WHERE m.id = ANY(%s) AND m.status = 'due'))"
        " ORDER BY t.id = ANY(%s) DESC, s.priority DESC, t.id LIMIT %s FOR NO KEY UPDATE OF t SKIP LOCKED)"
        " UPDATE strategies_tick SET status = 'running', lease = %s, started_at = %s"
        " WHERE id IN (SELECT id FROM taken) RETURNING id",
        (now, ids, ids, ids, max(BATCH, len(ids)), lease, now),
    )
    ours = Tick.objects.filter(pk__in=[tick_id for (tick_id,) in rows])
    return list(ours.select_related("strategy__account__venue").order_by("pk"))
