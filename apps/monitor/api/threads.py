"""Database work in a few threads that keep their connections, in the name of whoever asks."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

from apps.monitor.audit.acting import acting

P = ParamSpec("P")
R = TypeVar("R")
# Each may hold a connection to the database; more would only wait for one core.
THREADS = 12


@dataclass(frozen=True, slots=True)
class Acting:
    """Who changes something, and from where."""

    actor: str
    address: str


ACTING: contextvars.ContextVar[Acting | None] = contextvars.ContextVar("acting", default=None)


async def in_thread(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `work` returns, done in another thread: Django's database is not for the event loop.

    Each call may be in another thread; what belongs into one transaction belongs into one call.
    """
    context = contextvars.copy_context()

    def run() -> R:
        # As Django does around its own requests: a connection that is broken or too old is replaced.
        close_old_connections()
        try:
            with _named():
                return work(*args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_pool(), context.run, run)


def _named() -> AbstractContextManager[None]:
    who = ACTING.get()
    return nullcontext() if who is None else acting(who.actor, who.address)


def threads_close() -> None:
    """Wait until the threads have done what they do, and end them; their connections end with them."""
    _pool().shutdown(wait=True)
    _pool.cache_clear()


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="api")
