"""Who runs a trial: one worker at a time, by conditional updates. Whatever a lost lease computed is dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db.models import F, Q, QuerySet

from apps.strategies.models import OptimisationRun, OptimisationStatus, Trial, TrialStatus
from apps.strategies.optimise.trying import Tried
from moondev.domain.clock import Clock, monotonic

# Engines tell their progress far more often than this.
LEASE = timedelta(seconds=60)
TOLD_EVERY_S = 5.0
# A trial that has cost so many workers their life is not given to another.
MOST_ATTEMPTS = 3
# Workers that reach for the same row lose to one of them and take the next.
LOOKED_AT = 8


class LeaseLost(Exception):
    """The trial is not ours any more: its run was cancelled, or somebody took it over."""


@dataclass(slots=True)
class Claim:
    """One worker's right to a trial."""

    run_id: int
    trial_id: int
    number: int
    parameters: Mapping[str, Any]
    token: str
    clock: Clock
    began: float = field(default_factory=monotonic)
    _told: float = field(default_factory=monotonic)

    def progress(self, _share: float) -> None:
        """Keep the trial. Raises LeaseLost when it is not ours any more."""
        now = monotonic()
        if now - self._told < TOLD_EVERY_S:
            return
        self._told = now
        self._update(leased_until=self.clock.now() + LEASE)

    def finish(self, tried: Tried) -> None:
        """Store how the trial ended. Raises LeaseLost when it is not ours any more."""
        took = (monotonic() - self.began) * 1000
        self._update(**asdict(tried), finished_at=self.clock.now(), leased_until=None, duration_ms=round(took, 1))

    def _update(self, **fields: object) -> None:
        ours = Trial.objects.filter(
            pk=self.trial_id, lease=self.token, status=TrialStatus.RUNNING, run__in=_going_on(self.run_id)
        )
        if ours.update(**fields) != 1:
            raise LeaseLost(f"trial {self.number}")


def trial_claim(run_id: int, worker: str, clock: Clock) -> Claim | None:
    """Return the right to the first free trial of a running run; None when there is none."""
    now = clock.now()
    free = Q(status=TrialStatus.WAITING) | Q(status=TrialStatus.RUNNING, leased_until__lt=now)
    _bury(run_id, now)
    rows = Trial.objects.filter(free, run=run_id).order_by("number").values_list("pk", "number", "parameters")
    for trial_id, number, parameters in rows[:LOOKED_AT]:
        token = uuid4().hex
        taken = Trial.objects.filter(free, pk=trial_id, run__in=_going_on(run_id)).update(
            status=TrialStatus.RUNNING,
            worker=worker[:150],
            lease=token,
            leased_until=now + LEASE,
            attempts=F("attempts") + 1,
            started_at=now,
        )
        if taken:
            return Claim(run_id, trial_id, number, parameters, token, clock)
    return None


def trials_release(run_id: int, worker: str) -> int:
    """Give back at once what a worker held that is known to be dead; return how many."""
    held = Trial.objects.filter(run=run_id, worker=worker, status=TrialStatus.RUNNING)
    return held.update(status=TrialStatus.WAITING, leased_until=None)


def _going_on(run_id: int) -> QuerySet[OptimisationRun]:
    """Return the run while it is running, to be compared with a trial's own column.

    Never a join: an UPDATE with one puts its other conditions into a subquery too, whose rows the database does not
    look at again when it has waited for somebody else's update. Two workers then take the same trial.
    """
    return OptimisationRun.objects.filter(pk=run_id, status=OptimisationStatus.RUNNING)


def _bury(run_id: int, now: datetime) -> None:
    lapsed = Q(status=TrialStatus.RUNNING, leased_until__lt=now) | Q(status=TrialStatus.WAITING)
    Trial.objects.filter(lapsed, run=run_id, attempts__gte=MOST_ATTEMPTS).update(
        status=TrialStatus.FAILED, reason=f"its worker died {MOST_ATTEMPTS} times", finished_at=now, leased_until=None
    )
