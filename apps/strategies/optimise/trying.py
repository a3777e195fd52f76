"""One trial: a point of the space becomes parameters, a backtest, and the figures of every fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.strategies.backtest.engines import EngineName, backtest_on
from apps.strategies.backtest.results import BacktestResult
from apps.strategies.models import TrialStatus
from apps.strategies.optimise.ground import Ground
from apps.strategies.optimise.objectives import Figures, figures_of, scores_of
from apps.strategies.optimise.plan import Plan
from apps.strategies.optimise.space import Point
from apps.strategies.optimise.windows import WalkFold, part_of
from apps.strategies.orchestrator.loader import load
from moondev.domain.errors import InvalidValue, TradingError

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Tried:
    """How a trial ended, as its row keeps it."""

    status: TrialStatus
    reason: str = ""
    scores: list[list[float] | None] = field(default_factory=list)
    figures: Mapping[str, Any] = field(default_factory=dict)


def try_point(plan: Plan, ground: Ground, point: Point, on_progress: Progress | None = None) -> Tried:
    """Return how `point` did. What the model, the data or the strategy refuse is an answer too, never an error.

    What `on_progress` raises passes through: it ends the trial from outside.
    """
    try:
        loaded = load(plan.request.kind, {**plan.request.parameters, **point})
        result = backtest_on(ground.markets, loaded, EngineName(plan.request.engine), on_progress)
    except InvalidValue as error:
        return Tried(TrialStatus.PRUNED, str(error))
    except TradingError as error:
        return Tried(TrialStatus.FAILED, str(error))
    return judged(plan, ground, result)


def judged(plan: Plan, ground: Ground, result: BacktestResult) -> Tried:
    """Return the figures and scores of a run in every fold."""
    folds = [_fold_figures(result, fold) for fold in ground.folds]
    answers = [_answer(plan, fold["train"]) for fold in folds]
    reasons = dict.fromkeys(answer for answer in answers if isinstance(answer, str))
    return Tried(
        TrialStatus.DONE,
        "; ".join(reasons),
        [None if isinstance(answer, str) else list(answer) for answer in answers],
        {"whole": figures_of(result), "folds": folds},
    )


def _fold_figures(result: BacktestResult, fold: WalkFold) -> dict[str, Any]:
    test = None if fold.test is None else figures_of(part_of(result, fold.test))
    return {"train": figures_of(part_of(result, fold.train)), "test": test}


def _answer(plan: Plan, train: Figures) -> tuple[float, ...] | str:
    """Return the scores of a training, or why it is no answer."""
    trades = train["trades"] or 0
    if trades < plan.min_trades:
        return f"fewer than {plan.min_trades} trades"
    return scores_of(train, plan.objectives) or "an objective is undefined"
