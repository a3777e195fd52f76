"""What was executed in one market, in columns, and the prices to value it by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from apps.strategies.backtest.quoting.floor import Tables
from apps.strategies.backtest.quoting.levels import Ladder
from apps.strategies.backtest.quoting.tape import Whole
from apps.strategies.backtest.quoting.told import Fill
from moondev.domain.fills import Liquidity
from moondev.domain.market_data import Column


@dataclass(frozen=True, slots=True)
class Executions:
    """The fills of one market in columns, oldest first, and the funding it received."""

    at_ns: Whole
    change: Column
    prices: Column
    fees: Column
    made: Column
    reasons: tuple[str, ...]
    funded: tuple[tuple[int, float], ...]

    @classmethod
    def of(cls, fills: Sequence[Fill], reasons: Mapping[UUID, str], funded: Sequence[tuple[int, float]]) -> Executions:
        """Return the columns of `fills`."""
        return cls(
            np.array([fill.at_ns for fill in fills], np.int64),
            np.array([float(fill.quantity) * fill.side.sign for fill in fills]),
            np.array([float(fill.price) for fill in fills]),
            np.array([float(fill.fee) for fill in fills]),
            np.array([fill.liquidity is Liquidity.MAKER for fill in fills], np.float64),
            tuple(reasons.get(fill.client_order_id, "") for fill in fills),
            tuple(funded),
        )


def middles(tables: Tables, at_ns: Whole) -> Column:
    """Return the middle of the book at each of the rising moments `at_ns`."""
    ladder, tick = Ladder(tables.levels), float(tables.tape.tick)
    found = np.full(len(at_ns), np.nan)
    for number, stamp in enumerate(at_ns.tolist()):
        ladder.move(stamp)
        bid, ask = ladder.best_bid(), ladder.best_ask()
        if bid is not None and ask is not None:
            found[number] = (bid + ask) / 2 * tick
    return found
