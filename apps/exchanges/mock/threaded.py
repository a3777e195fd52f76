"""The mock exchange in a thread of this process, for tests and notebooks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.server import PREFIX, MockServer, build_venues, serve
from apps.exchanges.mock.venues import HYPERLIQUID
from apps.exchanges.mock.wire.config import WireConfig
from moondev.domain.clock import Clock

_T = TypeVar("_T")
_START_SECONDS = 10.0
_CALL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ThreadedMock:
    """A venue that is being served. `url` is the server's, `hyperliquid_url` the SDK's base URL."""

    url: str
    server: MockServer
    loop: asyncio.AbstractEventLoop

    @property
    def hyperliquid_url(self) -> str:
        """Return the base URL for Hyperliquid's SDK."""
        return self.url + PREFIX

    def call(self, work: Callable[[Exchange], _T], venue: str | None = None) -> _T:
        """Run `work` on an engine in the server's thread, where alone it may be touched; return its result.

        `venue` None means the first venue's.
        """
        done: Future[_T] = Future()

        def run() -> None:
            try:
                done.set_result(work(self.server.exchange if venue is None else self.server.wires[venue].exchange))
            except Exception as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
                done.set_exception(error)

        self.loop.call_soon_threadsafe(run)
        return done.result(_CALL_SECONDS)


@contextmanager
def mock_in_thread(exchange: Exchange, clock: Clock, config: WireConfig | None = None) -> Iterator[ThreadedMock]:
    """Serve `exchange` as Hyperliquid at a free port while the block runs. Raises as `venues_in_thread` does."""
    with venues_in_thread({HYPERLIQUID: exchange}, clock, config) as mock:
        yield mock


@contextmanager
def venues_in_thread(
    exchanges: Mapping[str, Exchange], clock: Clock, config: WireConfig | None = None
) -> Iterator[ThreadedMock]:
    """Serve `exchanges`, by venue, at a free port while the block runs. Raises TimeoutError when it does not start."""
    started: Future[tuple[str, MockServer, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        server = build_venues(exchanges, clock, config or WireConfig())
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        await serve(server, 0, stop, lambda url: started.set_result((url, server, loop, stop)))

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="mock exchange", daemon=True)
    thread.start()
    url, server, loop, stop = started.result(_START_SECONDS)
    try:
        yield ThreadedMock(url, server, loop)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_START_SECONDS)
