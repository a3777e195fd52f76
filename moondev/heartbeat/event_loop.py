"""The beat of a process that is an event loop: it turns when the loop gets round to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from moondev.heartbeat.heart import Heart
from moondev.heartbeat.pulse import Pulse

TURN_SECONDS = 1.0


@asynccontextmanager
async def loop_beating(name: str) -> AsyncIterator[None]:
    """Beat under `name` while the block runs; a loop that is kept from its work grows old."""
    heart = Heart(name)
    turning = asyncio.create_task(_turn(heart.start()))
    try:
        yield
    finally:
        turning.cancel()
        await asyncio.to_thread(heart.end)


async def _turn(pulse: Pulse) -> None:
    while True:
        pulse.turn()
        await asyncio.sleep(TURN_SECONDS)
