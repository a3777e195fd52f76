"""The trades split by what tells them apart: side, way out and instrument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apps.strategies.backtest.numbers import basis_points, duration, percent, signed_money, tone_of
from apps.strategies.backtest.results import Trade
from apps.strategies.backtest.trade_figures import trade_figures

MOST_KINDS = 12
_SIDES = {"buy": "long", "sell": "short"}


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of trades, as text."""

    kind: str
    count: int
    win_rate: str
    gross_bps: str
    net_bps: str
    net: str
    held: str
    tone: str


@dataclass(frozen=True, slots=True)
class Split:
    """All kinds of one distinction."""

    by: str
    lines: tuple[Line, ...]


def splits(trades: Sequence[Trade]) -> list[Split]:
    """Return the distinctions that tell trades apart: one with a single kind is left out."""
    by: dict[str, Callable[[Trade], str]] = {
        "side": lambda trade: _SIDES[trade.side.value],
        "way out": lambda trade: trade.reason,
        "instrument": lambda trade: trade.instrument,
    }
    found = [Split(name, tuple(_lines(trades, kind))) for name, kind in by.items()]
    return [split for split in found if len(split.lines) > 1]


def _lines(trades: Sequence[Trade], kind: Callable[[Trade], str]) -> list[Line]:
    groups: dict[str, list[Trade]] = {}
    for trade in trades:
        groups.setdefault(kind(trade), []).append(trade)
    largest = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    shown, rest = largest[:MOST_KINDS], [trade for _, group in largest[MOST_KINDS:] for trade in group]
    return [_line(name, group) for name, group in [*shown, *([("all others", rest)] if rest else [])]]


def _line(name: str, trades: Sequence[Trade]) -> Line:
    figures = trade_figures(trades)
    return Line(
        kind=name,
        count=figures.count,
        win_rate=percent(figures.win_rate),
        gross_bps=basis_points(figures.gross_bps),
        net_bps=basis_points(figures.net_bps),
        net=signed_money(figures.net),
        held=duration(figures.hours),
        tone=tone_of(figures.net),
    )
