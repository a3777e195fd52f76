"""Wait for something, with a deadline and no long sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.05


def wait_until(what: str, holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Return as soon as `holds()` is true. Raises AssertionError, naming what was waited for, when it is late."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(POLL_SECONDS)
