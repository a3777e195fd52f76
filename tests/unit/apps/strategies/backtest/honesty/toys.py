"""Small strategies, honest ones and sinners, and an engine that runs them column by column."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import numpy as np
from pydantic import Field

from apps.strategies.backtest.bars import run_targets
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.data import RecordedBars, content_hash
from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.outcome import Subject, outcome
from apps.strategies.backtest.results import DataSource
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.base import Decision, Parameters, Strategy
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.clock import milliseconds
from moondev.domain.desired import Target
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries, Needs
from moondev.domain.values import Money, Quantity

HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
COSTS = Costs(maker_bps=1, taker_bps=2, spread_bps=1)


class ToyParameters(Parameters):
    length: int = Field(20, ge=2, le=500)
    scale: float = Field(1.0, gt=0, le=10)
    off: float = Field(0.0, ge=0, le=10)
    named: str = "x"


class Toy(Strategy[ToyParameters]):
    """Long or flat by `position` of the bars it sees."""

    name: ClassVar[str] = "toy"
    parameters: ClassVar = ToyParameters
    presets: ClassVar = {"canonical": ToyParameters()}

    def needs(self, params, instruments):
        return Needs(tuple(one.key for one in instruments), {HOUR: params.length})

    def decide(self, view, own, params, state, instruments):
        return Decision(
            tuple(
                Target(key, float(np.clip(self.position(seen.bars[HOUR], params), -1, 1)), "s", "r")
                for key, seen in view.instruments.items()
                if len(seen.bars[HOUR]) >= params.length
            )
        )

    def position(self, bars, params):
        raise NotImplementedError

    def positions(self, bars, params):
        """Return the position at each close, each decided on the bars up to then."""
        size = params.length
        return np.array([self.position(bars.part(max(0, at - size), at), params) for at in range(1, len(bars) + 1)])


class Momentum(Toy):
    """Long above the mean of its window."""

    def position(self, bars, params):
        return float(bars.close[-1] > bars.close[-params.length :].mean())


def run(loaded, setting):
    """Run a toy in the first market of a setting."""
    (market,) = setting.markets
    bars = market.recorded.bars
    held = np.asarray(loaded.strategy.positions(bars, loaded.parameters), dtype=float)
    if setting.trades_from is not None:
        held[bars.opened_ms < milliseconds(setting.trades_from)] = 0
    # Prices begin near 100; a size that hung on the first bar would be another on every part of a past.
    units = float(setting.capital) / 100 * held
    subject = Subject(loaded.strategy.name, dict(loaded.parameters), loaded.code_hash, market.key)
    done = run_targets(bars, units, market.costs, setting.rule, float(setting.capital))
    return outcome(done, subject, market.recorded.source, setting.rule)


def loaded(strategy, **parameters):
    return Loaded(strategy, ToyParameters(**parameters), "c0de")


def bars_of(close, interval=HOUR, start=START):
    close = np.asarray(close, dtype=float)
    opened = np.concatenate((close[:1], close[:-1]))
    top, bottom = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    stamps = milliseconds(start) + np.arange(len(close)) * round(interval.total_seconds() * 1000)
    return BarSeries(interval, stamps, opened, top, bottom, close, np.full(len(close), 100.0))


def market_of(bars, costs=COSTS, symbol="BTC", venue="test"):
    instrument = Instrument(
        venue=venue, symbol=symbol, asset=symbol, quote="USDT", price_grid=PriceGrid(Decimal("0.01")),
        lot=Quantity(Decimal("0.0001")), min_notional=Money(Decimal(1), "USDT"), max_leverage=10,
    )  # fmt: skip
    return Market(instrument, RecordedBars(bars, DataSource("made up", content_hash(bars)), "USDT"), costs)


def walk(count=600, drift=0.0, deviation=0.01, seed=7, memory=0.0):
    """Return closes of a random walk whose steps remember `memory` of the one before."""
    steps = np.random.default_rng(seed).normal(0, deviation, count)
    for at in range(1, count):
        steps[at] += memory * steps[at - 1]
    return 100 * np.exp(np.cumsum(steps + drift))


def setting_of(close, costs=COSTS, **more):
    return Setting((market_of(bars_of(close), costs),), capital=Decimal(10_000), **more)


@dataclass(frozen=True)
class Counted:
    """An engine that counts its runs."""

    engine: Callable
    runs: list

    def __call__(self, idea, setting):
        self.runs.append(setting)
        return self.engine(idea, setting)


def case_of(strategy, close=None, engine=run, costs=COSTS, parameters=None, **more):
    """Return a case and the list of settings its engine was run in."""
    runs = []
    setting = setting_of(walk() if close is None else close, costs)
    return Case(Counted(engine, runs), loaded(strategy, **(parameters or {})), setting, **more), runs
