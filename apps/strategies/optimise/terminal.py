"""A run on a terminal: a bar while it goes on, tables when it has ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import cast

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from apps.strategies.models import OPEN_TRIALS, OptimisationRun
from apps.strategies.optimise.choosing import best_first, ended_trials
from apps.strategies.optimise.plan import plan_of_json
from apps.strategies.optimise.showing import Shown, figure_text, show

ROWS = 10
# Nobody who reads a file wants its lines broken.
WIDTH_OF_A_FILE = 240
# The best so far is read from every trial; the count of trials is cheap.
BEST_EVERY = 20


@contextmanager
def watched(size: int) -> Iterator[Callable[[OptimisationRun], None]]:
    """Show a bar on standard error while the block runs; yield what to tell how far the run is."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[best]}"),
        TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True),
    )  # fmt: skip
    with bar:
        task = bar.add_task("trials", total=size, best="")
        last = 0

        def told(run: OptimisationRun) -> None:
            nonlocal last
            ended = run.trials.exclude(status__in=OPEN_TRIALS).count()
            if ended - last >= BEST_EVERY:
                last = ended
                bar.update(task, best=best_so_far(run))
            bar.update(task, completed=ended)

        yield told


def best_so_far(run: OptimisationRun) -> str:
    """Return the objectives of the best trial yet, in training; nothing while there is none."""
    plan = plan_of_json(run.plan)
    fold = max(plan.folds - 1, 0)
    best = next(iter(best_first(ended_trials(run), fold)), None)
    if best is None:
        return ""
    train = best.figures["folds"][fold]["train"]
    return ", ".join(f"{name} {figure_text(name, train[name])}" for name in plan.objectives)


def run_text(run: OptimisationRun) -> str:
    """Return the verdict, the folds and the best trials."""
    shown = show(run)
    console = Console(file=StringIO(), width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE, highlight=False)
    counts = shown.counts
    console.print(
        f"run {run.pk}, {run.status}: {shown.ended} of {run.size} trials ended "
        f"({counts['done']} done, {counts['pruned']} refused, {counts['failed']} failed)"
    )
    if run.error:
        console.print(run.error, markup=False)
    for sentence in shown.verdict:
        console.print(sentence, markup=False)
    if shown.folds:
        console.print(_folds_table(shown))
    if shown.rows:
        console.print(_best_table(shown))
    written = cast(StringIO, console.file).getvalue()
    return "\n".join(line.rstrip() for line in written.splitlines())


def _folds_table(shown: Shown) -> Table:
    table = Table("test", "trial", *_twice(shown), title="chosen before, judged after", box=box.SIMPLE_HEAD)
    for fold in shown.folds:
        chosen = "none" if fold["chosen"] is None else str(fold["chosen"])
        table.add_row(str(fold["test"]), chosen, *fold["train_figures"], *fold["test_figures"])
    return table


def _best_table(shown: Shown) -> Table:
    table = Table("trial", "parameters", *_twice(shown), title="best in training", box=box.SIMPLE_HEAD)
    for row in shown.rows[:ROWS]:
        named = zip(shown.names, row.parameters, strict=True)
        table.add_row(str(row.number), " ".join(f"{name}={value}" for name, value in named), *row.train, *row.test)
    return table


def _twice(shown: Shown) -> tuple[str, ...]:
    return (*(f"{name} in" for name in shown.figures), *(f"{name} after" for name in shown.figures))
