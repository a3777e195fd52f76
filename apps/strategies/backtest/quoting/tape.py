"""One market's record in columns: every change of its book and every trade, on the instrument's own grid.

Prices are whole ticks and sizes whole lots, so nothing here is rounded twice. Times are nanoseconds since 1970 UTC,
because a microsecond decides who is first in a queue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.results import DataSource
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import Column

# What a row is: a level of the book as it now is, or a trade.
LEVEL, TRADE = 0, 1
# Whose side: of the book for a level, of the aggressor for a trade.
BUY, SELL = 1, -1
NS_PER_MS = 1_000_000
_OFF_GRID = 1e-6

Whole = NDArray[np.int64]
Code = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Rows in the order in which they happened at the venue.

    `lots` of a LEVEL row is what now stands there (0: nothing), of a TRADE row what was traded. `happened_ns` is the
    venue's stamp, `received_ns` the recorder's, on the recorder's clock (see `latency`). The first `opening` rows are
    the book the record begins with: they happened at once, before anything else.
    """

    instrument: Instrument
    kinds: Code
    sides: Code
    ticks: Whole
    lots: Whole
    happened_ns: Whole
    received_ns: Whole
    opening: int
    source: DataSource

    def __post_init__(self) -> None:
        """Refuse columns of different length, no rows after the opening book, and a past out of order."""
        columns = (self.kinds, self.sides, self.ticks, self.lots, self.happened_ns, self.received_ns)
        lengths = {len(column) for column in columns}
        if len(lengths) != 1 or len(self) <= self.opening:
            raise InvalidValue(
                "tape", (sorted(lengths), self.opening), "columns of one length, longer than the opening"
            )
        back = np.flatnonzero(np.diff(self.happened_ns) < 0)
        if len(back):
            raise InvalidValue("happened_ns", f"row {int(back[0]) + 1} is before the row above it", "rising times")

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.kinds)

    @property
    def key(self) -> str:
        """Return the instrument's key."""
        return self.instrument.key

    @property
    def tick(self) -> Decimal:
        """Return the price of one tick."""
        return self.instrument.price_grid.tick

    @property
    def lot(self) -> Decimal:
        """Return the size of one lot."""
        return self.instrument.lot.value

    @property
    def starts_ns(self) -> int:
        """Return when the record begins at the venue."""
        return int(self.happened_ns[0])

    @property
    def ends_ns(self) -> int:
        """Return when the last row happened."""
        return int(self.happened_ns[-1])

    def until(self, at_ns: int) -> Tape:
        """Return the tape up to and including `at_ns`."""
        count = int(np.searchsorted(self.happened_ns, at_ns, side="right"))
        columns = ("kinds", "sides", "ticks", "lots", "happened_ns", "received_ns")
        return replace(self, **{name: getattr(self, name)[:count] for name in columns})

    @property
    def span(self) -> str:
        """Return from when to when, for people."""
        first, last = (from_milliseconds(at / NS_PER_MS) for at in (self.starts_ns, self.ends_ns))
        return f"{first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S} UTC"


def in_ticks(instrument: Instrument, prices: Column) -> Whole:
    """Return prices as whole ticks. Raises InvalidValue that names the row when one is not on the grid."""
    return _whole("price", prices, instrument.price_grid.tick)


def in_lots(instrument: Instrument, sizes: Column) -> Whole:
    """Return sizes as whole lots. Raises InvalidValue that names the row when one is not a whole number of them."""
    return _whole("size", sizes, instrument.lot.value)


def cut_to_lots(instrument: Instrument, sizes: Column) -> Whole:
    """Return sizes as whole lots, what is less than a lot left out: others may trade finer than we do."""
    whole: Whole = np.floor(sizes / float(instrument.lot.value) + _OFF_GRID).astype(np.int64)
    return whole


def _whole(field: str, values: Column, step: Decimal) -> Whole:
    scaled = values / float(step)
    whole = np.round(scaled)
    with np.errstate(invalid="ignore"):
        # Relative as well: a float64 of a large price is itself not exact to a millionth of a tick.
        bad = np.flatnonzero(~(np.abs(scaled - whole) <= np.maximum(_OFF_GRID, np.abs(whole) * 1e-9)))
    if len(bad):
        row = int(bad[0])
        raise InvalidValue(field, f"{values[row]} in row {row} ({len(bad)} such rows)", f"a multiple of {step}")
    return whole.astype(np.int64)
