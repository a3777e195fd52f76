"""Rehearsals of the kill switch that somebody asks for and the guard carries out: see `drill`.

The guard takes them, because it works without broker and Redis and holds the keys to look at the venues. Asked for,
a drill is a row; whoever asked reads there how far it has got. One that dies in the middle leaves its halt standing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from apps.exchanges.execution.sessions import Sessions
from apps.exchanges.execution.timing import lasting
from apps.risk.drill import Drill, rehearse, require_paper
from apps.risk.models import DrillRun
from apps.risk.scope import ScopeId
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue

logger = logging.getLogger(__name__)

State = DrillRun.State
# Real seconds: how long a drill waits for its halt to be done, and how long it may take in all.
FOLLOW_SECONDS, LEASE_SECONDS = 120.0, 240.0
DIED = "whoever ran it is gone; its halt stands, if it was engaged"


def drill_start(*, scope: ScopeId, flatten: bool, actor: str, now: datetime) -> DrillRun:
    """Ask for a rehearsal of `scope`; the row returned says later what it found.

    Raises InvalidValue unless the scope is a paper account or portfolio that is active now, and while another drill
    of it waits or runs.
    """
    if not actor:
        raise InvalidValue("actor", actor, "who")
    drills_bury(now)
    require_paper(scope)
    busy = DrillRun.objects.filter(scope_kind=scope[0], scope_key=scope[1], state__in=[State.WAITING, State.RUNNING])
    if busy.exists():
        raise InvalidValue("scope", ":".join(scope), "one that is not being drilled already")
    return DrillRun.objects.create(
        scope_kind=scope[0], scope_key=scope[1], flatten=flatten, asked_by=actor[:100], asked_at=now
    )


def drill_take(worker: str, clock: Clock) -> DrillRun | None:
    """Claim the drill that has waited longest; None when none waits, or another was faster."""
    row = DrillRun.objects.filter(state=State.WAITING).order_by("pk").first()
    return row if row is not None and drill_claim(row, worker, clock) else None


def drill_claim(row: DrillRun, worker: str, clock: Clock) -> bool:
    """Claim a drill; return whether it is ours now."""
    until = clock.now() + lasting(clock, LEASE_SECONDS)
    waiting = DrillRun.objects.filter(pk=row.pk, state=State.WAITING)
    return waiting.update(state=State.RUNNING, worker=worker, worker_until=until) == 1


def drill_run(row: DrillRun, clock: Clock, sessions: Sessions, follow: Callable[[tuple[int, ...]], None]) -> Drill:
    """Carry out a claimed drill, waiting with `follow` for its halt, and write down what it found.

    Raises what `rehearse` raises; the row says it, too.
    """
    scope = (row.scope_kind, row.scope_key)
    try:
        drill = rehearse(scope, flatten=row.flatten, actor=row.asked_by, clock=clock, sessions=sessions, follow=follow)
    except Exception as error:
        _end(row, State.FAILED, clock.now(), problems=[str(error) or repr(error)])
        raise
    _end(
        row, State.FAILED if drill.problems else State.PASSED, clock.now(),
        orders_before=drill.orders_before, positions_before=drill.positions_before,
        first_cancel_ms=drill.first_cancel_ms, done_ms=drill.done_ms, problems=list(drill.problems),
    )  # fmt: skip
    return drill


def drills_bury(now: datetime) -> int:
    """End drills whose runner has not been heard of for too long; return how many."""
    dead = DrillRun.objects.filter(state=State.RUNNING, worker_until__lte=now)
    return dead.update(state=State.FAILED, ended_at=now, problems=[DIED])


def _end(row: DrillRun, state: DrillRun.State, now: datetime, **found: object) -> None:
    ours = DrillRun.objects.filter(pk=row.pk, state=State.RUNNING, worker=row.worker)
    ours.update(state=state, ended_at=now, **found)
    row.refresh_from_db()
