"""Backtests in a terminal: a bar while they run, tables of figures, lists and comparisons."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from apps.strategies.backtest.compare.comparison import Comparison
from apps.strategies.backtest.leasing import Progress as Told
from apps.strategies.backtest.numbers import percent, ratio, signed_percent
from apps.strategies.backtest.record import Facts, RunRecord, metrics_of_json
from apps.strategies.backtest.report.figures import all_groups, headline
from apps.strategies.backtest.verdict import doubts, verdict
from apps.strategies.models import BacktestRun, BacktestStatus

# Nobody who reads a file wants its lines broken.
WIDTH_OF_A_FILE = 200
SHARE = 1_000


@contextmanager
def progress_bar(title: str) -> Iterator[Told]:
    """Show a bar on standard error while the block runs; give what to tell the share done, from 0 to 1."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(title), total=SHARE)
        yield lambda share: progress.update(task, completed=round(share * SHARE))


def told(record: RunRecord) -> str:
    """Return a run for a reader: what it was made from, its figures, what it shows and what is doubtful."""
    facts = record.facts
    lines = [f"{record.title}: {facts.strategy} by {facts.engine}, orders fill at the {facts.rule}"]
    for key in facts.data:
        lines += _market(facts, key)
    lines += [_figures(record), verdict(record).words]
    if found := doubts(record):
        lines += ["Doubtful:", *(f"  - {doubt}" for doubt in found)]
    return "\n".join(lines)


def _market(facts: Facts, key: str) -> list[str]:
    data, costs = facts.data[key], facts.costs[key]
    fees = f"maker {costs.maker_bps:g} bp, taker {costs.taker_bps:g} bp ({costs.source or 'as given'})"
    rest = f"spread {costs.spread_bps:g} bp, slippage {costs.slippage}, funding {costs.funding}"
    return [f"  {key}: {data.description}", f"    {data.rules}", f"    {fees}, {rest}"]


def runs_table(runs: Sequence[BacktestRun]) -> str:
    """Return stored runs, one line each."""
    table = _table("id", "asked", "title", "status", ">trades", ">return", ">drawdown", ">Sharpe", "")
    for run in runs:
        done = run.status == BacktestStatus.DONE
        metrics = metrics_of_json(run.metrics) if done else None
        figures = (
            ("", "", "", "")
            if metrics is None
            else (
                f"{metrics.trades:,}", signed_percent(metrics.total_return), percent(metrics.max_drawdown),
                ratio(metrics.sharpe),
            )
        )  # fmt: skip
        status = f"{run.status} {run.progress:.0%}" if run.status == BacktestStatus.RUNNING else run.status
        table.add_row(
            str(run.pk), f"{run.asked_at:%Y-%m-%d %H:%M}", escape(run.title), status, *figures, escape(run.error[:80])
        )
    return _text(table)


def comparison_text(comparison: Comparison) -> str:
    """Return runs side by side; of what they were made from only what differs."""
    table = _table("", *(f">{name}" for name in comparison.names))
    for figures in comparison.figures:
        table.add_row(figures[0].name, *(figure.text for figure in figures))
    table.add_section()
    for line in comparison.made_from:
        if line.differs:
            table.add_row(escape(line.name), *(escape(cell) for cell in line.cells))
    shows = [f"{name}: {words}" for name, words in zip(comparison.names, comparison.verdicts, strict=True)]
    warned = ["NOT LIKE FOR LIKE:", *(f"  - {doubt}" for doubt in comparison.doubts)] if comparison.doubts else []
    return "\n".join([*warned, _text(table), *shows])


def _figures(record: RunRecord) -> str:
    columns = [("", headline(record)), *((group.name, list(group.figures)) for group in all_groups(record))]
    table = Table(box=box.SIMPLE)
    for name, _ in columns:
        table.add_column(name)
        table.add_column(justify="right")
    for row in range(max(len(figures) for _, figures in columns)):
        cells: list[str] = []
        for _, figures in columns:
            cells += [figures[row].name, figures[row].text] if row < len(figures) else ["", ""]
        table.add_row(*cells)
    return _text(table)


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE)
    for heading in headings:
        right = heading.startswith(">")
        table.add_column(escape(heading.lstrip(">")), justify="right" if right else "left", overflow="fold")
    return table


def _text(table: Table) -> str:
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().splitlines())
