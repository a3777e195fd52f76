"""Whether a record of a book can be believed: an unbroken chain of changes, and never a bid at or above an ask."""

from __future__ import annotations

import numpy as np

from apps.strategies.backtest.quoting.levels import Ladder, Levels
from apps.strategies.backtest.quoting.tape import NS_PER_MS, Code, Tape, Whole
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue

# A book is rebuilt and looked at this often, evenly over the record.
_LOOKS = 500


def require_unbroken(name: str, seq: Whole, previous: Whole, rows: Whole) -> None:
    """Raise InvalidValue unless each update names the one before it as its predecessor.

    `rows` are the rows' numbers in the file. Futures name it (`pu`); spot counts on, each update beginning at the
    number after the last one's end, so its predecessor is that number less one.
    """
    firsts = np.flatnonzero(np.diff(seq, prepend=seq[0] - 1))
    broken = np.flatnonzero(previous[firsts][1:] != seq[firsts][:-1])
    if len(broken):
        at = firsts[broken[0] + 1]
        told = f"{len(broken)} breaks, the first in row {rows[at]}: update {seq[at]} follows {previous[at]}"
        raise InvalidValue(f"{name}, sequence", told, f"it to follow {seq[firsts[broken[0]]]}; cut the record there")


def require_uncrossed(tape: Tape) -> None:
    """Raise InvalidValue when the rebuilt book is crossed, or empty on a side, at any of the looks at it."""
    order = np.arange(len(tape))
    ladder = Ladder(Levels.of(tape, order, tape.happened_ns))
    # Only between two stamps: within one, half a message may have been applied.
    stamps = np.unique(tape.happened_ns[tape.opening - 1 if tape.opening else 0 :])
    for at_ns in stamps[np.unique(np.linspace(0, len(stamps) - 1, _LOOKS).astype(int))].tolist():
        ladder.move(at_ns)
        bid, ask = ladder.best_bid(), ladder.best_ask()
        when = f"{from_milliseconds(at_ns / NS_PER_MS):%H:%M:%S.%f}"
        if bid is None or ask is None:
            raise InvalidValue(f"{tape.key}, book at {when}", "a side is empty", "bids and asks at all times")
        if bid >= ask:
            told = f"bid {bid * tape.tick} at or above ask {ask * tape.tick}"
            raise InvalidValue(f"{tape.key}, book at {when}", told, "a book that is never crossed")


def require_sides(name: str, sides: Code, rows: Whole) -> None:
    """Raise InvalidValue unless every row has a side."""
    bad = np.flatnonzero(np.abs(sides) != 1)
    if len(bad):
        raise InvalidValue(f"{name}, side", f"{sides[bad[0]]} in row {rows[bad[0]]}", "1 or -1")
