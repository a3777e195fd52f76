"""Breaks of a 55-bar channel, long and short, a stop of two ATR and a target of one per cent, in backtesting.py."""

from __future__ import annotations

import numpy as np
import talib

from apps.strategies.backtest.brackets import Brackets
from apps.strategies.indicators.channels import prior_highest, prior_lowest
from moondev.domain.market_data import BarSeries
from tests.oracle.crosses import FIVE, INITIAL
from tests.oracle.questions import Engine, Given, Question
from tests.oracle.series import price_columns, recorded_bars, walk

FEE_BPS = 2.0
BACKTESTING = Engine("research", "backtesting_brackets.py")
CHANNEL, ATR_BARS, STOP_ATRS, TARGET = 55, 14, 2.0, 0.01

SERIES = {
    "recorded": lambda: recorded_bars("bybit-linear_ETHUSDT_5m_202504-202507", FIVE),
    "walk": lambda: walk(55_14, 4_000, FIVE),
}


def breaks(bars: BarSeries) -> Brackets:
    """Return what is decided at each close."""
    high, low, close = bars.high, bars.low, bars.close
    sign = 1.0 * (close > prior_highest(high, CHANNEL)) - 1.0 * (close < prior_lowest(low, CHANNEL))
    stops = close - sign * STOP_ATRS * talib.ATR(high, low, close, ATR_BARS)
    return Brackets(sign, stops, close * (1 + sign * TARGET), np.zeros(len(bars), dtype=bool))


def question(data: str) -> Question:
    """Return the question of one series."""

    def given() -> Given:
        bars = SERIES[data]()
        wanted = breaks(bars)
        levels = {"sign": wanted.entries, "stops": wanted.stops, "targets": wanted.targets}
        return Given(price_columns(bars) | levels, {"fee_bps": FEE_BPS, "initial": INITIAL})

    return Question(f"brackets.{data}.backtesting", BACKTESTING, given)


BRACKETS = {data: question(data) for data in SERIES}
