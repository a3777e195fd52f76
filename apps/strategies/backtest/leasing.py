"""Who runs a backtest: one worker at a time, by conditional updates. A row that was cancelled is nobody's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from django.db.models import Q

from apps.strategies.models import OUTSTANDING, BacktestRun, BacktestStatus
from moondev.domain.clock import Clock, monotonic

# A worker tells its progress far more often than this, whatever it computes.
LEASE = timedelta(seconds=90)
# What is worth a write: people look at a page, not at a film.
TOLD_EVERY_S = 1.0


class LeaseLost(Exception):
    """The row is not ours any more: somebody cancelled it, or it was taken over. Whatever was computed is dropped."""


@dataclass(slots=True)
class Lease:
    """One worker's right to a row, and its way to tell how far it is."""

    run_id: int
    token: str
    clock: Clock
    _told: float = field(default_factory=monotonic)

    def progress(self, share: float) -> None:
        """Store how far the run is, from 0 to 1, and keep the row. Raises LeaseLost when it is not ours any more."""
        now = monotonic()
        if now - self._told < TOLD_EVERY_S:
            return
        self._told = now
        self._update(progress=min(max(share, 0.0), 1.0), leased_until=self.clock.now() + LEASE)

    def finish(self, **fields: object) -> None:
        """Store how the run ended. Raises LeaseLost when it is not ours any more."""
        self._update(finished_at=self.clock.now(), leased_until=None, **fields)

    def _update(self, **fields: object) -> None:
        ours = BacktestRun.objects.filter(pk=self.run_id, lease=self.token, status=BacktestStatus.RUNNING)
        if ours.update(**fields) != 1:
            raise LeaseLost(f"backtest {self.run_id}")


def lease_take(run_id: int, worker: str, clock: Clock) -> Lease | None:
    """Return the right to run a row; None when it is over, or another worker's lease still holds."""
    now = clock.now()
    free = Q(status=BacktestStatus.QUEUED) | Q(status=BacktestStatus.RUNNING, leased_until__lt=now)
    token = f"{worker[:31]}/{uuid4().hex}"
    taken = BacktestRun.objects.filter(free, pk=run_id).update(
        status=BacktestStatus.RUNNING, lease=token, leased_until=now + LEASE, started_at=now, progress=0.0
    )
    return Lease(run_id, token, clock) if taken else None


def cancel(run_id: int, now: datetime, reason: str) -> bool:
    """End a row that has not ended; its worker, if it has one, notices within a second. False: it was over."""
    outstanding = BacktestRun.objects.filter(pk=run_id, status__in=OUTSTANDING)
    return bool(outstanding.update(status=BacktestStatus.CANCELLED, finished_at=now, leased_until=None, error=reason))


def forgotten(now: datetime, patience: timedelta) -> list[int]:
    """Return the rows nobody works at: their message was lost, or their worker died. They count as sent again now."""
    unsent = Q(status=BacktestStatus.QUEUED) | Q(status=BacktestStatus.RUNNING, leased_until__lt=now)
    rows = BacktestRun.objects.filter(unsent, sent_at__lt=now - patience)
    found = sorted(rows.values_list("pk", flat=True))
    return [pk for pk in found if rows.filter(pk=pk).update(sent_at=now)]


Progress = Callable[[float], None]
