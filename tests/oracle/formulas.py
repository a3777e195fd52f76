"""Indicators from their definitions in pandas, and statistics in arch, scipy and statsmodels."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from moondev.domain.market_data import BarSeries, Column
from tests.oracle.crosses import QUARTER, made_up, recorded
from tests.oracle.questions import Engine, Given, Question
from tests.oracle.series import price_columns, recorded_bars, walk

INDICATORS = Engine("research", "indicators.py")
RELATIONS = Engine("research", "relations.py")
STATISTIC = 1e-9
LAGS = 1
# The reference's own stretch of the two coins, and the whole of what was known when it was written.
STRETCHES = {"recorded 2000": 2_000, "recorded whole": 21_888}


def a_stretch() -> BarSeries:
    """Return the newest bars of the recording: fifty days, from midnight UTC on."""
    bars = recorded()
    midnights = np.flatnonzero(bars.opened_ms % 86_400_000 == 0)
    return bars.tail(len(bars) - int(midnights[-50]))


STRETCH = {"recorded": a_stretch, "walk": made_up}


def closes(name: str) -> tuple[Column, Column]:
    """Return the closes of ETH and BTC, or of two walks that share their steps."""
    if name in STRETCHES:
        y, x = (
            recorded_bars(f"okx-swap_{coin}-USDT-SWAP_1h_202301-202506", timedelta(hours=1)).close[: STRETCHES[name]]
            for coin in ("ETH", "BTC")
        )
        return y, x
    leader = walk(2, 1_500, QUARTER).close
    noise = np.random.default_rng(3).integers(-5_000, 5_001, len(leader)) / 100
    return (leader if name == "walk together" else walk(4, 1_500, QUARTER).close) + noise, leader


def indicator_question(data: str) -> Question:
    """Return the question of every indicator over one series."""
    return Question(f"indicators.{data}", INDICATORS, lambda: Given(price_columns(STRETCH[data]())), 1e-8)


def relation_question(name: str) -> Question:
    """Return the question of how two prices hang together."""

    def given() -> Given:
        y, x = closes(name)
        return Given({"y": y, "x": x}, {"lags": LAGS})

    return Question(f"relations.{name.replace(' ', '_')}", RELATIONS, given, STATISTIC)


INDICATOR_QUESTIONS = {data: indicator_question(data) for data in STRETCH}
RELATION_QUESTIONS = {name: relation_question(name) for name in (*STRETCHES, "walk together", "walk apart")}
