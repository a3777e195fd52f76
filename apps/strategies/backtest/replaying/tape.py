"""Every fill of one market, in columns, for the arithmetic of the bar engine to settle."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from apps.strategies.backtest.bars import BarRun, settle
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.fills import Fills
from moondev.domain.market_data import BarSeries


@dataclass(slots=True)
class Tape:
    """The fills of one market in the order they happened; see `Fills` for the columns."""

    rows: list[int] = field(default_factory=list)
    change: list[float] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)
    made: list[bool] = field(default_factory=list)
    at_close: list[bool] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def add(self, row: int, change: float, price: float, *, made: bool, at_close: bool, reason: str) -> None:
        """Append one fill."""
        self.rows.append(row)
        self.change.append(change)
        self.prices.append(price)
        self.made.append(made)
        self.at_close.append(at_close)
        self.reasons.append(reason)

    def settled(self, bars: BarSeries, costs: Costs, initial: float) -> BarRun:
        """Return equity and trades of these fills."""
        fills = Fills(
            np.array(self.rows, dtype=np.int64),
            np.array(self.change, dtype=np.float64),
            np.array(self.prices, dtype=np.float64),
            np.array(self.made, dtype=bool),
            np.array(self.at_close, dtype=bool),
            tuple(self.reasons),
        )
        return settle(bars, fills, costs, initial)
