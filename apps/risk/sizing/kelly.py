"""How large a trade grows money fastest, and why to take less.

Kelly (A New Interpretation of Information Rate, Bell System Technical Journal 35, 1956): bet the fraction that makes
the mean of log(1 + f r) largest. To second order that is f = E[r] / E[r x r] (Thorp, The Kelly Criterion in Blackjack,
Sports Betting and the Stock Market, 2006), which is exact for an even bet: p = 0.6 gives 0.2. `r` is a trade's return
on what was paid for it, so it does not depend on how large the trade was.

A mean of few trades is mostly luck, and twice the right fraction grows nothing at all. So the mean is lowered by its
own standard error first, and no figure is given for fewer trades than the rule asks for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# Standard errors that are taken off the mean.
CAUTION = 1.0


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """Closed trades so far: how many, the mean of their returns and of the squares of these."""

    count: int = 0
    mean: float = 0.0
    mean_square: float = 0.0

    def after(self, trade_return: float) -> TradeRecord:
        """Return the record with one trade more; what is not a finite number is left out."""
        if not math.isfinite(trade_return):
            return self
        count = self.count + 1
        return TradeRecord(
            count,
            self.mean + (trade_return - self.mean) / count,
            self.mean_square + (trade_return * trade_return - self.mean_square) / count,
        )


NO_TRADES = TradeRecord()


def record_of(returns: Iterable[float]) -> TradeRecord:
    """Return the record of trades in turn."""
    record = NO_TRADES
    for one in returns:
        record = record.after(one)
    return record


def kelly_fraction(record: TradeRecord, fewest: int) -> float | None:
    """Return the multiple of equity to trade, 0 when nothing is to be gained for sure enough.

    None for fewer than `fewest` trades (at least two), and where every trade returned exactly nothing.
    """
    if record.count < max(fewest, 2) or not record.mean_square > 0:
        return None
    variance = max(record.mean_square - record.mean * record.mean, 0.0) * record.count / (record.count - 1)
    certain = record.mean - CAUTION * math.sqrt(variance / record.count)
    return max(certain, 0.0) / record.mean_square
