"""What a trade does to equity, bar by bar: so that the next signal is sized by what the money is worth by then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.brackets import Exit
from apps.strategies.backtest.vectoring.entering import When
from apps.strategies.backtest.vectoring.lane import Lane
from apps.strategies.backtest.vectoring.leaving import Trade
from apps.strategies.backtest.vectoring.purse import Purse


def enter_into(purse: Purse, steps: NDArray[np.int64], lane: Lane, trade: Trade, end: Exit | None) -> None:
    """Note `trade` in `purse`, from its fill to its `end` (None: to the end of the data).

    What fills at a close counts from the next bar on: the tick of that close has not seen it yet.
    """
    filled, held = trade.filled, trade.sign * trade.quantity
    first, at_close = filled.row, filled.when is When.CLOSE
    until = len(lane) if end is None else end.row + end.at_close
    paid_fee = trade.quantity * filled.paid * lane.fee(made=filled.made)
    purse.change(int(steps[first]) + at_close, held * (lane.closes[first] - filled.paid) - paid_fee)
    if until > first + 1:
        purse.change(steps[first + 1 : until], held * lane.moves[first + 1 : until])
    if lane.carried is not None:
        carried = steps[first + at_close : until]
        purse.change(carried, held * lane.carried[trade.sign][first + at_close : until])
    if end is not None:
        got = lane.paid(end.price, -held, end.row, made=end.made)
        marked = lane.closes[end.row] if end.at_close or end.row == first else lane.closes[end.row - 1]
        left_fee = trade.quantity * got * lane.fee(made=end.made)
        purse.change(int(steps[end.row]) + end.at_close, held * (got - marked) - left_fee)
