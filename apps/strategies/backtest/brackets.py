"""Entries with a stop and a target that fill inside bars, one position at a time, by four rules.

1. An entry decided at a close fills as the fill rule says.
2. Stop and target are live from the bar after the decision on, which under NEXT_OPEN is the entry's own bar.
3. When a bar touches both, the stop filled first: a bar does not tell, and to assume luck is to lie. Only where it
   opens beyond the target does it tell.
4. A bar that opens beyond a level fills at its open: a stop at what is worse than its level, a target at better.

The stop is a market order (taker), the target rests in the book (maker).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.bars import BarRun, settle
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.fills import FillRule, Fills, require_bar_rule
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Column

STOP = "stop"
TARGET = "target"
ENTRY = "entry"
EXIT = "exit signal"
# How many bars are first looked at for a touch, and how much further after each look in vain.
FIRST_LOOK = 64
LOOK_GROWTH = 4


@dataclass(frozen=True, slots=True)
class Brackets:
    """What is decided at each close, one row for each bar.

    `entries` is the position in base to open when flat (0 none; below zero is short); `stops` and `targets` are
    prices for it, NaN for none; `exits` closes at market what is open then.
    """

    entries: Column
    stops: Column
    targets: Column
    exits: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Refuse columns of different length and entries that are no numbers."""
        lengths = {len(column) for column in (self.entries, self.stops, self.targets, self.exits)}
        if len(lengths) != 1:
            raise InvalidValue("brackets", sorted(lengths), "columns of one length")
        if not bool(np.isfinite(self.entries).all()):
            row = int(np.flatnonzero(~np.isfinite(self.entries))[0])
            raise InvalidValue("entries", f"{self.entries[row]} in row {row}", "a finite position for every bar")


@dataclass(frozen=True, slots=True)
class Exit:
    """A fill that opens or ends a position, before costs; `made` tells a resting order from one at the market."""

    row: int
    price: float
    made: bool
    at_close: bool
    reason: str
    # The first bar whose close may decide on the next entry.
    free_from: int


@dataclass(slots=True)
class _Tape:
    rows: list[int] = field(default_factory=list)
    change: list[float] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)
    made: list[bool] = field(default_factory=list)
    at_close: list[bool] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def add(self, change: float, exit_: Exit) -> None:
        self.rows.append(exit_.row)
        self.change.append(change)
        self.prices.append(exit_.price)
        self.made.append(exit_.made)
        self.at_close.append(exit_.at_close)
        self.reasons.append(exit_.reason)

    def fills(self) -> Fills:
        return Fills(
            np.array(self.rows, dtype=np.int64), np.array(self.change, dtype=np.float64),
            np.array(self.prices, dtype=np.float64), np.array(self.made, dtype=bool),
            np.array(self.at_close, dtype=bool), tuple(self.reasons),
        )  # fmt: skip


def run_brackets(bars: BarSeries, orders: Brackets, costs: Costs, rule: FillRule, initial: float) -> BarRun:
    """Return the run of one parameter set. While a position is open, further entries are not taken.

    Raises InvalidValue for columns that are not one row for each bar and as `settle` does.
    """
    require_bar_rule(rule)
    if len(orders.entries) != len(bars):
        raise InvalidValue("entries", len(orders.entries), f"one for each of {len(bars)} bars")
    tape, signals, exits = _Tape(), np.flatnonzero(orders.entries), np.flatnonzero(orders.exits)
    at = 0
    while at < len(signals):
        row = int(signals[at])
        entry = _at_market(bars, row, rule, ENTRY)
        if entry is None:
            break
        size = float(orders.entries[row])
        tape.add(size, entry)
        end = _exit(bars, orders, exits, row, rule)
        if end is None:
            break
        tape.add(-size, end)
        at = int(np.searchsorted(signals, end.free_from, side="left"))
    return settle(bars, tape.fills(), costs, initial)


def first_touch(bars: BarSeries, start: int, end: int, levels: tuple[float, float]) -> int | None:
    """Return the first bar of [start, end) that reaches down to the lower or up to the upper level (NaN: never)."""
    lower, upper = levels
    look = FIRST_LOOK
    while start < end:
        stop = min(start + look, end)
        touches = (bars.low[start:stop] <= lower) | (bars.high[start:stop] >= upper)
        found = int(touches.argmax())
        if touches[found]:
            return start + found
        start, look = stop, look * LOOK_GROWTH
    return None


def _at_market(bars: BarSeries, row: int, rule: FillRule, reason: str) -> Exit | None:
    """Return the fill of what the close of `row` decided; None when the data ends before it."""
    if rule is FillRule.BAR_CLOSE:
        return Exit(row, float(bars.close[row]), made=False, at_close=True, reason=reason, free_from=row)
    if row + 1 >= len(bars):
        return None
    return Exit(row + 1, float(bars.open[row + 1]), made=False, at_close=False, reason=reason, free_from=row)


def _exit(bars: BarSeries, orders: Brackets, exits: NDArray[np.intp], row: int, rule: FillRule) -> Exit | None:
    """Return how the position opened by the signal of `row` ends; None when it is open at the end of the data."""
    after = int(np.searchsorted(exits, row, side="right"))
    signal = _at_market(bars, int(exits[after]), rule, EXIT) if after < len(exits) else None
    # At the open of a bar a market order is before any touch within that bar; at its close, after.
    last = len(bars) if signal is None else signal.row + signal.at_close
    long, stop, target = orders.entries[row] > 0, float(orders.stops[row]), float(orders.targets[row])
    touched = first_touch(bars, row + 1, last, (stop, target) if long else (target, stop))
    return signal if touched is None else touch(bars, touched, stop, target, 1 if long else -1)


def touch(bars: BarSeries, row: int, stop: float, target: float, sign: int) -> Exit:
    """Return how a position of `sign` that rested before bar `row` ends in it, as it touches one of the levels."""
    opened = float(bars.open[row])
    against = float(bars.low[row] if sign > 0 else bars.high[row])
    if sign * against <= sign * stop and not sign * opened >= sign * target:
        worse = min(opened * sign, stop * sign) * sign
        return Exit(row, worse, made=False, at_close=False, reason=STOP, free_from=row)
    better = max(opened * sign, target * sign) * sign
    return Exit(row, better, made=True, at_close=False, reason=TARGET, free_from=row)
