"""What must hold of any replay, tried on strategies that want whatever a generator of numbers tells them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pytest

from apps.strategies.backtest.costs import Costs, FundingRates
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.replay import replay
from apps.strategies.backtest.replaying.course import Course, nothing
from apps.strategies.backtest.replaying.report import result_of
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.base import Decision, Parameters, Strategy
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.desired import Quote, Quotes, Target
from moondev.domain.market_data import Needs
from moondev.domain.values import Price, Quantity
from tests.unit.apps.strategies.backtest.replay_world import MINUTE, START_MS, market_of

D = Decimal
COUNT = 60


class Seed(Parameters):
    """What the numbers begin with."""

    seed: int


class Erratic(Strategy[Seed]):
    """Wants something else every few bars: targets at the market and resting, stops, profits, quotes."""

    name: ClassVar[str] = "erratic"
    parameters: ClassVar[type[Parameters]] = Seed
    presets: ClassVar = MappingProxyType({})

    def needs(self, params, instruments):
        return Needs(tuple(one.key for one in instruments), {MINUTE: 3}, book=True)

    def decide(self, view, own, params, state, instruments):
        wishes = []
        for number, key in enumerate(sorted(instruments)):
            bars = view.instruments[key].bars.get(MINUTE)
            if bars is None:
                continue
            stamp = int(bars.opened_ms[-1]) // 60_000
            wishes.append(_wish(key, np.random.default_rng([params.seed, number, stamp // 4]), float(bars.close[-1])))
        return Decision(tuple(wishes), {"ticks": state.get("ticks", 0) + 1})


def _wish(key: str, rng: np.random.Generator, close: float) -> Target | Quotes:
    kind = rng.integers(5)
    if kind == 4:
        bid, ask = (Price(D(str(round(close * (1 + step), 2)))) for step in (-0.0006, 0.0006))
        return Quotes(key, (Quote(bid, Quantity(D("3"))),), (Quote(ask, Quantity(D("3"))),))
    weight = float(rng.choice([0.0, 0.02, -0.02, 0.05, -0.05]))
    away = [close * (1 + float(step)) for step in rng.uniform(0.0005, 0.003, 3)]
    sign = 1 if weight > 0 else -1
    entry = _price(close, -sign, away[0]) if kind == 1 else None
    stop = _price(close, -sign, away[1]) if kind in {2, 3} and weight else None
    goal = _price(close, sign, away[2]) if kind == 3 and weight else None
    return Target(key, weight, f"{kind}:{rng.integers(1000)}", "told so", entry, stop, goal)


def _price(close: float, sign: int, away: float) -> Price:
    return Price(D(str(round(close + sign * abs(away - close), 2))))


def markets(seed: int) -> tuple[Market, Market]:
    """Return two markets, the second with holes, with every cost there is."""
    return _market(seed, "BTC", range(COUNT)), _market(
        seed + 1, "ETH", [m for m in range(COUNT) if m % 17 not in {5, 6}]
    )


def _market(seed: int, symbol: str, minutes: range | list[int]) -> Market:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.001, len(minutes))))
    opened = np.concatenate(([100.0], close[:-1])) * (1 + rng.normal(0, 0.0002, len(minutes)))
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(0, 0.0008, len(minutes))))
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(0, 0.0008, len(minutes))))
    stamps = START_MS + 60_000 * np.arange(10, COUNT, 10)
    funding = FundingRates(stamps, rng.normal(0, 1e-3, len(stamps)))
    costs = Costs(1, 5, spread_bps=2, funding=funding, borrow_per_year=0.3)
    return market_of(list(zip(opened, high, low, close, strict=True)), costs, symbol, list(minutes))


@pytest.mark.parametrize(("seed", "rule"), [(1, FillRule.NEXT_OPEN), (2, FillRule.BAR_CLOSE), (3, FillRule.NEXT_OPEN)])
def test_whatever_is_wanted_money_adds_up_and_the_future_does_not_matter(seed: int, rule: FillRule) -> None:
    loaded, pair = Loaded(Erratic(), Seed(seed=seed), ""), markets(seed * 10)
    setting = Setting(pair, rule)
    course = Course(loaded, setting)
    course.run(nothing)
    result = result_of(course, loaded, setting)
    assert len(result.trades) > 5
    # The ledger the strategy was shown and the arithmetic of the result are two; they agree.
    held = sum(float(t.paid_up.equity(t.price_value.value)) for t in course.tracks.values() if t.price_value)
    assert held == pytest.approx(result.final - result.initial, abs=1e-6)
    assert sum(trade.net for trade in result.trades) == pytest.approx(result.final - result.initial, abs=1e-6)
    assert replay(loaded, replace(setting, markets=pair[::-1])).trades == result.trades
    cut = COUNT // 2
    stop = START_MS + 60_000 * cut
    short = tuple(
        replace(one, recorded=replace(one.recorded, bars=one.recorded.bars.part(0, _rows(one, stop)))) for one in pair
    )
    before = replay(loaded, replace(setting, markets=short))
    assert before.curve.equity.tolist() == result.curve.equity[: len(before.curve)].tolist()
    assert not any("failed" in warning for warning in result.warnings)


def _rows(market: Market, stop: int) -> int:
    return int(np.searchsorted(market.recorded.bars.opened_ms, stop))
