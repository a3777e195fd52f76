"""What beat does and how often: one entry per cadence of the enabled strategies, and the housekeeping. Nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from apps.strategies.models import StrategyRow, Trigger

PREFIX = "moondev: "
CADENCE_TASK = "strategies.dispatch_cadence"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the schedule. A run that was not taken within its period is dropped: the next one is due."""

    name: str
    task: str
    every_seconds: int
    arguments: Mapping[str, Any]


def housekeeping() -> list[Entry]:
    """Return what has to happen whether or not anybody trades."""
    entries = [
        Entry("recompute exposures", "risk.exposures_recompute", 60, {}),
        Entry("measure correlations", "risk.correlations_measure", 60, {}),
        Entry("add up trades for sizing", "risk.sizing_trades", 300, {}),
        Entry("watch promoted strategies", "strategies.promotion_watch", 60, {}),
        Entry("write reports", "monitor.reports_write", 600, {}),
        Entry("deliver notices", "monitor.alerts_deliver", 5, {}),
        Entry("forget old notices", "monitor.notices_forget", 3600, {}),
        Entry("measure service levels", "monitor.slos_sample", 60, {}),
        Entry("keep market data", "exchanges.history_keep", 600, {}),
        Entry("resume backtests", "strategies.backtests_resume", 60, {}),
        Entry("resume optimisations", "strategies.optimisations_resume", 60, {}),
    ]
    for venue in settings.MOONDEV_VENUES:
        entries.append(Entry(f"reconcile {venue}", "exchanges.orders_reconcile", 10, {"venue": venue}))
        entries.append(Entry(f"mark equity at {venue}", "exchanges.equity_mark", 10, {"venue": venue}))
    return entries


def cadences() -> list[Entry]:
    """Return one entry per distinct cadence of the enabled interval strategies."""
    seconds = StrategyRow.objects.filter(enabled=True, paused_reason="", trigger=Trigger.INTERVAL)
    distinct = sorted(set(seconds.values_list("cadence_seconds", flat=True)))
    return [Entry(f"strategies every {s} s", CADENCE_TASK, s, {"seconds": s}) for s in distinct]


def schedule_sync() -> int:
    """Make beat's table say what this module says; return how many entries changed.

    Entries that people add under other names are theirs and stay. Safe to run twice and at once.
    """
    with transaction.atomic():
        entries = (*housekeeping(), *cadences())
        changed: int = sum(_put(entry) for entry in entries)
        wanted = [PREFIX + entry.name for entry in entries]
        ours = PeriodicTask.objects.filter(name__startswith=PREFIX)
        changed += int(ours.exclude(name__in=wanted).delete()[0])
        if changed:
            PeriodicTasks.update_changed()
    return changed


def _put(entry: Entry) -> int:
    interval, _ = IntervalSchedule.objects.get_or_create(every=entry.every_seconds, period=IntervalSchedule.SECONDS)
    wanted = {
        "task": entry.task,
        "interval": interval,
        "kwargs": json.dumps(dict(entry.arguments)),
        "expire_seconds": max(entry.every_seconds, 1),
        "enabled": True,
    }
    row, created = PeriodicTask.objects.get_or_create(name=PREFIX + entry.name, defaults=wanted)
    if created:
        return 1
    differs = [name for name, value in wanted.items() if getattr(row, name) != value]
    if not differs:
        return 0
    for name in differs:
        setattr(row, name, wanted[name])
    row.save()
    return 1
