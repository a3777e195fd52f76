"""Rehearsals of the kill switch that somebody asks for and the guard carries out: see `drill`.

The guard takes them, because it works without broker and Redis and holds the keys to look at the venues. Asked for,
a drill is a row; whoever asked reads there how far it has got.
"""

from __future__ import annotations

from datetime import datetime

from apps.risk.drill import require_paper
from apps.risk.models import DrillRun
from apps.risk.scope import ScopeId
from moondev.domain.errors import InvalidValue

State = DrillRun.State


def drill_start(*, scope: ScopeId, flatten: bool, actor: str, now: datetime) -> DrillRun:
    """Ask for a rehearsal of `scope`; the row returned says later what it found.

    Raises InvalidValue unless the scope is a paper account or portfolio that is active now, and while another drill
    of it waits or runs.
    """
    require_paper(scope)
    if not actor:
        raise InvalidValue("actor", actor, "who")
    busy = DrillRun.objects.filter(scope_kind=scope[0], scope_key=scope[1], state__in=[State.WAITING, State.RUNNING])
    if busy.exists():
        raise InvalidValue("scope", ":".join(scope), "one that is not being drilled already")
    return DrillRun.objects.create(
        scope_kind=scope[0], scope_key=scope[1], flatten=flatten, asked_by=actor[:100], asked_at=now
    )
