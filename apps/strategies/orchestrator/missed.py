"""Bars that nobody decided on: made due again while they are still the newest.

A bar comes once a minute or once a day, so a tick that was lost between broker and worker must not cost the whole
interval. The late tick is a new occasion with a deadline of its own: what expired is still never executed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.exchanges.bulk import fetch
from apps.strategies.models import Trigger
from apps.strategies.orchestrator.due import Due, Enabled

TRIES = 3
_MARK = "~"


def missed_bars(now: datetime) -> list[Due]:
    """Return an occasion for each strategy whose newest bar tick expired; at most TRIES ticks for one bar.

    A bar stays worth a tick until the next one is due to close.
    """
    rows = fetch(
        "SELECT s.id, s.trigger, s.cadence_seconds, s.book_move_bps, s.priority, s.deadline_ms, s.overruns,"
        " last.event, last.due_at FROM strategies_strategy s CROSS JOIN LATERAL ("
        " SELECT t.event, t.due_at, t.status FROM strategies_tick t WHERE t.strategy_id = s.id AND t.trigger = %s"
        " ORDER BY t.id DESC LIMIT 1) last"
        " WHERE s.enabled AND s.paused_reason = '' AND s.trigger = %s AND last.status = 'expired'",
        (Trigger.BAR.value, Trigger.BAR.value),
    )
    missed = [(Enabled(*row[:-2]), str(row[-2]), row[-1]) for row in rows]
    return [
        Due(strategy, Trigger.BAR.value, again, closed_at)
        for strategy, event, closed_at in missed
        if now < closed_at + timedelta(seconds=strategy.cadence_seconds) and (again := _again(event))
    ]


def _again(event: str) -> str:
    """Return the name of the next try for the bar of `event`; nothing after the last."""
    bar, _, count = event.partition(_MARK)
    tries = int(count or 1)
    return f"{bar}{_MARK}{tries + 1}" if tries < TRIES else ""
