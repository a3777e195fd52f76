"""The bar backtester: from positions wanted at the close of each bar to equity, in whole columns at once.

Between fills nothing is decided, so only fills are looked at one by one (when trades are asked for); the rest is sums.
A thousand parameter sets are a thousand columns of targets over the same bars.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.fills import FillRule, Fills, require_bar_rule
from apps.strategies.backtest.results import EquityCurve, Trade
from apps.strategies.backtest.round_trips import Ledger, round_trips
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Column

TARGET_CHANGED = "target changed"


@dataclass(frozen=True, slots=True)
class BarRun:
    """One parameter set over the bars: at each close, `equity` = cash + `held` x close, after every cost so far."""

    bars: BarSeries
    costs: Costs
    fills: Fills
    paid: Column
    fees: Column
    # Per bar: funding received and borrowing paid (both signed as they change cash).
    funding: Column
    borrowing: Column
    held: Column
    equity: Column
    initial: float

    @property
    def curve(self) -> EquityCurve:
        """Return equity and exposure, stamped with the close of each bar."""
        with np.errstate(divide="ignore", invalid="ignore"):
            exposure = np.where(self.equity > 0, self.held * self.bars.close / self.equity, np.nan)
        return EquityCurve(self.bars.opened_ms + step_ms(self.bars.interval), self.equity, exposure)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what makes the run one that could not have happened: it went on without money."""
        broke = np.flatnonzero(self.equity <= 0)
        if not len(broke):
            return ()
        when = from_milliseconds(int(self.bars.opened_ms[broke[0]]))
        return (
            f"equity is not above 0 at the close of the bar of {when:%Y-%m-%d %H:%M}: a venue would have closed all",
        )

    def trades(self, instrument: str) -> tuple[Trade, ...]:
        """Return the round trips; one that is open at the end is valued at the last close."""
        return tuple(round_trips(instrument, self._ledger()))

    def _ledger(self) -> Ledger:
        fills = self.fills
        step = step_ms(self.bars.interval)
        # What was received before the fill, and before the end.
        before = np.append(fills.carried_from, len(self.bars))
        return Ledger(
            fills, self.paid, self.fees, self.bars.opened_ms[fills.rows] + fills.at_close * step,
            _sum_before(self.funding, before, none=self.costs.funding is None),
            -_sum_before(self.borrowing, before, none=not self.costs.borrow_per_year),
            int(self.bars.opened_ms[-1]) + step, float(self.bars.close[-1]),
        )  # fmt: skip


def run_targets(bars: BarSeries, targets: Column, costs: Costs, rule: FillRule, initial: float) -> BarRun:
    """Return the run of one column: `targets` is the position in base wanted at the close of each bar.

    A target of the last bar never fills under NEXT_OPEN. Raises InvalidValue for targets that are not one finite
    number for each bar, prices that are not finite, money that is not above zero and a rule that is not one of bars.
    """
    require_bar_rule(rule)
    if targets.shape != (len(bars),):
        raise InvalidValue("targets", f"shape {targets.shape}", f"one number for each of {len(bars)} bars")
    rows, size = _changes(targets)
    if rule is FillRule.NEXT_OPEN:
        known = rows < len(bars) - 1
        rows, size = rows[known] + 1, size[known]
    at_close = np.full(len(rows), rule is FillRule.BAR_CLOSE)
    prices = (bars.close if rule is FillRule.BAR_CLOSE else bars.open)[rows]
    made = np.zeros(len(rows), dtype=bool)
    return settle(bars, Fills(rows, size, prices, made, at_close, (TARGET_CHANGED,) * len(rows)), costs, initial)


def run_columns(bars: BarSeries, targets: Column, costs: Costs, rule: FillRule, initial: float) -> Iterator[BarRun]:
    """Yield the run of each column of `targets`, shape (bars, parameter sets). Raises as `run_targets` does.

    One run at a time: a thousand equity curves over a year of minutes would not fit into memory.
    """
    if targets.ndim != 2:
        raise InvalidValue("targets", f"shape {targets.shape}", "(bars, parameter sets)")
    for column in targets.T:
        yield run_targets(bars, np.ascontiguousarray(column), costs, rule, initial)


def settle(bars: BarSeries, fills: Fills, costs: Costs, initial: float) -> BarRun:
    """Return equity from fills. Raises InvalidValue for prices that are not finite or money not above zero."""
    _require_sound(bars, initial)
    count, step = len(bars), step_ms(bars.interval)
    paid = fills.paid(costs, bars)
    fees = fills.fees(costs, paid)
    held, cash = _stepped(fills.rows, fills.change, count), _stepped(fills.rows, -fills.change * paid - fees, count)
    cash += initial
    funding = borrowing = np.zeros(count)
    if costs.carries:
        over = _stepped(fills.carried_from, fills.change, count)
        if costs.funding is not None:
            funding = -over * bars.close * costs.funding.per_bar(bars.opened_ms, step)
        if costs.borrow_per_year:
            borrowing = -costs.borrowed(over, bars.close, step)
        cash += np.cumsum(funding + borrowing)
    cash += held * bars.close
    return BarRun(bars, costs, fills, paid, fees, funding, borrowing, held, cash, initial)


def step_ms(interval: timedelta) -> int:
    """Return the milliseconds of a bar."""
    return round(interval.total_seconds() * 1000)


def _changes(targets: Column) -> tuple[NDArray[np.int64], Column]:
    """Return the rows whose target is another than that of the row before (0 before the first), and by how much."""
    unlike = np.empty(len(targets), dtype=bool)
    unlike[:1] = targets[:1] != 0
    np.not_equal(targets[1:], targets[:-1], out=unlike[1:])
    rows = np.flatnonzero(unlike)
    # The first number that is none is unlike whatever stands before it: to look at these rows is to look at all.
    wrong = np.flatnonzero(~np.isfinite(targets[rows]))
    if len(wrong):
        row = int(rows[wrong[0]])
        raise InvalidValue("targets", f"{targets[row]} in row {row}", "a finite position for every bar")
    before = np.where(rows > 0, targets[rows - 1], 0.0)
    return rows, targets[rows] - before


def _stepped(rows: NDArray[np.int64], values: Column, count: int) -> Column:
    """Return for each of `count` bars the sum of the `values` of all fills up to it. `rows` never fall.

    Between fills nothing changes: each sum is written as often as there are bars until the next.
    """
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return np.repeat(sums, np.diff(np.minimum(rows, count), prepend=0, append=count))


def _sum_before(values: Column, rows: NDArray[np.int64], *, none: bool) -> Column:
    """Return the sum of `values` before each of `rows`; `none` says that they are all 0."""
    if none:
        return np.zeros(len(rows))
    return np.concatenate(([0.0], np.cumsum(values)))[rows]


def _require_sound(bars: BarSeries, initial: float) -> None:
    if not len(bars):
        raise InvalidValue("bars", 0, "at least one bar")
    if not (np.isfinite(initial) and initial > 0):
        raise InvalidValue("initial", initial, "money above 0")
    for name, column in (("open", bars.open), ("high", bars.high), ("low", bars.low), ("close", bars.close)):
        if not bool(np.isfinite(column).all()):
            row = int(np.flatnonzero(~np.isfinite(column))[0])
            raise InvalidValue(name, f"{column[row]} in row {row}", "a finite price in every bar")
