"""Numbers out of samples: percentiles and rates, nothing that needs a machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Spread:
    """How samples are spread, in their own unit. Without samples every figure is None."""

    count: int
    median: float | None
    p99: float | None
    worst: float | None

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        """Return the figures of `samples`."""
        if not samples:
            return cls(0, None, None, None)
        ordered = sorted(samples)
        return cls(len(ordered), percentile(ordered, 50), percentile(ordered, 99), ordered[-1])


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of ascending samples: a value that was measured, never one in between.

    Raises ValueError for no samples and for a percentage outside 0 to 100.
    """
    if not ordered:
        raise ValueError("percentile of no samples")
    if not 0 <= percent <= 100:
        raise ValueError(f"percent is {percent}; allowed: 0 to 100")
    return ordered[max(ceil(percent / 100 * len(ordered)), 1) - 1]


def ratio(above: float | None, below: float | None) -> float | None:
    """Return the quotient; None when either is missing or the lower is zero."""
    return above / below if above is not None and below else None
