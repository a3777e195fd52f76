"""Several connections that are one stream: it is up while all of them are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from apps.exchanges.ports import Connected, Disconnected, Refused
from apps.exchanges.venues.message_stream import MessageDialect
from apps.exchanges.venues.websocket import Patience, ReconnectingWebsocket
from moondev.domain.clock import Clock

State = Connected | Disconnected | Refused
Work = Callable[[], Coroutine[Any, Any, None]]


class _States:
    """Makes one state of those of several connections."""

    def __init__(self, count: int, handler: Callable[[State], None]) -> None:
        self._down = set(range(count))
        self._handler = handler
        self._silent_since: datetime | None = None
        self._was_up = False

    def heard(self, line: int, state: State) -> None:
        if isinstance(state, Refused):
            self._handler(state)
        elif isinstance(state, Disconnected):
            if not self._down:
                self._handler(state)
            self._down.add(line)
        else:
            self._up(line, state)

    def _up(self, line: int, state: Connected) -> None:
        self._down.discard(line)
        since = [moment for moment in (self._silent_since, state.silent_since) if moment is not None]
        self._silent_since = min(since, default=None)
        if self._down:
            return
        # On the first connection everything is unknown, whichever line came first.
        silent_since = self._silent_since if self._was_up else None
        self._silent_since, self._was_up = None, True
        self._handler(Connected(silent_since, state.time_received))


class JoinedStream:
    """A `Stream` over one or more connections, with the work that keeps it fed."""

    def __init__(
        self,
        lines: Sequence[tuple[str, MessageDialect]],
        handler: Callable[[Any], None],
        clock: Clock,
        patience: Patience | None = None,
        work: Sequence[Work] = (),
    ) -> None:
        """Take address and dialect of every connection; `work` runs beside them for as long as the stream does."""
        states = _States(len(lines), handler)
        self._dialects = [dialect for _, dialect in lines]
        self._websockets = [
            ReconnectingWebsocket(url, dialect, partial(states.heard, number), clock, patience)
            for number, (url, dialect) in enumerate(lines)
        ]
        self._work = work

    @property
    def connected(self) -> bool:
        """Return whether every connection is up and subscribed."""
        return all(websocket.connected for websocket in self._websockets)

    @property
    def age_seconds(self) -> float:
        """Return real seconds since the connection that is silent longest said something; infinite before the first."""
        return max(websocket.age_seconds for websocket in self._websockets)

    @property
    def unreadable(self) -> int:
        """Return how many messages could not be read since the start."""
        return sum(dialect.unreadable for dialect in self._dialects)

    async def run(self) -> None:
        """Stream until cancelled or stopped. Raises what the handler raised."""
        await run_beside([websocket.run for websocket in self._websockets], self._work)

    def stop(self) -> None:
        """Ask `run` to close the connections and return."""
        for websocket in self._websockets:
            websocket.stop()


async def run_beside(runs: Sequence[Work], work: Sequence[Work]) -> None:
    """Run all until the first of `runs` returns or any raises; end the others, and raise what was raised."""
    tasks = [asyncio.create_task(one()) for one in (*runs, *work)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for result in ended:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result
