"""Fills as columns: where in the bars, how much, at what price, and in which part of the bar."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.costs import BPS, Costs
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Column


class FillRule(StrEnum):
    """Where an order decided at the close of a bar fills.

    NEXT_OPEN is what can be traded. BAR_CLOSE trades at the price that was just learned: for comparing with engines
    that do so, and for markets whose bars are long against the time an order takes. AS_RECORDED belongs to quote
    backtests: orders meet the recorded book and its trades at their time.
    """

    NEXT_OPEN = "next open"
    BAR_CLOSE = "bar close"
    AS_RECORDED = "recorded prices"


BAR_RULES = (FillRule.NEXT_OPEN, FillRule.BAR_CLOSE)


def require_bar_rule(rule: FillRule) -> None:
    """Raise InvalidValue for a rule that bars cannot follow."""
    if rule not in BAR_RULES:
        raise InvalidValue("rule", rule.value, " or ".join(BAR_RULES))


@dataclass(frozen=True, slots=True)
class Fills:
    """Fills in the order they happened, one row each.

    `rows` number the bars; `change` is above zero for a buy, in base; `prices` are those of the market, before
    costs; `made` marks resting orders (maker fee, no spread, no slippage); `at_close` those at the close of their bar.
    """

    rows: NDArray[np.int64]
    change: Column
    prices: Column
    made: NDArray[np.bool_]
    at_close: NDArray[np.bool_]
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of fills."""
        return len(self.rows)

    @property
    def carried_from(self) -> NDArray[np.int64]:
        """Return for each fill the first bar at whose close, before fills at that close, the change was held."""
        return self.rows + self.at_close

    def paid(self, costs: Costs, bars: BarSeries) -> Column:
        """Return the prices with spread and slippage."""
        taken = costs.taken_price(self.prices, self.change, bars.volume[self.rows])
        return np.where(self.made, self.prices, taken)

    def fees(self, costs: Costs, paid: Column) -> Column:
        """Return the venue's fee of each fill; a rebate is below zero."""
        return np.abs(self.change) * paid * (np.where(self.made, costs.maker_bps, costs.taker_bps) * BPS)
