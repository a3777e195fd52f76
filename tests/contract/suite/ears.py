"""Listens to a stream in a thread of its own, and lets a test wait for what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Thread
from typing import Any, TypeVar

from apps.exchanges.ports import Connected, Stream
from moondev.domain.clock import monotonic

E = TypeVar("E")

LONGEST_SECONDS = 15.0
_LAST_EVENTS_SHOWN = 5


class Ears:
    """The events of one stream, oldest first. The handler to give to the stream is the object itself."""

    def __init__(self) -> None:
        self._events: list[Any] = []
        self._changed = Condition()

    def __call__(self, event: object) -> None:
        """Hear an event."""
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind so far."""
        with self._changed:
            return [event for event in self._events if isinstance(event, kind)]

    def clear(self) -> None:
        """Forget what was heard."""
        with self._changed:
            self._events.clear()

    def until(self, met: Callable[[], object], what: str) -> None:
        """Wait until `met`, asked after every event. Raises AssertionError, naming `what` and the last events."""
        ends = monotonic() + LONGEST_SECONDS
        with self._changed:
            while not met():
                left = ends - monotonic()
                if left <= 0:
                    raise AssertionError(f"never heard: {what}; last: {self._events[-_LAST_EVENTS_SHOWN:]}")
                self._changed.wait(min(left, 0.05))

    def first(self, kind: type[E], matching: Callable[[E], object] = lambda _: True) -> E:
        """Wait for and return the first event of a kind that matches."""
        self.until(lambda: any(matching(event) for event in self.of(kind)), f"a {kind.__name__} that matches")
        return next(event for event in self.of(kind) if matching(event))

    def connected(self, times: int = 1) -> Connected:
        """Wait until the stream was up for so many times; return the last."""
        self.until(lambda: len(self.of(Connected)) >= times, f"Connected, {times} times")
        return self.of(Connected)[times - 1]


@contextmanager
def running(stream: Stream) -> Iterator[Stream]:
    """Run `stream` in a thread while the block runs; an error of it is raised at the end."""
    failures: list[BaseException] = []
    loop = asyncio.new_event_loop()

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(stream.run())
            loop.run_until_complete(loop.shutdown_asyncgens())
        except BaseException as error:  # noqa: BLE001 - raised in the test's thread
            failures.append(error)
        finally:
            loop.close()

    thread = Thread(target=run, name="stream under test", daemon=True)
    thread.start()
    try:
        yield stream
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stream.stop)
        thread.join(LONGEST_SECONDS)
    assert not thread.is_alive(), "the stream did not stop"
    if failures:
        raise failures[0]
