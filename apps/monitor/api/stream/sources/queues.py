"""Topic ``queues``: how many messages wait in each queue."""

from __future__ import annotations

import threading

from apps.monitor.api.stream.sources.queue_lengths import QueueLengths
from apps.monitor.api.stream.table import Rows
from moondev.domain.clock import Clock
from moondev.domain.errors import Connectivity


class QueueTopic:
    """Asks the broker over one connection, one question at a time."""

    def __init__(self) -> None:
        """Connect when first asked."""
        self._lengths = QueueLengths()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._lengths.close()

    def read(self, _words: tuple[str, ...], _clock: Clock) -> Rows:
        """Return waiting messages by queue. Raises Connectivity when the broker does not answer."""
        with self._lock:
            lengths = self._lengths.read()
        if lengths is None:
            raise Connectivity("the broker does not answer")
        return {name: {"waiting": length} for name, length in lengths.items()}
