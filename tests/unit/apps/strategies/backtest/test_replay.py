"""The replay on small made markets: where orders fill, what they cost, and what a strategy is shown."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar

import pytest

from apps.strategies.backtest.costs import FREE, Costs
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.replay import replay
from apps.strategies.backtest.setting import Setting
from apps.strategies.base import Decision, Parameters, Strategy
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.desired import Target
from moondev.domain.market_data import Needs
from moondev.domain.values import Price
from tests.unit.apps.strategies.backtest.replay_world import MINUTE, market_of

D = Decimal


class Plan(Parameters):
    """What to hold after so many closed bars."""

    weights: dict[int, float]
    stop: float | None = None
    take_profit: float | None = None
    entry: float | None = None


class Planned(Strategy[Plan]):
    """Holds what its plan says, by the number of bars that have closed."""

    name: ClassVar[str] = "planned"
    parameters: ClassVar[type[Parameters]] = Plan
    presets: ClassVar = MappingProxyType({})

    def needs(self, params, instruments):
        return Needs(tuple(one.key for one in instruments), {MINUTE: 1_000})

    def decide(self, view, own, params, state, instruments):
        """Want what is planned, once: what was closed at the venue is not bought back."""
        wishes, held = [], dict(state)
        for key in instruments:
            count = len(view.instruments[key].bars[MINUTE]) if MINUTE in view.instruments[key].bars else 0
            due = [at for at in params.weights if at <= count]
            signal = f"at {max(due, default=0)}"
            if own.holding(key).quantity:
                held[key] = signal
            gone = not own.holding(key).quantity and held.get(key) == signal
            weight = 0.0 if gone or not due else params.weights[max(due)]
            prices = (None if p is None else Price(D(str(p))) for p in (params.entry, params.stop, params.take_profit))
            wishes.append(Target(key, weight, signal, "planned", *prices))
        return Decision(tuple(wishes), held)


def run(markets, weights, costs=FREE, rule=FillRule.NEXT_OPEN, **more):
    plan = Plan(weights=weights, **more)
    setting = Setting((*markets,), rule, D(100_000))
    return replay(Loaded(Planned(), plan, ""), setting)


def test_what_a_close_decides_fills_at_the_next_open_or_at_that_close_by_the_rule():
    bars = [(100, 101, 99, 100), (100.2, 104, 100, 103), (103.4, 106, 103, 105), (107, 108, 106, 107)]
    (trade,) = run([market_of(bars)], {1: 0.05, 2: 0.0}).trades
    assert (trade.entry_price, trade.exit_price, trade.quantity) == (100.2, 103.4, 50)
    (trade,) = run([market_of(bars)], {1: 0.05, 2: 0.0}, rule=FillRule.BAR_CLOSE).trades
    assert (trade.entry_price, trade.exit_price, trade.quantity) == (100, 103, 50)


def test_a_stop_rests_from_the_entry_bar_on_and_goes_before_the_target():
    bars = [(100, 100, 100, 100), (100, 120, 80, 100), (100, 100, 100, 100)]
    (trade,) = run([market_of(bars)], {1: 0.05, 2: 0.0}, stop=90, take_profit=110).trades
    assert (trade.entry_price, trade.exit_price, trade.reason) == (100, 90, "stop")


def test_the_maker_pays_the_makers_fee_and_who_takes_pays_spread_and_the_takers():
    bars = [(100, 100, 100, 100), (100, 120, 95, 100), (100, 100, 100, 100)]
    costs = Costs(maker_bps=1, taker_bps=10, spread_bps=20)
    (trade,) = run([market_of(bars, costs)], {1: 0.05, 2: 0.0}, costs, stop=90, take_profit=110).trades
    assert (trade.entry_price, trade.exit_price, trade.reason) == (100.1, 110, "target")
    assert trade.fees == pytest.approx(50 * 100.1 * 10e-4 + 50 * 110 * 1e-4)
