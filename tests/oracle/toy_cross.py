"""The SMA cross as a strategy of ours, so that the replay and the vectorised engine can be asked as well."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.data import RecordedBars
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.results import DataSource
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.base import Decision, OwnPosition, Parameters, State, Strategy
from apps.strategies.orchestrator.loader import Loaded
from apps.strategies.signals import AtRows, Past, Signals
from moondev.domain.desired import Target
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries, MarketView, Needs
from moondev.domain.values import Money, Quantity
from tests.oracle.crosses import FAST, FEE_BPS, INITIAL, SLOW
from tests.oracle.engines.answering import mean_distance

# A size is a share of the capital, cut to whole lots: with one coin a lot, one and a half of them are always one.
LOT = Decimal(1)
COINS = 1.5
FEES = Costs(FEE_BPS, FEE_BPS)
WIDE = MappingProxyType({"max_order_notional": Decimal(10**6)})


class Lengths(Parameters):
    """What the cross needs to know."""

    minutes: int
    fast: int = FAST
    slow: int = SLOW
    coins: float = COINS


class ToyCross(Strategy[Lengths]):
    """Long one coin from the bar where the fast mean gets above the slow one to that where it gets below."""

    name: ClassVar[str] = "toy_cross"
    parameters: ClassVar[type[Parameters]] = Lengths
    presets: ClassVar[Mapping[str, Parameters]] = MappingProxyType({})

    def needs(self, params: Lengths, instruments: tuple[Instrument, ...]) -> Needs:
        """Return one bar more than the slow mean spans: a crossing is between two bars."""
        return Needs(tuple(one.key for one in instruments), {_interval(params): params.slow + 1})

    def decide(
        self,
        view: MarketView,
        own: OwnPosition,
        params: Lengths,
        state: State,
        instruments: Mapping[str, Instrument],
    ) -> Decision:
        """Return what to hold of the one instrument."""
        (key,) = instruments
        bars = view.instruments[key].bars.get(_interval(params))
        if bars is None or len(bars) <= params.slow:
            return Decision((Target(key, 0.0, "nothing yet", "too few bars"),), state)
        before, now = mean_distance(bars.close, params.fast, params.slow)[-2:]
        weight = state.get("weight", 0.0)
        if now > 0 and before <= 0 and not weight:
            state = {"weight": share(float(bars.close[-1]), params.coins), "since": str(bars.opened_ms[-1])}
        elif now < 0 and before >= 0 and weight:
            state = {}
        weight = float(state.get("weight", 0.0))
        return Decision((Target(key, weight, f"above since {state.get('since')}", "cross"),), state)

    def signals(
        self, past: Mapping[str, Past], params: Lengths, instruments: Mapping[str, Instrument], leverage: float
    ) -> Mapping[str, Signals] | None:
        """Return the crossings as columns."""
        (key,) = instruments
        close = past[key].base.close
        distance = mean_distance(close, params.fast, params.slow)
        before = np.concatenate(([np.nan], distance[:-1]))
        enters, leaves = (distance > 0) & (before <= 0), (distance < 0) & (before >= 0)
        never, count = np.full(len(close), np.nan), len(close)
        return {
            key: Signals(
                weights=np.where(enters, share(close, params.coins), 0.0),
                prices=close,
                limits=never,
                stops=never,
                targets=never,
                strengths=np.ones(count),
                hold_ms=np.zeros(count, dtype=np.int64),
                seen=np.ones(count, dtype=bool),
                bar_ms=round(_interval(params).total_seconds() * 1000),
                leaves=AtRows(leaves, np.zeros(count, dtype=bool)),
            )
        }


def share(price: Any, coins: float) -> Any:
    """Return the share of the money that buys so many coins."""
    return coins * price / INITIAL


def loaded(bars: BarSeries, fast: int = FAST, slow: int = SLOW) -> Loaded:
    """Return the cross, ready to run on `bars`."""
    return Loaded(ToyCross(), Lengths(minutes=round(bars.interval.total_seconds() / 60), fast=fast, slow=slow), "")


def setting(
    bars: BarSeries, rule: FillRule, costs: Costs = FEES, lot: Decimal = LOT, limits: Mapping[str, Decimal] = WIDE
) -> Setting:
    """Return the question's money, fee and rule.

    A market order may fill four per cent from the close, and be as large as the whole allocation: the other engines
    know no bound on either.
    """
    grid = PriceGrid(Decimal("0.01"))
    coin = Instrument("made", "BTC", "BTC", "USDT", grid, Quantity(lot), Money(Decimal(1), "USDT"), 50)
    market = Market(coin, RecordedBars(bars, DataSource("made", ""), "USDT"), costs)
    return Setting((market,), rule, Decimal(int(INITIAL)), slippage_bps=Decimal(400), limits=limits)


def _interval(params: Lengths) -> timedelta:
    return timedelta(minutes=params.minutes)
