"""Takes due ticks for one worker: a compare-and-set, so a message that comes twice finds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from apps.exchanges.bulk import fetch
from apps.strategies.models import Tick


def ticks_lease(tick_ids: Sequence[int], worker: str, now: datetime) -> list[Tick]:
    """Return those ticks that were due and are ours now, with their strategies and accounts.

    What is no longer due, or past its deadline, is left to whoever has it or to the dispatcher.
    """
    lease = f"{worker[:31]}/{uuid4().hex}"
    rows = fetch(
        "UPDATE strategies_tick SET status = 'running', lease = %s, started_at = %s"
        " WHERE id = ANY(%s) AND status = 'due' AND deadline > %s RETURNING id",
        (lease, now, list(tick_ids), now),
    )
    ours = Tick.objects.filter(pk__in=[tick_id for (tick_id,) in rows])
    return list(ours.select_related("strategy__account").order_by("pk"))
