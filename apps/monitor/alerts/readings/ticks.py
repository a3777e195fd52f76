"""Ticks that failed or came too late, and strategies that were paused for it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from apps.exchanges.bulk import fetch
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import Measured, Readings, number, scope

WINDOW = timedelta(minutes=5)
# Fewer ticks than this within WINDOW say nothing about a strategy.
FEWEST = 3


def tick_failures(look: Look) -> Readings:
    """Return the share of each running strategy's ticks within WINDOW that failed or were never carried out."""
    rows = fetch(
        "SELECT s.slug, a.code, count(t.id) FILTER (WHERE t.status IN ('failed', 'expired')),"
        " count(t.id) FILTER (WHERE t.status IN ('done', 'failed', 'expired')), max(left(t.error, 200))"
        " FROM strategies_strategy s JOIN exchanges_account a ON a.id = s.account_id"
        " LEFT JOIN strategies_tick t ON t.strategy_id = s.id AND t.due_at >= %s"
        " WHERE s.enabled GROUP BY 1, 2",
        (look.now - WINDOW,),
    )
    return {
        scope("strategy", slug): Measured(
            number(Decimal(bad) / Decimal(count)) if count >= FEWEST else Decimal(0),
            f"{bad} of {count} ticks" + (f": {error}" if error else ""),
            (scope("account", account),),
        )
        for slug, account, bad, count, error in rows
    }


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
