"""How many messages wait in each queue."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from amqp.exceptions import NotFound
from kombu.exceptions import OperationalError

import celeryconfig
from moondev.celery import app


class QueueLengths:
    """Asks the broker over one connection; a broker that is away means "not known", not "empty"."""

    def __init__(self) -> None:
        self._connection = app.connection_for_read()

    def __enter__(self) -> Self:
        """Return itself; the connection is made when it is first needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the connection back."""
        self.close()

    def close(self) -> None:
        """Give the connection back; another reading would make a new one."""
        self._connection.release()

    def read(self) -> Mapping[str, int] | None:
        """Return the waiting messages by queue, or None when the broker does not answer."""
        names = [queue.name for queue in celeryconfig.task_queues]
        broken: tuple[type[BaseException], ...] = (OperationalError, OSError, *self._connection.connection_errors)
        try:
            return {name: self._length(name) for name in names}
        except broken:
            # What is broken stays broken: the next reading starts from a new connection.
            self._connection.release()
            self._connection = app.connection_for_read()
            return None

    def _length(self, name: str) -> int:
        # The stubs know only what all transports share.
        channel: Any = self._connection.channel()
        absent: tuple[type[BaseException], ...] = (NotFound, *self._connection.channel_errors)
        try:
            # Passive: asks, and creates nothing. RabbitMQ closes the channel when there is no such queue.
            return int(channel.queue_declare(queue=name, passive=True).message_count)
        except absent:
            return 0
        finally:
            channel.close()
