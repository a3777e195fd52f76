"""The beat of a Celery worker: its consumer's loop turns the pulse, so one that is stuck or lost its broker shows.

The loop of a worker whose pool is stuck goes on turning; what it has taken and does not get done tells of that.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import bootsteps
from celery.worker import state

from moondev.domain.clock import monotonic
from moondev.heartbeat.heart import Heart
from moondev.heartbeat.pulse import Load

logger = logging.getLogger(__name__)

TURN_SECONDS = 1.0


class WorkerHeart(bootsteps.StartStopStep):
    """Beats under the part of the worker's name that stands before the @."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:  # noqa: ANN401  Celery's
        """Prepare; the heart is started with the first connection."""
        super().__init__(consumer, **options)
        self._heart: Heart | None = None
        self._timer: Any = None
        self._taken: dict[str, float] = {}

    def start(self, consumer: Any) -> None:  # noqa: ANN401  Celery's
        """Turn with the loop of a connection that has just been made."""
        if consumer.hub is None:
            logger.warning("this worker has no event loop and beats not: nothing would prove that it works")
            return
        if self._heart is None:
            self._heart = Heart(str(consumer.hostname).partition("@")[0])
            self._heart.start()
        self._timer = consumer.timer.call_repeatedly(TURN_SECONDS, self._turn, (consumer,))

    def stop(self, consumer: Any) -> None:  # noqa: ANN401, ARG002  Celery's
        """Turn no more: the connection has gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def shutdown(self, consumer: Any) -> None:  # noqa: ANN401  Celery's
        """Say that the worker ends."""
        self.stop(consumer)
        if self._heart is not None:
            self._heart.end()

    def _turn(self, consumer: Any) -> None:  # noqa: ANN401  Celery's
        if self._heart is None:
            return
        now = monotonic()
        # Pool threads take from this table too; a list of it is made in one step.
        self._taken = {task: self._taken.get(task, now) for task in list(state.requests)}
        busy = tuple(sorted((round(now - since, 1) for since in self._taken.values()), reverse=True))
        self._heart.pulse.turn(Load(int(consumer.pool.limit or 0), busy))
