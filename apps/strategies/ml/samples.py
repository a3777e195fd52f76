"""From a strategy's backtest to rows a model can learn from: what was seen at each entry, and what came of it.

The label is the triple barrier's: the strategy's own stop, target and time end a trade, and it won or lost after every
cost. Source: M. López de Prado, "Advances in Financial Machine Learning", 2018, chapter 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.history import History
from apps.strategies.backtest.results import END_OF_DATA, BacktestResult
from apps.strategies.backtest.setting import Setting
from apps.strategies.library.learned.features import FEATURE_BARS, features
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column
from moondev.domain.values import Side

FEWEST = 50


@dataclass(frozen=True, slots=True)
class Samples:
    """One row per trade, in order of entry: features, whether it won, what it made per unit of notional, its span."""

    rows: NDArray[np.float64]
    won: NDArray[np.int64]
    made: Column
    entered_ms: NDArray[np.int64]
    exited_ms: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of trades."""
        return len(self.won)


def samples_of(result: BacktestResult, setting: Setting, interval: timedelta) -> Samples:
    """Return a row for every trade that ended by itself and had bars enough before it.

    Raises InvalidValue for fewer than FEWEST trades or when they all ended alike: nothing can be learnt then.
    """
    histories = {market.key: History(market.recorded.bars, (interval,)) for market in setting.markets}
    found = []
    for trade in sorted(result.trades, key=lambda trade: (trade.entered_ms, trade.instrument)):
        direction = 1 if trade.side is Side.BUY else -1
        row = _seen(histories, trade.instrument, interval, trade.entered_ms, direction)
        if row is not None and trade.reason != END_OF_DATA:
            made = trade.net / (trade.quantity * trade.entry_price)
            found.append((row, int(trade.net > 0), made, trade.entered_ms, trade.exited_ms))
    wins = sum(won for _, won, *_ in found)
    if len(found) < FEWEST or wins in {0, len(found)}:
        allowed = f"{FEWEST} or more, some of which won and some lost"
        raise InvalidValue("trades to learn from", f"{len(found)}, {wins} of which won", allowed)
    rows, wins_of, made_of, entered, exited = zip(*found, strict=True)
    return Samples(
        np.array(rows), np.array(wins_of), np.array(made_of), np.array(entered, dtype=np.int64),
        np.array(exited, dtype=np.int64),
    )  # fmt: skip


def _seen(
    histories: Mapping[str, History], instrument: str, interval: timedelta, entered_ms: int, direction: int
) -> list[float] | None:
    """Return the features of the bars that had closed when the trade was entered."""
    bars = histories[instrument].bars(interval)
    length = round(interval.total_seconds() * 1000)
    closed = int(np.searchsorted(bars.opened_ms, entered_ms - length, side="right"))
    return features(bars.part(max(0, closed - FEATURE_BARS), closed), direction)
