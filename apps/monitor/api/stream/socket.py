"""One client: what it says is heard and checked, what it lacks is sent when it can take it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from apps.monitor.api.stream.asked import Pace, Ping, Subscribe, Unsubscribe, parse
from apps.monitor.api.stream.hub import Follower, Hub
from apps.monitor.api.stream.topics import Topics
from moondev.domain.clock import monotonic
from moondev.domain.errors import InvalidValue

# Policy violation (RFC 6455): a client that goes on saying what it may not, or says too much.
POLICY = 1008
MISTAKES_MOST = 20
# A page subscribes once and then listens; who talks more than this a second on average is not one.
SAYS_PER_SECOND, SAYS_AT_ONCE = 5.0, 40.0
# A quiet topic says nothing for long; this tells a client that the line lives.
PULSE_SECONDS = 5.0
DEFAULT_PER_SECOND = 20.0
EARLY = 0.25
NAP_SECONDS = 0.1


class Conversation:
    """A client that has been let in."""

    def __init__(self, socket: WebSocket, hub: Hub, topics: Topics, allowed: frozenset[str]) -> None:
        """Serve `socket`; `allowed` names the topics that this person may follow."""
        self._socket, self._hub, self._topics, self._allowed = socket, hub, topics, allowed
        self._follower = Follower()
        self._pause = 1 / DEFAULT_PER_SECOND
        self._mistakes = 0
        self._credit, self._credited = SAYS_AT_ONCE, monotonic()

    async def run(self, until: Coroutine[None, None, None]) -> None:
        """Listen and tell until either side has enough, or `until` returns: this person may stay no longer."""
        jobs = [asyncio.ensure_future(job) for job in (self._listen(), self._tell(), self._pulse(), until)]
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave_all(self._follower)
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
        if self._socket.application_state is WebSocketState.CONNECTED:
            # The client may be gone by now, which nobody need be told.
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._socket.close(POLICY, "this session is over")

    async def _listen(self) -> None:
        while True:
            try:
                text = await self._socket.receive_text()
            except (WebSocketDisconnect, KeyError):
                # KeyError: bytes where the protocol has text.
                return
            if not self._affords():
                await self._problem("slow down: too many messages")
                return
            try:
                await self._hear(parse(text))
            except InvalidValue as error:
                await self._mistaken(error)
            if self._mistakes >= MISTAKES_MOST:
                return

    def _affords(self) -> bool:
        now = monotonic()
        self._credit = min(SAYS_AT_ONCE, self._credit + (now - self._credited) * SAYS_PER_SECOND) - 1
        self._credited = now
        return self._credit >= 0

    async def _hear(self, said: Subscribe | Unsubscribe | Pace | Ping) -> None:
        if isinstance(said, Subscribe):
            for name in said.topics:
                # One that cannot be followed keeps nobody from the others.
                try:
                    self._follow(name)
                except InvalidValue as error:
                    await self._mistaken(error)
        elif isinstance(said, Unsubscribe):
            for name in said.topics:
                self._hub.leave(self._follower, name)
        elif isinstance(said, Pace):
            self._pause = 1 / said.per_second
        else:
            await self._send(orjson.dumps({"kind": "pong"}))

    def _follow(self, name: str) -> None:
        followed = self._topics.find(name)
        if followed.topic.name not in self._allowed:
            raise InvalidValue("topic", name, f"who has the permission {followed.topic.permission}")
        self._hub.follow(self._follower, followed)

    async def _tell(self) -> None:
        due = monotonic()
        while True:
            if due - monotonic() > NAP_SECONDS:
                # Who wants to hear seldom is woken once for each message, not by the first news already.
                await asyncio.sleep(due - monotonic())
            await self._follower.any_news()
            # What comes a little early is sent at once, and counts as if it had come when it was due: a topic that is
            # read as often as a client wants to hear of it needs no waiting, and gets no faster either.
            early = due - monotonic()
            if early > self._pause * EARLY:
                await asyncio.sleep(early)
            due = max(due, monotonic()) + self._pause
            for name in self._follower.take_news():
                message = self._hub.message(self._follower, name)
                if message is not None:
                    # Waits while the client takes nothing more; what changes meanwhile goes with the next message.
                    await self._send(message)

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            await self._send(orjson.dumps({"kind": "pulse"}))

    async def _mistaken(self, error: InvalidValue) -> None:
        self._mistakes += 1
        await self._problem(str(error))

    async def _problem(self, detail: str) -> None:
        await self._send(orjson.dumps({"kind": "problem", "detail": detail}))

    async def _send(self, message: bytes) -> None:
        await self._socket.send_text(message.decode())
