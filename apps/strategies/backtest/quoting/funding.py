"""Funding of one market, paid by the position held when it falls due, at the price heard then."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from apps.strategies.backtest.costs import MINUTE_MS, FundingRates
from apps.strategies.backtest.quoting.tape import NS_PER_MS

_HOUR_MS = 3_600_000


class Payments:
    """Recorded rates and what was paid of them; `paid` are (when in ns, amount received)."""

    def __init__(self, rates: FundingRates | None, starts_ns: int) -> None:
        """Begin at `starts_ns`: what fell due before is no business of ours."""
        self._rates = rates
        # Venues book some milliseconds after the hour it is for.
        self._due_ms = np.zeros(0, np.int64) if rates is None else rates.times // MINUTE_MS * MINUTE_MS
        self._next = int(np.searchsorted(self._due_ms, starts_ns // NS_PER_MS, side="right"))
        self.paid: list[tuple[int, float]] = []

    def due(self, held: Decimal, price: Decimal, now_ns: int) -> Decimal:
        """Return what a position of `held` receives for all that fell due since the last call."""
        total = Decimal(0)
        while self._rates is not None and self._next < len(self._due_ms):
            due_ms = int(self._due_ms[self._next])
            if due_ms * NS_PER_MS > now_ns:
                break
            amount = -held * price * Decimal(repr(float(self._rates.rates[self._next])))
            self._next += 1
            if amount:
                self.paid.append((due_ms * NS_PER_MS, float(amount)))
            total += amount
        return total

    def rate_per_hour(self, now_ns: int) -> float | None:
        """Return the newest rate that was paid by now, per hour; None when there is none."""
        known = int(np.searchsorted(self._due_ms, now_ns // NS_PER_MS, side="right"))
        if self._rates is None or not known:
            return None
        before = max(known - 2, 0)
        hours = (self._due_ms[before + 1] - self._due_ms[before]) / _HOUR_MS if len(self._due_ms) > 1 else 1.0
        return float(self._rates.rates[known - 1]) / max(round(float(hours)), 1)
