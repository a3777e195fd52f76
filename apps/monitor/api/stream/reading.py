"""Reads topics in threads of their own: the database is not for the event loop, and a slow topic delays no other."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError, InterfaceError, connections

from apps.monitor.api.stream.table import Rows
from apps.monitor.api.stream.topics import Followed
from moondev.domain.clock import Clock

# Each holds one connection of the database for as long as the process lives.
THREADS = 3


class Threads:
    """A few threads with a database connection each."""

    def __init__(self, clock: Clock, threads: int = THREADS) -> None:
        """Start nothing yet: a thread is started by the first reading that needs it."""
        self._clock, self._threads = clock, threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="stream")

    async def read(self, followed: Followed) -> Rows:
        """Return the rows of a topic; raises whatever reading it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, followed)

    async def close(self) -> None:
        """End the threads and their connections."""
        together = threading.Barrier(self._threads)

        def leave() -> None:
            # Nobody takes a second one of these: each waits until every thread has one.
            together.wait()
            connections.close_all()

        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._pool, leave) for _ in range(self._threads)))
        self._pool.shutdown()

    def _read(self, followed: Followed) -> Rows:
        try:
            return followed.topic.read(followed.words, self._clock)
        except (DatabaseError, InterfaceError):
            # What is broken stays broken: the next reading starts from a new connection.
            connections.close_all()
            raise
