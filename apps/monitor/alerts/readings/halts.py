"""Halts: that one was engaged, that one does not get done, that a rehearsal failed."""

from __future__ import annotations

from apps.exchanges.bulk import fetch
from apps.exchanges.models import TradingMode
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import NO, YES, Measured, Readings, number, scope
from apps.risk.models import DrillRun

# The halt of a rehearsal, and the history of it, give this reason.
DRILL = "drill"


def halt_engaged(_look: Look) -> Readings:
    """Return 1 for a scope that a halt has stopped and that nobody has released since. Rehearsals do not count.

    A halt of many venues is one: its scope's. What was never let go (a new account) nobody has stopped.
    """
    rows = fetch(
        "SELECT v.scope_kind, v.scope_key, s.mode, min(v.actor), min(v.reason)"
        " FROM exchanges_veto v JOIN exchanges_tradingstate s"
        " ON s.scope_kind = v.scope_kind AND s.scope_key = v.scope_key AND s.epoch = v.epoch"
        " WHERE v.reason <> %s GROUP BY 1, 2, 3",
        (DRILL,),
    )
    return {
        f"{kind}:{key}": Measured(NO if mode == TradingMode.ACTIVE else YES, f"{mode} by {actor}: {reason}")
        for kind, key, mode, actor, reason in rows
    }


def halt_open_seconds(look: Look) -> Readings:
    """Return for how long each halt that is not done yet has been under way, at each venue."""
    rows = fetch(
        "SELECT scope_kind, scope_key, venue_id, min(engaged_at), min(stage), min(left(detail, 200))"
        " FROM exchanges_veto WHERE done_at IS NULL GROUP BY 1, 2, 3"
    )
    return {
        scope("halt", f"{kind}:{key}/{venue}"): Measured(
            number(look.since(at)), f"{stage} {detail}".strip(), (f"{kind}:{key}", scope("venue", venue))
        )
        for kind, key, venue, at, stage, detail in rows
    }


def drill_failed(_look: Look) -> Readings:
    """Return 1 for a scope whose latest rehearsal of the kill switch failed."""
    rows = DrillRun.objects.exclude(state__in=[DrillRun.State.WAITING, DrillRun.State.RUNNING])
    latest = rows.order_by("scope_kind", "scope_key", "-pk").distinct("scope_kind", "scope_key")
    return {
        f"{row.scope_kind}:{row.scope_key}": Measured(
            YES if row.state == DrillRun.State.FAILED else NO, "; ".join(str(words) for words in row.problems)[:400]
        )
        for row in latest
    }
