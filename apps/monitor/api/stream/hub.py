"""Reads each followed topic once, however many follow it, and wakes those who do.

A topic is read while somebody follows it, at its own pace, in a thread; what is slow to read delays nobody else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from apps.monitor.api.stream.asked import TOPICS_MOST
from apps.monitor.api.stream.table import Rows, Table
from apps.monitor.api.stream.topics import Followed
from moondev.domain.clock import Clock, monotonic
from moondev.domain.errors import InvalidValue

logger = logging.getLogger(__name__)

# While a topic cannot be read it is tried so often.
TROUBLE_SECONDS = 1.0
# Reads a topic somewhere off the event loop.
Reader = Callable[[Followed], Awaitable[Rows]]


class Follower:
    """A client, as the hub sees it: what it follows, how far it has seen each, and what has news for it.

    It holds no messages: those are made when they are sent, from what has changed until then.
    """

    def __init__(self) -> None:
        """Follow nothing."""
        self.seen: dict[str, int | None] = {}
        self._news: dict[str, None] = {}
        self._wake = asyncio.Event()

    def tell(self, topic: str) -> None:
        """Note that a topic has news."""
        self._news[topic] = None
        self._wake.set()

    def forget(self, topic: str) -> None:
        """Follow a topic no longer."""
        self.seen.pop(topic, None)
        self._news.pop(topic, None)

    async def any_news(self) -> None:
        """Return as soon as a topic has news."""
        while not self._news:
            self._wake.clear()
            await self._wake.wait()

    def take_news(self) -> list[str]:
        """Return the topics with news, and count them as told."""
        topics = list(self._news)
        self._news.clear()
        return topics


class Hub:
    """The topics of one process and their followers. Belongs to one event loop."""

    def __init__(self, read: Reader, clock: Clock) -> None:
        """Read topics with `read`."""
        self._read, self._clock = read, clock
        self._tables: dict[str, Table] = {}
        self._followers: dict[str, set[Follower]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def followed(self) -> dict[str, int]:
        """Return how many follow each topic."""
        return {name: len(followers) for name, followers in self._followers.items() if followers}

    def follow(self, follower: Follower, followed: Followed) -> None:
        """Let a client follow a topic from its beginning. Raises InvalidValue when it follows too many."""
        name = followed.name
        if len(follower.seen) >= TOPICS_MOST and name not in follower.seen:
            raise InvalidValue("topics", f"{name} as one more", f"at most {TOPICS_MOST} at once")
        follower.seen[name] = None
        self._followers.setdefault(name, set()).add(follower)
        if name not in self._tasks:
            self._tables[name] = Table(name)
            self._tasks[name] = asyncio.get_running_loop().create_task(self._keep(followed))
        elif self._tables[name].read:
            follower.tell(name)

    def leave(self, follower: Follower, name: str) -> None:
        """Let a client follow a topic no longer; one that nobody follows is not read any more."""
        follower.forget(name)
        followers = self._followers.get(name, set())
        followers.discard(follower)
        if not followers and name in self._tasks:
            self._tasks.pop(name).cancel()
            del self._tables[name], self._followers[name]

    def leave_all(self, follower: Follower) -> None:
        """Let a client go."""
        for name in list(follower.seen):
            self.leave(follower, name)

    def message(self, follower: Follower, name: str) -> bytes | None:
        """Return what a client lacks of a topic, and take it for sent; None when it lacks nothing."""
        table = self._tables.get(name)
        if table is None or name not in follower.seen or follower.seen[name] == table.seq:
            return None
        message = table.message(follower.seen[name])
        follower.seen[name] = table.seq
        return message

    async def close(self) -> None:
        """Stop reading."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _keep(self, followed: Followed) -> None:
        table, due = self._tables[followed.name], monotonic()
        while True:
            news, pause = await self._look(table, followed)
            if news:
                for follower in self._followers.get(followed.name, ()):
                    follower.tell(followed.name)
            # From due to due, so that twenty a second are twenty; what takes long to read rests, too.
            now = monotonic()
            due = max(due + pause, now + pause / 2)
            await asyncio.sleep(due - now)

    async def _look(self, table: Table, followed: Followed) -> tuple[bool, float]:
        try:
            rows = await self._read(followed)
        except Exception as error:  # noqa: BLE001  whatever it is: clients see that theirs is old, and it is tried again
            logger.warning("topic %s cannot be read: %s", followed.name, error)
            return table.fail(f"{type(error).__name__}: {error}"[:200], self._now()), TROUBLE_SECONDS
        return table.update(rows, self._now()), followed.topic.seconds

    def _now(self) -> datetime:
        return self._clock.now()
