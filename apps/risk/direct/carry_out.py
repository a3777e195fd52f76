"""Carry out committed halts from this process, when the venue's own veto worker cannot be woken."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import close_old_connections, connection

from apps.exchanges.execution.halt import carry_out
from apps.exchanges.models import Signer
from apps.risk.direct import THREADS

logger = logging.getLogger(__name__)


class DirectHands:
    """Works on the halts of several venues side by side, one thread per venue at a time.

    Signs with the DIRECT signers, so it never waits for a worker's nonces; the lease on each veto row
    keeps it and a worker from doing the same thing at once.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="direct")
        self._working: dict[str, Future[None]] = {}

    def take(self, venue: str) -> None:
        """Begin on the halts that wait at `venue`, unless that is going on already."""
        working = self._working.get(venue)
        if working is None or working.done():
            self._working[venue] = self._pool.submit(_carry_out, venue)

    def close(self) -> None:
        """Let what is begun end by its own time-outs."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _carry_out(venue: str) -> None:
    close_old_connections()
    try:
        carry_out(venue, purpose=Signer.Purpose.DIRECT)
    except Exception:
        # Said here, because nobody waits for this thread; the next look begins again.
        logger.exception("halts at %s not carried out", venue)
    finally:
        connection.close()
