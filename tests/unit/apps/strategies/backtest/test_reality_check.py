"""The reference's row of the correlation bot, to the last trade: our leader's signals, and a loop of its other words.

What its words leave open, and the reading that gives its numbers: the followers are those of the bot's list that the
venue has; one lags that moved least in the leader's direction within the signal's bar; in at the close of that bar, out
at the levels themselves from the next bar on, stop first; a new trade at the earliest in the bar after the last one's
end; nothing before the leader has twenty bars behind the one before. `docs/backtests/reality-check.md` says what a
trader is to think of it.
"""

from __future__ import annotations

from datetime import timedelta
from functools import reduce

import numpy as np
import pytest

from apps.strategies.library.relation.leading import leader_signals
from apps.strategies.registry import strategy_class
from moondev.domain.market_data import BarSeries
from tests.unit.apps.strategies.recorded import columns

LEADER, FOLLOWERS = "ETH", ("ADA", "DOT", "XRP", "UNI", "SOL")
# The bars that all nine recordings have are those that these six have.
COMMON, FIRST = 38_292, 21
TARGET, STOP = 0.0025, 0.002


@pytest.fixture(scope="module")
def markets():
    """Return open, high, low and close of each market on the bars that all have."""
    names = ("ts", "open", "high", "low", "close")
    found = {asset: columns(f"hyperliquid-perp_{asset}USDC_5m_202503-202507", *names) for asset in (LEADER, *FOLLOWERS)}
    shared = reduce(np.intersect1d, (stamps for stamps, *_ in found.values()))
    assert len(shared) == COMMON
    at = {asset: np.searchsorted(stamps, shared) for asset, (stamps, *_) in found.items()}
    return shared, {asset: [column[at[asset]] for column in prices] for asset, (_, *prices) in found.items()}


@pytest.fixture(scope="module")
def signals(markets):
    """Return what the shipped strategy makes of the leader, bar by bar."""
    shared, prices = markets
    open_, high, low, close = prices[LEADER]
    bars = BarSeries(timedelta(minutes=5), shared, open_, high, low, close, np.ones(len(shared)))
    parameters = strategy_class("correlation").presets["original"]
    return leader_signals(bars, parameters, len(bars))


def ended(prices, bar, side):
    """Return the bar in which a trade from the close of `bar` ends and whether it won; None for one that does not."""
    _, high, low, close = prices
    entry = close[bar]
    goal, stop = entry * (1 + side * TARGET), entry * (1 - side * STOP)
    for row in range(bar + 1, len(close)):
        if low[row] <= stop if side > 0 else high[row] >= stop:
            return row, False
        if high[row] >= goal if side > 0 else low[row] <= goal:
            return row, True
    return None


def traded(markets, signals, least):
    """Return how many trades there are and how many won, of the follower that moved `least` (1) or most (-1)."""
    _, prices = markets
    moves = np.array([np.append(np.nan, np.diff(prices[asset][3]) / prices[asset][3][:-1]) for asset in FOLLOWERS])
    count, won, free = 0, 0, FIRST
    for bar in np.flatnonzero(np.nan_to_num(signals)):
        if bar < free:
            continue
        side = int(signals[bar])
        asset = FOLLOWERS[int(np.argmin(side * least * moves[:, bar]))]
        end = ended(prices[asset], int(bar), side)
        if end is None:
            break
        count, won, free = count + 1, won + end[1], end[0] + 1
    return count, won


def gross_bps(count, won):
    return 1e4 * (won * TARGET - (count - won) * STOP) / count


def test_the_most_lagging_follower_trades_as_its_reference_says(markets, signals):
    count, won = traded(markets, signals, 1)
    assert (count, won) == (4_448, 2_141)
    assert round(100 * won / count, 1) == 48.1
    assert round(gross_bps(count, won), 2) == 1.66


def test_the_most_leading_one_loses_what_its_reference_says(markets, signals):
    assert round(gross_bps(*traded(markets, signals, -1)), 2) == -1.04
