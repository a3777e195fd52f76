"""Topic ``ticks``: the latest decisions of all strategies, each with what came of it, why, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import F, Q

from apps.monitor.api.stream.sources.words import milliseconds_between, moment
from apps.monitor.api.stream.table import Row, Rows
from apps.strategies.models import Tick, TickStatus
from moondev.domain.clock import Clock

SHOWN = 30
# Ticks that did something are shown longer than those that left all as it was, and looked for among so many.
DID_SHOWN, DID_AMONG = 40, 2_000
# A row tells why; the whole report is the API's.
LINES = 3
_DID = ("placed", "amended", "cancelled", "refused")
_FIELDS = ("pk", "trigger", "event", "status", "due_at", "started_at", "finished_at", "decide_ms", *_DID, "report",
           "error")  # fmt: skip


def read_ticks(_words: tuple[str, ...], _clock: Clock) -> Rows:
    """Return ticks that are over, by number: the latest, and the latest that changed something or failed."""
    over = Tick.objects.exclude(status__in=[TickStatus.DUE, TickStatus.RUNNING]).order_by("-pk")
    newest = over.values_list("pk", flat=True).first()
    if newest is None:
        return {}
    did = Q(status=TickStatus.FAILED)
    for name in _DID:
        did |= Q(**{f"{name}__gt": 0})
    numbers = [
        *over.values_list("pk", flat=True)[:SHOWN],
        *over.filter(did, pk__gt=newest - DID_AMONG).values_list("pk", flat=True)[:DID_SHOWN],
    ]
    found = Tick.objects.filter(pk__in=numbers).annotate(slug=F("strategy__slug")).values("slug", *_FIELDS)
    return {str(tick["pk"]): _row(tick) for tick in found}


def _row(tick: Mapping[str, Any]) -> Row:
    report: Mapping[str, Any] = tick["report"]
    return {
        "strategy": tick["slug"],
        "trigger": tick["trigger"],
        "event": tick["event"],
        "status": tick["status"],
        "due": moment(tick["due_at"]),
        "at": moment(tick["finished_at"] or tick["due_at"]),
        "waited_ms": milliseconds_between(tick["due_at"], tick["started_at"]),
        "took_ms": milliseconds_between(tick["due_at"], tick["finished_at"]),
        "decide_ms": tick["decide_ms"],
        "did": {name: tick[name] for name in _DID},
        "stages_ms": report.get("stages_ms", {}),
        "why": {name: report.get(name, [])[:LINES] for name in ("desired", "notes", "plan", "refusals")},
        "error": tick["error"][:300],
    }
