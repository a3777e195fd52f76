"""How old the newest public data of a venue is, by kind, and how long it takes from the socket to the shared cache.

A socket that is up and brings nothing is as bad as one that is down, so ages count, not connections.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from apps.exchanges.ports import BestQuoteUpdate, BookUpdate, CandleUpdate, MarkUpdate, TradeBatch
from moondev.domain.clock import monotonic

KINDS: Mapping[type, str] = MappingProxyType(
    {
        BookUpdate: "book",
        BestQuoteUpdate: "best_quote",
        TradeBatch: "trades",
        CandleUpdate: "candles",
        MarkUpdate: "marks",
    }
)
# The promise: data is younger than this, real seconds.
FRESH_SECONDS = 1.0
NEVER = 1e9


class Freshness:
    """Ages of one venue's data. One per stream process; costs one look-up per message."""

    def __init__(self) -> None:
        self._heard: dict[type, float] = {}
        self._worst_visible = 0.0
        self._looks = self._fresh_looks = 0

    def heard(self, event: object) -> None:
        """Note that an event came just now."""
        self._heard[type(event)] = monotonic()

    def visible(self, received: float) -> None:
        """Note that what was received first, at a monotonic moment, is in the cache now, with all that came since."""
        self._worst_visible = max(self._worst_visible, monotonic() - received)

    def ages(self) -> dict[str, float]:
        """Return by kind how many real seconds ago the newest datum came; kinds never heard of are left out."""
        now = monotonic()
        return {name: now - self._heard[kind] for kind, name in KINDS.items() if kind in self._heard}

    def report(self) -> dict[str, object]:
        """Return what is worth exporting; the worst delay is that since the last report."""
        ages = self.ages()
        age = min(ages.values(), default=NEVER)
        self._looks += 1
        self._fresh_looks += age < FRESH_SECONDS
        worst, self._worst_visible = self._worst_visible, 0.0
        return {
            "data_age_seconds": age,
            "ages": ages,
            "visible_seconds": worst,
            "looks": self._looks,
            "fresh_looks": self._fresh_looks,
        }
