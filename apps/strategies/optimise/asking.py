"""From what people type to a plan."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from apps.strategies.backtest.requests.request import BacktestRequest
from apps.strategies.library.intervals import INTERVALS
from apps.strategies.optimise.ground import load_setting
from apps.strategies.optimise.objectives import OBJECTIVES
from apps.strategies.optimise.overrides import FORMS, space_for
from apps.strategies.optimise.plan import Plan
from apps.strategies.optimise.samplers.registry import sampler_names
from apps.strategies.optimise.space import Choice, Dimension, Space
from apps.strategies.registry import parameters_for

DAY = timedelta(days=1)
_NO_INTERVAL = "none"


def add_search_arguments(parser: ArgumentParser) -> None:
    """Take what is searched, how, and for what."""
    parser.add_argument("--space", action="append", default=[], metavar="RANGE", help=FORMS)
    parser.add_argument("--search", default="", help="names of parameters to search in their own ranges, by commas")
    parser.add_argument("--sampler", default="tpe", choices=sampler_names())
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--objective", default="sharpe", help=f"one or more by commas, of {', '.join(OBJECTIVES)}")
    parser.add_argument("--folds", type=int, default=5, help="of the walk forward; 0 holds nothing back")
    parser.add_argument("--purge-bars", type=int, help="bars left out before each test (default: a day)")
    parser.add_argument("--min-trades", type=int, default=10, help="in training; with fewer a trial is no answer")
    parser.add_argument("--seed", type=int, default=1)


def plan_of(request: BacktestRequest, options: dict[str, Any], folder: Path | None) -> Plan:
    """Return the plan; files are relative to `folder`, None is the shared shelf.

    Raises InvalidValue and Configuration for what no worker could do; the data are read and checked for it.
    """
    base = parameters_for(request.kind, dict(request.parameters))
    plan = Plan(
        request=request,
        space=space_for(base, options["space"], _names(options["search"])),
        sampler=options["sampler"],
        objectives=_names(options["objective"]),
        trials=options["trials"],
        seed=options["seed"],
        folds=options["folds"],
        purge_bars=options["purge_bars"] or 0,
        min_trades=options["min_trades"],
        folder="" if folder is None else str(folder),
    )
    interval = load_setting(plan).interval
    a_day = -(-DAY // interval) if plan.folds else 0
    purge = a_day if options["purge_bars"] is None else plan.purge_bars
    return replace(plan, space=playable(plan.space, interval), purge_bars=purge)


def playable(space: Space, interval: timedelta) -> Space:
    """Return the space without bars shorter than the recorded ones, which nothing can be made of."""
    return Space(tuple(_playable(dimension, interval) for dimension in space.dimensions))


def _playable(dimension: Dimension, interval: timedelta) -> Dimension:
    if not isinstance(dimension, Choice) or not set(dimension.options) <= {*INTERVALS, _NO_INTERVAL}:
        return dimension
    kept = [option for option in dimension.options if option == _NO_INTERVAL or INTERVALS[str(option)] >= interval]
    return Choice(dimension.name, tuple(kept) or dimension.options)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
