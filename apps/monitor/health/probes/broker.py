"""The message broker: that it answers, and who reads each queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kombu
from amqp.exceptions import NotFound

import celeryconfig
from apps.monitor.health.probes.probe import Answer
from apps.monitor.health.states import State
from moondev.celery import app
from moondev.priorities import is_redis


class BrokerQuestion:
    """Asks over one connection that is kept; one that broke while nobody asked is made anew."""

    def __init__(self, connect: Callable[[], kombu.Connection] = app.connection_for_read) -> None:
        """Connect when first asked."""
        self._connect = connect
        self._connection: kombu.Connection | None = None

    def ask(self) -> Answer:
        """Return how the broker does. Raises what the connection raises."""
        if self._connection is not None:
            broken: tuple[type[BaseException], ...] = (OSError, *self._connection.connection_errors)
            try:
                return self._ask(self._connection)
            except broken:
                self.close()
        self._connection = self._connect()
        try:
            self._connection.ensure_connection(max_retries=1, timeout=1, interval_start=0, interval_step=0)
            return self._ask(self._connection)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.release()
            self._connection = None

    @staticmethod
    def _ask(connection: kombu.Connection) -> Answer:
        names = [queue.name for queue in celeryconfig.task_queues]
        counted = {name: _consumers(connection, name) for name in names}
        # Redis knows of no consumers: it is asked for messages, and never by whom.
        return Answer(State.OK, consumers={} if is_redis(app.conf.broker_url) else counted)


def _consumers(connection: kombu.Connection, queue: str) -> int:
    # The stubs know only what all transports share.
    channel: Any = connection.channel()
    absent: tuple[type[BaseException], ...] = (NotFound, *connection.channel_errors)
    try:
        # Passive: asks, and creates nothing. RabbitMQ closes the channel when there is no such queue.
        return int(channel.queue_declare(queue=queue, passive=True).consumer_count)
    except absent:
        return 0
    finally:
        channel.close()
