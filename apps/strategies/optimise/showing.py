"""A run for people: the same tables and picture for terminal, admin and report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from apps.strategies.backtest.requests.names import LAKE
from apps.strategies.models import OPEN_RUNS, OptimisationRun
from apps.strategies.optimise.choosing import Ended, best_first, ended_trials
from apps.strategies.optimise.objectives import Figures
from apps.strategies.optimise.parallel import Picture, parallel
from apps.strategies.optimise.plan import Plan, plan_of_json
from apps.strategies.optimise.summary import counts_of

ROWS = 25
# Figures beside the objectives that a choice should not be made without.
BESIDE = ("sharpe", "drawdown", "net", "trades")
_PERCENT = frozenset({"drawdown", "total_return", "volatility", "win_rate", "time_in_market"})
OVERFIT = 0.95


@dataclass(frozen=True, slots=True)
class Row:
    """One trial in the table of the best: cells as text, training beside test."""

    number: int
    parameters: tuple[str, ...]
    train: tuple[str, ...]
    test: tuple[str, ...]
    on_front: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a page says of a run. `share` is how much of it is done, 0 to 1."""

    run: OptimisationRun
    plan: Plan
    counts: Mapping[str, int]
    ended: int
    share: float
    figures: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    folds: tuple[Mapping[str, Any], ...]
    verdict: tuple[str, ...]
    picture: Picture | None

    @property
    def under_way(self) -> bool:
        """Return whether more is to come."""
        return self.run.status in OPEN_RUNS

    @property
    def data(self) -> str:
        """Return the names of the data, without the folders that they lie in."""
        return ", ".join(name if name.startswith(LAKE) else Path(name).name for name in self.plan.request.data)

    @property
    def percent(self) -> int:
        """Return how much is done, per cent."""
        return round(100 * self.share)


def show(run: OptimisationRun) -> Shown:
    """Return a run as it stands now."""
    plan = plan_of_json(run.plan)
    fold = max(plan.folds - 1, 0)
    best = best_first(ended_trials(run), fold)
    counts = counts_of(run)
    ended = counts["done"] + counts["pruned"] + counts["failed"]
    figures = tuple(dict.fromkeys((*plan.objectives, *BESIDE)))
    names = plan.space.names
    front = set(run.report.get("front", ())) if len(plan.objectives) > 1 else set()
    return Shown(
        run=run,
        plan=plan,
        counts=counts,
        ended=ended,
        share=ended / run.size if run.size else 1.0,
        figures=figures,
        names=names,
        rows=tuple(_row(trial, names, figures, fold, front) for trial in best[:ROWS]),
        folds=tuple(_fold_row(fold_told, figures) for fold_told in run.report.get("folds", ())),
        verdict=verdict(run, plan, len(best)),
        picture=parallel(plan.space, plan.objectives, best, fold) if best else None,
    )


def verdict(run: OptimisationRun, plan: Plan, answers: int) -> tuple[str, ...]:
    """Return what the figures say, in sentences; the uncomfortable ones too."""
    said = [f"{answers} of {run.size} trials are answers: they have {plan.min_trades} or more trades in training."]
    report = run.report
    if not report:
        return tuple(said)
    if luck := report.get("luck"):
        said.append(
            f"The best shows a Sharpe ratio of {luck['sharpe']:.2f} where it was chosen. The best of {luck['trials']} "
            f"worthless ones would show {luck['expected_by_luck']:.2f} by luck alone; the true ratio is above that "
            f"with a probability of {luck['deflated']:.0%} (deflated Sharpe ratio)."
            + ("" if luck["deflated"] >= OVERFIT else " That is not enough to tell it from luck.")
        )
    if after := report.get("out_of_sample"):
        ratio = "no Sharpe ratio" if after["sharpe"] is None else f"a Sharpe ratio of {after['sharpe']:.2f}"
        said.append(
            f"Chosen fold by fold and judged only on what came after, the choices made {after['total_return']:+.1%} "
            f"in {after['days']} days, with {ratio}. This is the figure to believe."
        )
    if not plan.folds:
        said.append("Nothing was held back: every figure here is of the very past the parameters were fitted to.")
    return tuple(said)


def figure_text(name: str, value: float | None) -> str:
    """Return a figure as people read it."""
    if value is None:
        return "-"
    if name in _PERCENT:
        return f"{value:.1%}"
    return f"{value:,.0f}" if name in {"trades", "net", "fees"} else f"{value:.3g}"


def took(run: OptimisationRun, now: datetime) -> float | None:
    """Return the seconds since a run began, up to its end; None when it has not begun."""
    return None if run.started_at is None else ((run.finished_at or now) - run.started_at).total_seconds()


def _row(trial: Ended, names: Sequence[str], figures: Sequence[str], fold: int, front: set[int]) -> Row:
    of_fold = trial.figures["folds"][fold]
    return Row(
        trial.number,
        tuple(_value_text(trial.parameters[name]) for name in names),
        _texts(of_fold["train"], figures),
        _texts(of_fold["test"] or {}, figures),
        trial.number in front,
    )


def _fold_row(told: Mapping[str, Any], figures: Sequence[str]) -> dict[str, Any]:
    return {
        "train": " to ".join(told["train"]),
        "test": " to ".join(told["test"] or ("nothing held back",)),
        "chosen": told["chosen"],
        "train_figures": _texts(told.get("train_figures") or {}, figures),
        "test_figures": _texts(told.get("test_figures") or {}, figures),
    }


def _texts(found: Figures, figures: Sequence[str]) -> tuple[str, ...]:
    return tuple(figure_text(name, found.get(name)) for name in figures)


def _value_text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
