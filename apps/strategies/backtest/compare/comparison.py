"""Runs side by side, as text: figures of each, and everything in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.strategies.backtest.numbers import UNDEFINED
from apps.strategies.backtest.record import CostsTold, DataTold, Facts, RunRecord
from apps.strategies.backtest.report.figures import Figure, groups, headline
from apps.strategies.backtest.verdict import verdict
from moondev.domain.errors import InvalidValue

FEWEST, MOST = 2, 6


@dataclass(frozen=True, slots=True)
class Line:
    """One thing told of every run; `differs` when the runs do not agree in it."""

    name: str
    cells: tuple[str, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is told of each run, in the order the runs were given. `doubts` say why ranking them would be unfair."""

    names: tuple[str, ...]
    verdicts: tuple[str, ...]
    figures: tuple[tuple[Figure, ...], ...]
    made_from: tuple[Line, ...]
    doubts: tuple[str, ...]


def compared(runs: Mapping[str, RunRecord]) -> Comparison:
    """Return runs, by the names they go by, side by side.

    Runs on different data, with different costs or by different rules may be looked at together, never without being
    told so. Raises InvalidValue for fewer than two runs and for more than can be told apart.
    """
    if not FEWEST <= len(runs) <= MOST:
        raise InvalidValue("runs", len(runs), f"{FEWEST} to {MOST} of them")
    records = list(runs.values())
    figures = [[*headline(record), *(one for group in groups(record) for one in group.figures)] for record in records]
    return Comparison(
        names=tuple(runs),
        verdicts=tuple(verdict(record).words for record in records),
        figures=tuple(zip(*figures, strict=True)),
        made_from=tuple(_made_from([record.facts for record in records])),
        doubts=tuple(_doubts(records)),
    )


def _made_from(facts: Sequence[Facts]) -> Iterator[Line]:
    told: dict[str, Callable[[Facts], object]] = {
        "strategy": lambda one: one.strategy,
        "preset": lambda one: one.preset or UNDEFINED,
        "code": lambda one: one.code_hash[:12] or UNDEFINED,
        "engine": lambda one: one.engine,
        "orders fill at": lambda one: one.rule,
        "money": lambda one: f"{one.capital:,.0f} {one.currency}",
        "leverage": lambda one: f"{one.leverage:g}",
    }
    for name, tell in told.items():
        yield _line(name, [tell(one) for one in facts])
    yield from _of_each("data of", [{key: _data(one) for key, one in run.data.items()} for run in facts])
    yield from _of_each("costs of", [{key: _costs(one) for key, one in run.costs.items()} for run in facts])
    yield from _of_each("", [run.parameters for run in facts])


def _of_each(what: str, mappings: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    for name in dict.fromkeys(name for mapping in mappings for name in mapping):
        yield _line(f"{what} {name}".strip(), [mapping.get(name, UNDEFINED) for mapping in mappings])


def _line(name: str, values: Sequence[object]) -> Line:
    cells = tuple(str(value) for value in values)
    return Line(name, cells, len(set(cells)) > 1)


def _data(told: DataTold) -> str:
    return f"{told.description} [{told.content_hash[:12]}]"


def _costs(told: CostsTold) -> str:
    return (
        f"maker {told.maker_bps:g}, taker {told.taker_bps:g}, spread {told.spread_bps:g} bp,"
        f" slippage {told.slippage}, funding {told.funding}"
    )


def _doubts(records: Sequence[RunRecord]) -> Iterator[str]:
    facts = [record.facts for record in records]
    if _unlike([{key: told.content_hash for key, told in one.data.items()} for one in facts]):
        yield "The runs are on different data: a better figure may be a better market, not a better idea."
    if _unlike([(int(record.curve.times[0]), int(record.curve.times[-1])) for record in records]):
        yield "They cover different periods."
    if _unlike([sorted(map(_costs, one.costs.values())) for one in facts]):
        yield "They pay different costs."
    if _unlike([one.rule for one in facts]):
        yield "Their orders fill by different rules."
    if _unlike([(one.leverage, one.currency) for one in facts]):
        yield "They are leveraged differently or count in different money."
    strategies = {one.strategy for one in facts}
    if any(_unlike([one.code_hash for one in facts if one.strategy == name]) for name in strategies):
        yield "The code of the strategy changed between them."


def _unlike(values: Sequence[object]) -> bool:
    return any(value != values[0] for value in values[1:])
