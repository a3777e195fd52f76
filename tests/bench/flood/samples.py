"""Delays counted in bins that grow with them, so that a million of them need no more room than ten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.bench.figures import Spread

# From a hundredth of a millisecond to ten seconds, four per cent apart.
EDGES_S = np.geomspace(1e-5, 10.0, 353)


def histogram(seconds: Sequence[float]) -> tuple[dict[int, int], float]:
    """Return how many samples fall into each bin, empty bins left out, and the longest sample."""
    if not len(seconds):
        return {}, 0.0
    values = np.asarray(seconds)
    numbers, counts = np.unique(np.searchsorted(EDGES_S, values), return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True)), float(values.max())


@dataclass(slots=True)
class Delays:
    """Sums of histograms."""

    counts: dict[int, int] = field(default_factory=dict)
    worst_s: float = 0.0

    def add(self, counts: Iterable[tuple[int, int]], worst_s: float) -> None:
        """Add one histogram."""
        for number, count in counts:
            self.counts[number] = self.counts.get(number, 0) + count
        self.worst_s = max(self.worst_s, worst_s)

    @property
    def total(self) -> int:
        """Return how many samples there are."""
        return sum(self.counts.values())

    def spread(self) -> Spread:
        """Return the figures in milliseconds, each rounded up to the end of its bin."""
        if not self.counts:
            return Spread.of([])
        return Spread(self.total, self._upper_ms(50), self._upper_ms(99), self.worst_s * 1000)

    def _upper_ms(self, percent: float) -> float:
        wanted, seen = percent / 100 * self.total, 0
        for number in sorted(self.counts):
            seen += self.counts[number]
            if seen >= wanted:
                return min(float(EDGES_S[min(number, len(EDGES_S) - 1)]), self.worst_s) * 1000
        return self.worst_s * 1000
