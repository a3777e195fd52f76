"""Writes versions into the database: which one runs, which one cannot, and what operators are told of it.

Only the process beside the operator's folder calls this.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from apps.strategies.authoring.candidates import Unusable
from apps.strategies.authoring.shelf import seal_of
from apps.strategies.authoring.source import Source
from apps.strategies.authoring.trial import Outcome, RowAsked
from apps.strategies.models import SourceStatus, StrategyEvent, StrategyInstrument, StrategyRow, StrategySource, Trigger
from apps.strategies.orchestrator.schedule import schedule_sync
from apps.strategies.services import strategy_needs_changed, strategy_pause
from moondev.domain.clock import Clock
from moondev.domain.errors import Configuration

logger = logging.getLogger(__name__)

ACTOR = "the folder of strategies"
# Versions that never ran are evidence for a while; those that ran are named by ticks and backtests, and stay.
KEPT_UNRUN = 20

Fingerprint = frozenset[tuple[int, int]]


def current_files() -> dict[str, str]:
    """Return the kinds that run now, each with its file."""
    return dict(StrategySource.objects.filter(current=True).values_list("kind", "file"))


def kind_of(file: str) -> str:
    """Return the strategy that was last known in `file`; its name without ending when none was."""
    known = StrategySource.objects.filter(file=file).order_by("-current", "-seen_at").values_list("kind", flat=True)
    return known.first() or file.removesuffix(".py")[:64]


def fingerprint(kind: str) -> Fingerprint:
    """Return what changes when other rows of `kind` run, or the same with other parameters."""
    return frozenset(_running(kind).values_list("pk", "parameters_version"))


def rows_asked(kind: str) -> tuple[RowAsked, ...]:
    """Return the rows that run `kind` now, and so would run its next version."""
    rows = list(_running(kind).order_by("pk"))
    links = StrategyInstrument.objects.filter(strategy__in=rows, stands_in_for=None).select_related("instrument")
    own: dict[int, list[StrategyInstrument]] = {}
    for link in links.order_by("pk"):
        own.setdefault(link.strategy_id, []).append(link)
    return tuple(
        RowAsked(row.slug, row.parameters, tuple(link.instrument.to_domain() for link in own.get(row.pk, [])))
        for row in rows
    )


def misfits(kind: str, outcome: Outcome) -> dict[str, str]:
    """Return the running rows for which a version that loads is no good, and why."""
    by_bars = set(_running(kind).filter(trigger=Trigger.BAR).values_list("slug", flat=True))
    barless = {
        slug: "it is due when a bar closes, and this version looks at no bars"
        for slug, needs in outcome.needs.items()
        if slug in by_bars and not needs.bars
    }
    return {**barless, **outcome.unfit}


@transaction.atomic
def publish(source: Source, outcome: Outcome, tried_with: Fingerprint, now: datetime) -> bool:
    """Make a version the one that runs; return False when other rows run by now than it was tried with.

    Safe to repeat: a version that runs already goes on.
    """
    kind = outcome.name
    rows = list(_running(kind).select_for_update(no_key=True, of=("self",)).order_by("pk"))
    if frozenset((row.pk, row.parameters_version) for row in rows) != tried_with:
        return False
    before = StrategySource.objects.select_for_update().filter(kind=kind, current=True).first()
    seal = seal_of(kind, source)
    if before is not None and before.code_hash == source.code_hash and before.seal == seal:
        newer = StrategySource.objects.filter(kind=kind, seen_at__gt=before.seen_at)
        if before.error or newer.exists():
            _write(kind, source, outcome, seal, now)
            _tell(kind, now, "code_loaded", f"{source.file} is version {source.code_hash[:12]} again, which runs")
        return True
    StrategySource.objects.filter(kind=kind, current=True).update(current=False)
    _write(kind, source, outcome, seal, now)
    for row in rows:
        strategy_needs_changed(row.pk, outcome.needs[row.slug])
    was = "" if before is None else f", after {before.code_hash[:12]}"
    _tell(kind, now, "code_loaded", f"version {source.code_hash[:12]} of {source.file} runs{was}")
    schedule_sync()
    _prune(kind)
    return True


@transaction.atomic
def refuse(kind: str, what: Source | Unusable, status: SourceStatus, error: str, now: datetime) -> None:
    """Remember a version that does not run, and tell of it once; the one that runs goes on."""
    row = StrategySource.objects.filter(kind=kind, code_hash=what.code_hash).first()
    # What ran before it was refused (another file now has its name) goes on, and stays a good version.
    seen_as = SourceStatus.GOOD if row is not None and row.current else status
    if row is not None and (row.status, row.error) == (seen_as, error):
        return
    fields = {"file": what.file, "files": _storable(what.files), "status": seen_as, "error": error, "seen_at": now}
    StrategySource.objects.update_or_create(kind=kind, code_hash=what.code_hash, defaults=fields)
    goes_on = StrategySource.objects.filter(kind=kind, current=True).first()
    rest = "" if goes_on is None else f"; version {goes_on.code_hash[:12]} goes on"
    _tell(kind, now, f"code_{status.value}", f"version {what.code_hash[:12]} of {what.file}: {error}{rest}")
    _prune(kind)


def unload(kind: str, why: str, clock: Clock) -> None:
    """Let nobody run `kind` any more: its running rows are paused, with the reason; ticks that run end.

    Raises Configuration when it is not loaded.
    """
    if kind not in current_files():
        raise Configuration(f"strategy {kind} is not loaded; loaded: {', '.join(sorted(current_files())) or 'none'}")
    now = clock.now()
    # Rows first: who is not due any more does not miss the code.
    for row in _running(kind):
        strategy_pause(row.pk, reason=why, actor=ACTOR, now=now, clock=clock)
    StrategySource.objects.filter(kind=kind, current=True).update(current=False)
    _tell(kind, now, "code_unloaded", why)


def tell_folder(message: str, now: datetime) -> None:
    """Tell of the folder itself."""
    logger.error("%s: %s", ACTOR, message)
    StrategyEvent.objects.create(strategy=ACTOR, at=now, kind="code_folder", message=message)


def _running(kind: str) -> QuerySet[StrategyRow]:
    return StrategyRow.objects.filter(kind=kind, enabled=True, paused_reason="")


def _write(kind: str, source: Source, outcome: Outcome, seal: str, now: datetime) -> None:
    StrategySource.objects.update_or_create(
        kind=kind,
        code_hash=source.code_hash,
        defaults={
            "file": source.file,
            "files": dict(source.files),
            "presets": list(outcome.presets),
            "status": SourceStatus.GOOD,
            "error": "",
            "seal": seal,
            "current": True,
            "seen_at": now,
        },
    )


def _storable(files: Mapping[str, str]) -> dict[str, str]:
    """Return texts as the database can hold them: PostgreSQL knows no NUL."""
    return {path: text.replace("\0", "\N{REPLACEMENT CHARACTER}") for path, text in files.items()}


def _prune(kind: str) -> None:
    unrun = StrategySource.objects.filter(kind=kind, current=False, seal="").order_by("-seen_at")
    StrategySource.objects.filter(pk__in=list(unrun.values_list("pk", flat=True)[KEPT_UNRUN:])).delete()


def _tell(kind: str, now: datetime, event: str, message: str) -> None:
    """Log, and leave an event at every row of the kind; at its name while there is none."""
    (logger.info if event == "code_loaded" else logger.error)("strategy %s: %s", kind, message)
    slugs: Iterable[str] = list(StrategyRow.objects.filter(kind=kind).values_list("slug", flat=True)) or [kind]
    StrategyEvent.objects.bulk_create(
        [StrategyEvent(strategy=slug[:64], at=now, kind=event, message=message[:2_000]) for slug in slugs]
    )
