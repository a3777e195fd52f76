"""Several connections that count as one stream: up when all are up, as old as the oldest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from apps.exchanges.ports import Connected, Disconnected, Refused, Stream

State = Connected | Disconnected | Refused


class Together:
    """Turns the states of `number` connections into those of one."""

    def __init__(self, number: int, handler: Callable[[Any], None]) -> None:
        """Hand the states of the whole to `handler`."""
        self._up = [False] * number
        self._handler = handler
        self._told_up = False
        self._silent_since: datetime | None = None

    def listener(self, place: int) -> Callable[[State], None]:
        """Return what the connection at `place` is to call."""

        def listen(state: State) -> None:
            self._heard(place, state)

        return listen

    def _heard(self, place: int, state: State) -> None:
        if isinstance(state, Refused):
            self._handler(state)
            return
        self._up[place] = isinstance(state, Connected)
        if isinstance(state, Connected):
            self._remember(state.silent_since)
            if all(self._up):
                self._told_up = True
                since, self._silent_since = self._silent_since, None
                self._handler(Connected(since, state.time_received))
        elif self._told_up:
            self._told_up = False
            self._handler(state)

    def _remember(self, since: datetime | None) -> None:
        """Keep the longest silence: whoever asks for what was missed must ask from there on."""
        known = [moment for moment in (self._silent_since, since) if moment is not None]
        self._silent_since = min(known, default=None)


class StreamsTogether:
    """A `Stream` over several connections."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        """Run all of `streams`."""
        self._streams = streams

    @property
    def connected(self) -> bool:
        """Return whether every connection is up and subscribed."""
        return all(stream.connected for stream in self._streams)

    @property
    def age_seconds(self) -> float:
        """Return real seconds since the last message of the connection that has been silent for longest."""
        return max(stream.age_seconds for stream in self._streams)

    @property
    def unreadable(self) -> int:
        """Return how many messages could not be read since the start."""
        return sum(stream.unreadable for stream in self._streams)

    async def run(self) -> None:
        """Stream until cancelled or stopped. Raises what the handler raised, after ending the other connections."""
        tasks = [asyncio.create_task(stream.run()) for stream in self._streams]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """Ask `run` to close every connection and return."""
        for stream in self._streams:
            stream.stop()
