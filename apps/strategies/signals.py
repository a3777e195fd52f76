"""What a strategy wants as columns: the same rules as `decide`, told for every bar at once.

A strategy whose trades are a function of bars says so by these columns, and a backtest of years needs no tick.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Column

Rows = NDArray[np.bool_]


class Past(Protocol):
    """One market's recorded bars, and the longer ones they make."""

    @property
    def base(self) -> BarSeries:
        """Return the bars as recorded: every column below has one row for each of them."""
        ...

    def bars(self, interval: timedelta) -> BarSeries:
        """Return all bars of `interval` that closed within the past."""
        ...

    def closed(self, interval: timedelta) -> NDArray[np.int64]:
        """Return for each base bar how many bars of `interval` have closed when it closes."""
        ...


class Leaves(Protocol):
    """When a trade is over by the strategy's own rules, its bracket and its time aside."""

    def first(self, signalled: int, direction: int, since: int) -> int | None:
        """Return the first row from `since` on at whose close a trade of `direction` is left; None for none.

        `signalled` is the row at whose close the trade was called for; `since` lies after it.
        """
        ...


class Never:
    """Trades that end by their bracket or their time and nothing else."""

    def first(self, signalled: int, direction: int, since: int) -> int | None:  # noqa: ARG002  others do look
        """Return None."""
        return None


class AtRows:
    """Trades of one direction that all end at the same rows, whenever they began."""

    def __init__(self, long: Rows, short: Rows) -> None:
        """Leave longs at the rows of `long` and shorts at those of `short`."""
        self._rows = {1: np.flatnonzero(long), -1: np.flatnonzero(short)}

    def first(self, signalled: int, direction: int, since: int) -> int | None:  # noqa: ARG002  others do look
        """Return the next such row."""
        return next_of(self._rows[direction], since)


def next_of(rows: NDArray[np.int64], since: int) -> int | None:
    """Return the first of rising `rows` that is `since` or later; None when there is none."""
    # For one number, bisection over the bare buffer is several times as fast as the array's own.
    buffer: memoryview = rows.data
    at = bisect_left(buffer, since)
    return buffer[at] if at < len(buffer) else None


NEVER = Never()


@dataclass(frozen=True, slots=True)
class Signals:
    """One market: what is entered at the close of each base bar when flat, and how that trade ends.

    `weights` are signed shares of the allocation, 0 for no entry; `limits` the price at which an entry rests, NaN at
    the market; `stops` and `targets` prices as planned, NaN for none. `prices` are what the bracket was planned
    around: with `follows_fill` stop and target keep their distance from it in per cent when the fill is another.
    `seen` are the rows at whose close the strategy sees a new bar of its own, `bar_ms` long: all of them unless its
    bars are longer than the base bars. The bar in which a trade ended at the venue calls for no other.
    An entry is good for `valid_ms` (None: until the strategy sees its next bar), a trade lasts `hold_ms` (0 is for
    ever), both counted from the close of its signal. Of several markets the strongest by `strengths` go first, `most`
    trades at once (None: any number). With `turns`, an exit at whose close the opposite side is called for becomes
    that trade.
    """

    weights: Column
    prices: Column
    limits: Column
    stops: Column
    targets: Column
    strengths: Column
    hold_ms: NDArray[np.int64]
    seen: Rows
    bar_ms: int
    leaves: Leaves = field(default=NEVER)
    follows_fill: bool = False
    valid_ms: int | None = None
    most: int | None = None
    turns: bool = False

    def __post_init__(self) -> None:
        """Refuse columns of different length and weights that are no share."""
        columns = (self.weights, self.prices, self.limits, self.stops, self.targets, self.strengths)
        lengths = {len(column) for column in (*columns, self.hold_ms, self.seen)}
        if len(lengths) != 1:
            raise InvalidValue("signals", sorted(lengths), "columns of one length")
        wrong = np.flatnonzero(~(np.abs(self.weights) <= 1))
        if len(wrong):
            raise InvalidValue("weights", f"{self.weights[wrong[0]]} in row {wrong[0]}", "a share from -1 to 1")

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.weights)

    @property
    def wakes(self) -> Rows:
        """Return the rows at whose close something is entered when nothing is held."""
        return np.not_equal(self.weights, 0)


def wakes_of(signals: Mapping[str, Signals]) -> dict[str, Rows]:
    """Return for each market the rows at which a strategy that holds nothing and waits for nothing acts."""
    return {key: columns.wakes for key, columns in signals.items()}
