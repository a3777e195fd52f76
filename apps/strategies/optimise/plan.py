"""What a search is asked to do: plain values that travel to any worker and make the same search there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.strategies.backtest.requests.request import BacktestRequest, request_of_json
from apps.strategies.optimise.objectives import require_objectives
from apps.strategies.optimise.samplers.port import Sampler
from apps.strategies.optimise.samplers.registry import sampler
from apps.strategies.optimise.space import Space
from apps.strategies.optimise.space_json import from_json, to_json
from moondev.domain.errors import InvalidValue

MOST_TRIALS = 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """One search.

    `request` is the backtest that every trial is, with the parameters that are not searched. `folds` are those of the
    walk forward (0: judge nothing), `purge_bars` the bars left out before each test. A trial with fewer than
    `min_trades` in a fold's training is no answer there. `folder` is where files are; "" is the shared shelf.
    """

    request: BacktestRequest
    space: Space
    sampler: str = "tpe"
    objectives: tuple[str, ...] = ("sharpe",)
    trials: int = 100
    seed: int = 1
    folds: int = 5
    purge_bars: int = 0
    min_trades: int = 10
    folder: str = ""

    def __post_init__(self) -> None:
        """Refuse what no worker could do."""
        require_objectives(self.objectives)
        sampler(self.sampler, len(self.objectives))
        whole = {"trials": self.trials, "folds": self.folds, "purge_bars": self.purge_bars, "seed": self.seed}
        for name, value in {**whole, "min_trades": self.min_trades}.items():
            if value < 0:
                raise InvalidValue(name, value, "0 or more")
        if not 1 <= self.trials <= MOST_TRIALS:
            raise InvalidValue("trials", self.trials, f"1 to {MOST_TRIALS}")

    @property
    def chooser(self) -> Sampler:
        """Return the sampler."""
        return sampler(self.sampler, len(self.objectives))

    @property
    def size(self) -> int:
        """Return how many trials there will be. Raises InvalidValue for a grid larger than `trials`."""
        return self.chooser.size(self.space, self.trials)

    def study_of(self, number: int) -> int:
        """Return the fold whose past guides trial `number`: each has its equal share of the trials, in order of time.

        What does not learn is guided by nothing, and may be chosen by every fold.
        """
        if not self.chooser.learns or self.folds == 0:
            return 0
        return number * self.folds // self.size

    def to_json(self) -> dict[str, Any]:
        """Return plain values that `plan_of_json` reads."""
        return {
            "request": self.request.to_json(),
            "space": to_json(self.space),
            "sampler": self.sampler,
            "objectives": list(self.objectives),
            "trials": self.trials,
            "seed": self.seed,
            "folds": self.folds,
            "purge_bars": self.purge_bars,
            "min_trades": self.min_trades,
            "folder": self.folder,
        }


def plan_of_json(stored: Mapping[str, Any]) -> Plan:
    """Return the plan that `to_json` wrote."""
    return Plan(
        **{
            **stored,
            "request": request_of_json(stored["request"]),
            "space": from_json(stored["space"]),
            "objectives": tuple(stored["objectives"]),
        }
    )
