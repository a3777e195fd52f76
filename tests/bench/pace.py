"""Do something many times at an even pace."""

from __future__ import annotations

import time
from collections.abc import Callable


def paced(count: int, per_second: float, act: Callable[[int], None]) -> float:
    """Call `act` with 0, 1, 2 ... at `per_second`; late calls follow at once. Return the latest lag in seconds."""
    began, lag = time.monotonic(), 0.0
    for number in range(count):
        wait = began + number / per_second - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        else:
            lag = -wait
        act(number)
    return lag
