"""Have drills that were asked for carried out, one at a time and beside the guard's own looks."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import close_old_connections, connection

from apps.exchanges.execution.sender import worker_name
from apps.exchanges.execution.sessions import VenueSessions
from apps.exchanges.models import Veto
from apps.risk.drills import FOLLOW_SECONDS, drill_run, drill_take, drills_bury
from apps.risk.models import DrillRun
from moondev.domain.clock import Clock, monotonic
from moondev.domain.errors import Connectivity, TradingError

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2


class DrillPush:
    """Takes drills and runs each in a thread of its own: a drill takes seconds, a look at drawdowns must not wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pool: ThreadPoolExecutor | None = None
        self._running: Future[None] | None = None

    def push(self) -> None:
        """Begin the next drill unless one is under way."""
        if self._running is not None and not self._running.done():
            return
        drills_bury(self._clock.now())
        row = drill_take(worker_name(), self._clock)
        if row is None:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="drill")
        row.refresh_from_db()
        self._running = self._pool.submit(_run, row, self._clock)

    def close(self) -> None:
        """Begin no more; one that runs is left to end by its own time-outs."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def await_done(veto_ids: tuple[int, ...], seconds: float = FOLLOW_SECONDS) -> None:
    """Wait until halts are done. Raises Connectivity when they are not within `seconds`."""
    deadline = monotonic() + seconds
    while True:
        unfinished = list(Veto.objects.filter(pk__in=veto_ids, done_at__isnull=True).order_by("venue_id"))
        if not unfinished:
            return
        if monotonic() >= deadline:
            places = ", ".join(f"{row.venue_id} ({row.stage}) {row.detail}".strip() for row in unfinished)
            raise Connectivity(f"not done after {seconds:g} s: {places}; the halt itself holds")
        time.sleep(POLL_SECONDS)


def _run(row: DrillRun, clock: Clock) -> None:
    close_old_connections()
    try:
        drill_run(row, clock, VenueSessions(), await_done)
    except TradingError as error:
        logger.warning("drill %s: %s", row.pk, error)
    except Exception:
        # Said here, because nobody waits for this thread; the row says it as well.
        logger.exception("drill %s", row.pk)
    finally:
        connection.close()
