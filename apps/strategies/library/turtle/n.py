"""N: the Turtles' measure of how far a market moves in a bar."""

from __future__ import annotations

from apps.strategies.indicators.true_range import average_true_range, next_average
from moondev.domain.market_data import BarSeries, Column

BOOK_LENGTH = 20


def next_n(n: float, true_range: float, length: int = BOOK_LENGTH) -> float:
    """Return the next N: (19 x N + true range) / 20 for the book's `length`.

    Source: Curtis Faith, "The Original Turtle Trading Rules", 2003, chapter 3.
    """
    return next_average(n, true_range, length)


def n_series(bars: BarSeries, length: int = BOOK_LENGTH) -> Column:
    """Return N after each bar, in quote currency; NaN until `length` true ranges are known.

    Seeded with the mean of the first `length` true ranges; equal to Wilder's average true range.
    """
    return average_true_range(bars.high, bars.low, bars.close, length)
