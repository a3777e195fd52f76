"""What the same trades would have made had they begun at random bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.results import BacktestResult, Trade
from apps.strategies.backtest.setting import Market, Setting
from moondev.domain.clock import milliseconds
from moondev.domain.market_data import Column
from moondev.domain.values import Side

# Numbers held at once: some 16 MB.
_CHUNK = 2_000_000


@dataclass(frozen=True, slots=True)
class Observed:
    """A market's trades as columns: `returns` net and `costs` (fees less funding) as fractions of the money entered.

    `sides` are 1 and -1, `held` whole bars (one at least), `quantity` in base.
    """

    returns: Column
    costs: Column
    sides: Column
    held: NDArray[np.int64]
    quantity: Column

    def __len__(self) -> int:
        """Return the number of trades."""
        return len(self.returns)


def observed(trades: tuple[Trade, ...], interval_ms: int) -> Observed:
    """Return trades of one market as columns."""
    entered = np.array([trade.quantity * trade.entry_price for trade in trades])
    lasted = np.array([trade.exited_ms - trade.entered_ms for trade in trades], dtype=np.float64)
    return Observed(
        returns=np.array([trade.net for trade in trades]) / entered,
        costs=np.array([trade.fees - trade.funding for trade in trades]) / entered,
        sides=np.array([1.0 if trade.side is Side.BUY else -1.0 for trade in trades]),
        held=np.maximum(np.rint(lasted / interval_ms), 1).astype(np.int64),
        quantity=np.array([trade.quantity for trade in trades]),
    )


def by_market(result: BacktestResult) -> Mapping[str, tuple[Trade, ...]]:
    """Return the trades of each market that has any, in the order they were entered."""
    keys = sorted({trade.instrument for trade in result.trades})
    ordered = sorted(result.trades, key=lambda trade: (trade.entered_ms, trade.exited_ms))
    return {key: tuple(trade for trade in ordered if trade.instrument == key) for key in keys}


def random_sums(
    market: Market, setting: Setting, seen: Observed, draws: int, chance: np.random.Generator
) -> Column | None:
    """Return `draws` sums of the trades' returns, each trade entered at the open of a random bar.

    Held as long, in the same direction, at the same fees and funding, with the market's spread and slippage at both
    ends. None: the longest trade leaves no bar to choose.
    """
    bars = market.recorded.bars
    first = (
        0 if setting.trades_from is None else int(np.searchsorted(bars.opened_ms, milliseconds(setting.trades_from)))
    )
    choices = len(bars) - seen.held - first
    if bool(np.any(choices < 1)):
        return None
    size = max(1, _CHUNK // len(seen))
    parts = [_sums(market, seen, first, choices, min(size, draws - at), chance) for at in range(0, draws, size)]
    return np.concatenate(parts)


def _sums(
    market: Market, seen: Observed, first: int, choices: NDArray[np.int64], draws: int, chance: np.random.Generator
) -> Column:
    bars, costs = market.recorded.bars, market.costs
    rows = first + chance.integers(0, choices, size=(draws, len(seen)))
    change = seen.sides * seen.quantity
    bought = costs.taken_price(bars.open[rows], change, bars.volume[rows])
    sold = costs.taken_price(bars.open[rows + seen.held], -change, bars.volume[rows + seen.held])
    return np.asarray((seen.sides * (sold / bought - 1) - seen.costs).sum(axis=1))
