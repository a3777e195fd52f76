"""What is examined: a strategy with its parameters in a setting, the engine that tries it, and what it may cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.cuts import timeline
from apps.strategies.backtest.honesty.check import Check, CheckCode, Figures, Limit, judged
from apps.strategies.backtest.honesty.limits import LIMITS
from apps.strategies.backtest.results import BacktestResult
from apps.strategies.backtest.setting import Setting
from apps.strategies.base import Parameters
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue

Engine = Callable[[Loaded, Setting], BacktestResult]
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Trials:
    """How many parameter sets were tried before this one was chosen.

    `variance` is that of their Sharpe ratios per period of returns (one day); None where it was not kept.
    """

    count: int = 1
    variance: float | None = None

    def __post_init__(self) -> None:
        """Refuse fewer than one trial and a variance that is none."""
        if self.count < 1:
            raise InvalidValue("trials", self.count, "1 or more")
        if self.variance is not None and not (np.isfinite(self.variance) and self.variance >= 0):
            raise InvalidValue("variance", self.variance, "0 or more")


@dataclass(frozen=True)
class Case:
    """Everything the checks are computed from.

    `budget` is the most backtests that one check may run. `grid` holds the values by field among which the walk
    forward searches; empty, it searches the neighbourhood of the parameters. Equal `seed`, equal answer.
    """

    engine: Engine
    loaded: Loaded
    setting: Setting
    trials: Trials = Trials()
    grid: Mapping[str, Sequence[object]] = field(default_factory=dict)
    limits: tuple[Limit, ...] = LIMITS
    budget: int = 40
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse a budget that buys nothing."""
        if self.budget < 1:
            raise InvalidValue("budget", self.budget, "1 backtest or more")

    @cached_property
    def result(self) -> BacktestResult:
        """Return the backtest itself; run once, and not before it is asked for."""
        return self.engine(self.loaded, self.setting)

    @property
    def stamps(self) -> NDArray[np.int64]:
        """Return the open times, in ms UTC, of the bars in which it may trade; those before are history to look at."""
        opened = timeline(self.setting)
        starts = self.setting.trades_from
        return opened if starts is None else opened[opened >= milliseconds(starts)]

    @property
    def days(self) -> float:
        """Return the length of the past in which it may trade, in days."""
        stamps = self.stamps
        if not len(stamps):
            return 0.0
        return (timedelta(milliseconds=int(stamps[-1] - stamps[0])) + self.setting.interval) / DAY

    def generator(self) -> np.random.Generator:
        """Return the source of chance, the same for every check."""
        return np.random.default_rng(self.seed)

    def run(self, parameters: Parameters, setting: Setting | None = None) -> BacktestResult:
        """Return the backtest with other parameters, in another setting."""
        return self.engine(replace(self.loaded, parameters=parameters), setting or self.setting)

    def can_be_shown(self, parameters: Parameters) -> bool:
        """Return whether the recorded bars can be put together to all that the parameters want to see."""
        needs = self.loaded.strategy.needs(parameters, tuple(self.setting.instruments.values()))
        recorded = self.setting.interval
        return all(interval >= recorded and not interval % recorded for interval in needs.bars)

    def answer(
        self, code: CheckCode, figures: Figures, words: str, findings: Sequence[str] = (), backtests: int = 0
    ) -> Check:
        """Return the figures held to the limits of this case."""
        judgement = judged(code, figures, self.limits)
        told = "; ".join((words, *judgement.reasons))
        return Check(code, judgement.passed, figures, told, tuple(findings), backtests, self.days)

    def unanswered(self, code: CheckCode, why: str, backtests: int = 0, figures: Figures | None = None) -> Check:
        """Return that the question could not be judged, and why."""
        return Check(code, None, figures or {}, why, (), backtests, self.days)
