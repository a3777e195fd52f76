"""Ticks that failed or came too late, and strategies that were paused for it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from apps.exchanges.bulk import fetch
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import Measured, Readings, number, scope

WINDOW = timedelta(minutes=5)
# Fewer ticks than this say nothing about a strategy.
FEWEST = 3


# One that ticks too seldom for that is judged by its latest FEWEST, if they came within so many of its periods: who has
# only just been enabled is not judged by what was long ago.
PERIODS = FEWEST + 1
_OVER = "t.status IN ('done', 'failed', 'expired')"
_COUNTED = "count(*) FILTER (WHERE t.status IN ('failed', 'expired')), count(t.id), max(left(t.error, 200))"
_LATELY = (
    f"SELECT s.slug, a.code, {_COUNTED} FROM strategies_strategy s JOIN exchanges_account a ON a.id = s.account_id"  # noqa: S608  our own words
    f" LEFT JOIN strategies_tick t ON t.strategy_id = s.id AND t.due_at >= %s AND {_OVER} WHERE s.enabled GROUP BY 1, 2"
)
_LATEST = (
    f"SELECT s.slug, {_COUNTED} FROM strategies_strategy s CROSS JOIN LATERAL ("  # noqa: S608  our own words
    f"SELECT t.id, t.status, t.error FROM strategies_tick t WHERE t.strategy_id = s.id AND t.trigger = s.trigger"
    f" AND {_OVER} AND t.due_at >= %s - make_interval(secs => {PERIODS} * s.cadence_seconds) ORDER BY t.id DESC"
    f" LIMIT {FEWEST}) t WHERE s.enabled AND {FEWEST} * s.cadence_seconds > %s GROUP BY 1"
)


def tick_failures(look: Look) -> Readings:
    """Return the share of each running strategy's ticks that failed or were never carried out, of WINDOW or the latest.

    Too few say nothing about a strategy.
    """
    slow = {slug: counted for slug, *counted in fetch(_LATEST, (look.now, WINDOW.total_seconds()))}
    found = {}
    for slug, account, *lately in fetch(_LATELY, (look.now - WINDOW,)):
        bad, count, error = lately if lately[1] >= FEWEST else slow.get(slug, lately)
        found[scope("strategy", slug)] = Measured(
            number(Decimal(bad) / Decimal(count)) if count >= FEWEST else Decimal(0),
            f"{bad} of {count} ticks" + (f": {error}" if error else ""),
            (scope("account", account),),
        )
    return found


def tick_age(look: Look) -> Readings:
    """Return how many of its periods ago each strategy that ticks by the clock was last due: who is left out shows."""
    rows = fetch(
        "SELECT s.slug, a.code, s.cadence_seconds, max(t.due_at) FROM strategies_strategy s"
        " JOIN exchanges_account a ON a.id = s.account_id"
        " LEFT JOIN strategies_tick t ON t.strategy_id = s.id AND t.due_at >= %s"
        " WHERE s.enabled AND s.paused_reason = '' AND s.trigger = 'interval' GROUP BY 1, 2, 3",
        (look.now - timedelta(days=3),),
    )
    return {
        scope("strategy", slug): Measured(
            None if at is None else number(Decimal(repr(look.since(at))) / every),
            "it has never been due" if at is None else f"last due {at:%F %T} UTC, every {every} s",
            (scope("account", account),),
        )
        for slug, account, every, at in rows
    }
