"""Bars made into quotes: a strategy makes the same trades in the quote backtest as in the replay of the bars."""

from collections import Counter
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pytest

from apps.strategies.backtest.brackets import STOP, TARGET
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.data import RecordedBars
from apps.strategies.backtest.quotes import backtest_quotes
from apps.strategies.backtest.quoting.latency import ConstantFeed, ConstantOrders, Latency, nanoseconds
from apps.strategies.backtest.quoting.setting import QuoteMarket, QuoteSetting
from apps.strategies.backtest.quoting.tape import BUY, LEVEL, NS_PER_MS, SELL, TRADE, Tape
from apps.strategies.backtest.replay import replay
from apps.strategies.backtest.results import END_OF_DATA, DataSource
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.base import Decision, Parameters, Strategy
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.desired import Target
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries, Needs
from moondev.domain.values import Money, Price, Quantity
from tests.unit.apps.strategies.backtest.replay_world import MINUTE, START_MS

TICK = Decimal("0.01")
BTC = Instrument("made", "BTC", "BTC", "USDC", PriceGrid(TICK), Quantity(Decimal("0.1")), Money(Decimal(1), "USDC"), 50)
# One fee for all: the bar engines let a target rest and make, while the venue's take-profit trades at the market.
FEES = Costs(maker_bps=5.0, taker_bps=5.0)
AT_ONCE = Latency(ConstantFeed(0 * MINUTE), ConstantOrders(0 * MINUTE, 0 * MINUTE))
# Nobody trades more than stands here.
DEEP = 10**9
BARS = 150


def walked_bars(seed):
    """Return bars in whole ticks, each opening where the one before closed."""
    random = np.random.default_rng(seed)
    close = 10_000 + np.cumsum(random.integers(-25, 26, BARS))
    opened = np.concatenate(([10_000], close[:-1]))
    high = np.maximum(opened, close) + random.integers(0, 25, BARS)
    low = np.minimum(opened, close) - random.integers(0, 25, BARS)
    return opened, high, low, close


def as_bars(opened, high, low, close):
    stamps = START_MS + np.arange(BARS, dtype=np.int64) * 60_000
    return BarSeries(MINUTE, stamps, *(ticks / 100 for ticks in (opened, high, low, close)), np.full(BARS, 1_000.0))


def as_tape(opened, high, low, close):
    """Return the same market tick by tick: open, low, high, close; a bid at the price and an ask a tick above."""
    rows, price = [], int(opened[0])
    opening = [(0, LEVEL, BUY, price, DEEP), (0, LEVEL, SELL, price + 1, DEEP)]
    for bar in range(BARS):
        path = [int(opened[bar])]
        for corner in (low[bar], high[bar], close[bar]):
            step = 1 if corner > path[-1] else -1
            path += range(path[-1] + step, int(corner) + step, step) if corner != path[-1] else []
        for number, now in enumerate(path):
            at_ns = bar * nanoseconds(MINUTE) + number * nanoseconds(MINUTE) // (len(path) + 1)
            if now != price:
                gone = [(at_ns, LEVEL, BUY, price, 0), (at_ns, LEVEL, SELL, price + 1, 0)]
                rows += [*gone, (at_ns, LEVEL, BUY, now, DEEP), (at_ns, LEVEL, SELL, now + 1, DEEP)]
                price = now
            rows.append((at_ns, TRADE, SELL, now, 1))
    rows.append((BARS * nanoseconds(MINUTE), TRADE, SELL, price, 1))
    at, kinds, sides, ticks, lots = (np.array(column, np.int64) for column in zip(*opening, *rows, strict=True))
    stamps = START_MS * NS_PER_MS + at
    return Tape(
        BTC, kinds.astype(np.int8), sides.astype(np.int8), ticks, lots, stamps, stamps, len(opening),
        DataSource("made", ""),
    )  # fmt: skip


class Riser(Strategy[Parameters]):
    """Goes long when a close is above that of three bars ago, with a stop and a target; once a bar at most."""

    name, parameters, presets = "riser", Parameters, MappingProxyType({})

    def needs(self, params, instruments):
        return Needs(tuple(one.key for one in instruments), {MINUTE: 4})

    def decide(self, view, own, params, state, instruments):
        (key,) = instruments
        bars = view.instruments[key].bars.get(MINUTE)
        if bars is None or len(bars) < 4:
            return Decision((Target(key, 0.0, "nothing yet", "too few bars"),), {})
        newest, close = str(bars.opened_ms[-1]), Decimal(repr(round(float(bars.close[-1]), 2)))
        if not own.holding(key).quantity:
            if state.get("signal") == newest or bars.close[-1] <= bars.close[-4]:
                return Decision((Target(key, 0.0, "out", "out"),), dict(state))
            state = {"signal": newest, "stop": str(close - 30 * TICK), "target": str(close + 40 * TICK)}
        stop, target = Price(Decimal(state["stop"])), Price(Decimal(state["target"]))
        return Decision((Target(key, 0.05, state["signal"], "rise", None, stop, target),), dict(state))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_bars_as_bars_and_as_quotes_give_the_same_trades(seed):
    walk, loaded = walked_bars(seed), Loaded(Riser(), Parameters(), "")
    bars = as_bars(*walk)
    recorded = RecordedBars(bars, DataSource("made", ""), "USDC")
    by_bars = replay(loaded, Setting((Market(BTC, recorded, FEES),)))
    setting = QuoteSetting((QuoteMarket(as_tape(*walk), FEES),), latency=AT_ONCE, every=None)
    by_quotes = backtest_quotes(loaded, setting)
    ours, theirs = ([trade for trade in found.trades if trade.reason != END_OF_DATA] for found in (by_quotes, by_bars))
    assert [_bars_of(trade) for trade in ours] == [_bars_of(trade) for trade in theirs]
    ends = Counter(trade.reason for trade in ours)
    assert ends[STOP] > 3
    assert ends[TARGET] > 3
    for one, other in zip(ours, theirs, strict=True):
        assert (one.side, one.reason) == (other.side, other.reason)
        # The ask is a tick above the bar's price; stops and targets end at their own level in both.
        assert one.entry_price == pytest.approx(other.entry_price + 0.01, abs=1e-9)
        assert one.exit_price == pytest.approx(other.exit_price, abs=1e-9)
        # A size is reckoned at the middle of the book, half a tick from the close: a lot apart at most.
        assert one.quantity == pytest.approx(other.quantity, abs=0.1001)
        assert one.net / one.quantity == pytest.approx(other.net / other.quantity - 0.01, abs=1e-4)


def _bars_of(trade):
    return ((trade.entered_ms - START_MS) // 60_000, (trade.exited_ms - START_MS) // 60_000)
