"""The reference's rows of two bots, to the last trade: loops of its words with everything they leave open filled in.

`docs/backtests/reality-check.md` has the words and says what a trader is to think of the numbers. Common to both rows:
stop before target, each at its own level; one position; decided at the close of a bar, and after a trade at the
earliest at the close of the bar after the one it ended in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import reduce

import numpy as np
import pytest

from apps.strategies.library.relation.leading import leader_signals
from apps.strategies.registry import strategy_class
from moondev.domain.market_data import BarSeries, Column
from tests.unit.apps.strategies.recorded import columns

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Bracket:
    """Target and stop as shares of the entry's price."""

    target: float
    stop: float

    def ended(self, prices: list[Column], entry: float, side: int, stop_from: int, target_from: int):
        """Return the bar in which a trade ends and whether it won; None for one that never does."""
        _, high, low, close = prices
        goal, stop = entry * (1 + side * self.target), entry * (1 - side * self.stop)
        for row in range(stop_from, len(close)):
            if low[row] <= stop if side > 0 else high[row] >= stop:
                return row, False
            if row >= target_from and (high[row] >= goal if side > 0 else low[row] <= goal):
                return row, True
        return None

    def gross_bps(self, count: int, won: int) -> float:
        """Return what a trade made on average."""
        return 1e4 * (won * self.target - (count - won) * self.stop) / count


def counted(bars, side_of, end_of) -> tuple[int, int]:
    """Return how many trades there are and how many won: one after the other, at the bars where there is a signal."""
    count, won, free = 0, 0, 0
    for bar in bars.tolist():
        if bar < free:
            continue
        end = end_of(bar, side_of(bar))
        if end is None:
            break
        count, won, free = count + 1, won + end[1], end[0] + 1
    return count, won


# --- correlation ---------------------------------------------------------------------------------------------------
# The followers of the bot's list that the venue has. The bars that all nine recordings have are those of these six.
LEADER, FOLLOWERS, COMMON = "ETH", ("ADA", "DOT", "XRP", "UNI", "SOL"), 38_292
# Nothing is decided before there are twenty bars behind the one before.
FIRST = 21
FOLLOWING = Bracket(target=0.0025, stop=0.002)


@pytest.fixture(scope="module")
def markets():
    """Return the stamps that all markets have, and each market's prices at them."""
    recordings = {asset: f"hyperliquid-perp_{asset}USDC_5m_202503-202507" for asset in (LEADER, *FOLLOWERS)}
    found = {asset: columns(name, "ts", *PRICES) for asset, name in recordings.items()}
    shared = reduce(np.intersect1d, (stamps for stamps, *_ in found.values()))
    assert len(shared) == COMMON
    at = {asset: np.searchsorted(stamps, shared) for asset, (stamps, *_) in found.items()}
    return shared, {asset: [column[at[asset]] for column in prices] for asset, (_, *prices) in found.items()}


@pytest.fixture(scope="module")
def signals(markets):
    """Return what the shipped strategy makes of the leader, bar by bar."""
    shared, prices = markets
    bars = BarSeries(timedelta(minutes=5), shared, *prices[LEADER], np.ones(len(shared)))
    return leader_signals(bars, strategy_class("correlation").presets["original"], len(bars))


def followed(markets, signals, least):
    """Return trades and wins of the follower that moved `least` (1) or most (-1) in the leader's direction."""
    _, prices = markets
    moves = np.array([np.append(np.nan, np.diff(close) / close[:-1]) for *_, close in (prices[f] for f in FOLLOWERS)])

    def end(bar, side):
        of = prices[FOLLOWERS[int(np.argmin(side * least * moves[:, bar]))]]
        return FOLLOWING.ended(of, of[3][bar], side, bar + 1, bar + 1)

    bars = np.flatnonzero(np.nan_to_num(signals))
    return counted(bars[bars >= FIRST], lambda bar: int(signals[bar]), end)


def test_the_most_lagging_follower_trades_as_its_reference_says(markets, signals):
    count, won = followed(markets, signals, 1)
    assert (count, won) == (4_448, 2_141)
    assert round(100 * won / count, 1) == 48.1
    assert round(FOLLOWING.gross_bps(count, won), 2) == 1.66


def test_the_most_leading_one_loses_what_its_reference_says(markets, signals):
    assert round(FOLLOWING.gross_bps(*followed(markets, signals, -1)), 2) == -1.04


# --- mean reversion ------------------------------------------------------------------------------------------------
REVERTING = Bracket(target=0.009, stop=0.008)
OFFSET, MEAN_BARS, TREND_BARS = 0.008, 20, 20 * 16


def mean(values: Column, length: int) -> Column:
    sums = np.convolve(values, np.ones(length), "valid") / length
    return np.concatenate((np.full(length - 1, np.nan), sums))


def reverted(prices):
    """Return trades and wins: a limit beyond the mean that is good for one bar, and fills there at its own price."""
    _, high, low, close = prices
    average, trend = mean(close, MEAN_BARS), mean(close, TREND_BARS)
    confirmed = np.sign(np.diff(close, prepend=np.nan))
    sides = np.zeros(len(close))
    limits = np.zeros(len(close))
    for side, far in ((1, low), (-1, high)):
        limit = average * (1 - side * OFFSET)
        reached = side * (limit - np.append(far[1:], np.nan)) >= 0
        wanted = (side * (close - trend) > 0) & (side * (average - close) >= 0) & (side * confirmed > 0)
        sides[wanted & reached] = side
        limits[wanted & reached] = limit[wanted & reached]

    def end(bar, side):
        # Whether the bar of the entry reached the target before or after it was entered, nobody knows.
        return REVERTING.ended(prices, limits[bar], side, bar + 1, bar + 2)

    return counted(np.flatnonzero(sides), lambda bar: int(sides[bar]), end)


# The reference rounds twice: its -18.9 is -18.85, its -23.1 is -23.13.
@pytest.mark.parametrize(
    ("asset", "expected", "won_percent", "bps"),
    [("BTC", (417, 150), 36.0, -18.85), ("ETH", (571, 191), 33.5, -23.13)],
    ids=["BTC", "ETH"],
)
def test_the_pullback_trades_as_its_reference_says(asset, expected, won_percent, bps):
    count, won = reverted(list(columns(f"binance-usdm_{asset}USDT_15m_202301-202405", *PRICES)))
    assert (count, won) == expected
    assert round(100 * won / count, 1) == won_percent
    assert round(REVERTING.gross_bps(count, won), 2) == bps
