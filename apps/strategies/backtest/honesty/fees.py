"""Does the edge survive its costs? The same idea for nothing, at several fees, and at twice what trading costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from apps.risk.models import LimitKind
from apps.strategies.backtest.costs import BPS, Costs, FixedSlippage, Slippage
from apps.strategies.backtest.cuts import with_costs
from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.check import Check, CheckCode
from apps.strategies.backtest.results import END_OF_DATA, BacktestResult, Trade
from moondev.domain.market_data import Column


@dataclass(frozen=True, slots=True)
class Times:
    """Slippage that is `factor` times another."""

    slippage: Slippage
    factor: float

    def bps(self, quantity: Column, volume: Column) -> Column:
        """Return the basis points of the other, multiplied."""
        return self.slippage.bps(quantity, volume) * self.factor


def free(costs: Costs) -> Costs:
    """Return trading for nothing; funding and borrowing stay, they are no matter of how often one trades."""
    return replace(costs, maker_bps=0.0, taker_bps=0.0, spread_bps=0.0, slippage=FixedSlippage())


def all_made(costs: Costs) -> Costs:
    """Return the costs of somebody who never takes: the maker's fee for every fill (a rebate counts as nothing)."""
    fee = max(costs.maker_bps, 0.0)
    return replace(costs, maker_bps=fee, taker_bps=fee, spread_bps=0.0, slippage=FixedSlippage())


def all_taken(costs: Costs) -> Costs:
    """Return the costs of somebody who never waits: the taker's fee for every fill."""
    return replace(costs, maker_bps=costs.taker_bps)


def doubled(costs: Costs) -> Costs:
    """Return fees, spread and slippage twice as high; a rebate is lost."""
    return replace(
        costs,
        maker_bps=2 * max(costs.maker_bps, 0.0),
        taker_bps=2 * costs.taker_bps,
        spread_bps=2 * costs.spread_bps,
        slippage=Times(costs.slippage, 2.0),
    )


def stated(costs: Costs) -> Costs:
    """Return the costs as they are."""
    return costs


GRID: Mapping[str, Callable[[Costs], Costs]] = MappingProxyType(
    {"free": free, "maker": all_made, "stated": stated, "taker": all_taken, "double": doubled}
)
_STOPS = (LimitKind.STRATEGY_DRAWDOWN, LimitKind.PORTFOLIO_DRAWDOWN)


def fees(case: Case) -> Check:
    """Return the net result over a grid of costs, and what trading may cost before nothing is left; five backtests.

    They run without the limit of drawdown: a run that it ends trades less than the one it is compared with.
    """
    code = CheckCode.FEES
    endless = replace(case.setting, limits={**case.setting.limits, **{kind.value: Decimal(1) for kind in _STOPS}})
    runs = {name: case.engine(case.loaded, with_costs(endless, changed)) for name, changed in GRID.items()}
    if not runs["stated"].trades:
        return case.unanswered(code, "no trades: there is nothing that costs could take", len(runs))
    nets = {name: _net(run) for name, run in runs.items()}
    turnover = _turnover(runs["stated"])
    break_even = nets["free"] / _turnover(runs["free"], turnover) / BPS
    cost = (nets["free"] - nets["stated"]) / turnover / BPS
    figures = {
        **{f"net_{name}": net for name, net in nets.items()},
        "turnover": turnover,
        "break_even_bps": break_even,
        "cost_bps": cost,
        # With nothing to pay there is no multiple of it.
        "edge_over_cost": break_even / cost if cost > 0 else None,
    }
    told = ", ".join(f"{name} {net:.2%}" for name, net in nets.items())
    words = f"net at costs {told}; an edge of {break_even:.2f} bp for each unit traded stands against {cost:.2f} bp"
    return case.answer(code, figures, words, backtests=len(runs))


def _net(result: BacktestResult) -> float:
    return result.final / result.initial - 1


def _turnover(result: BacktestResult, otherwise: float = 0.0) -> float:
    """Return what was bought and sold, in multiples of the money that it began with."""
    traded = sum(trade.quantity * (trade.entry_price + _left(trade)) for trade in result.trades)
    return traded / result.initial or otherwise


def _left(trade: Trade) -> float:
    # What the data ended on was never sold: it is only valued.
    return 0.0 if trade.reason == END_OF_DATA else trade.exit_price
