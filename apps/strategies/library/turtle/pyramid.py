"""Where the next unit is added and where all of them are stopped out.

`direction` is +1 for a long and -1 for a short; prices and N are in quote currency.
"""

from __future__ import annotations

from collections.abc import Sequence


def next_entry(direction: int, last_fill: float, n: float, add_step_n: float = 0.5) -> float:
    """Return the price at which one more unit is added: `add_step_n` x N beyond the last fill."""
    return last_fill + direction * add_step_n * n


def stops(
    direction: int,
    fills: Sequence[float],
    n: float,
    stop_n: float = 2.0,
    add_step_n: float = 0.5,
) -> tuple[float, ...]:
    """Return each unit's stop: `stop_n` x N from its fill, moved up by 0.5 N per later unit.

    Source: Faith 2003, chapter 5.
    """
    newest = len(fills) - 1
    return tuple(fill - direction * n * (stop_n - add_step_n * (newest - index)) for index, fill in enumerate(fills))


def position_stop(
    direction: int,
    fills: Sequence[float],
    n: float,
    stop_n: float = 2.0,
    add_step_n: float = 0.5,
) -> float:
    """Return the one stop of the whole position: the nearest of its units' stops.

    With fills exactly `add_step_n` x N apart all units' stops coincide; after a gap the last
    unit's is nearest, and one net position can rest behind one stop only.
    """
    nearest = max if direction > 0 else min
    return nearest(stops(direction, fills, n, stop_n, add_step_n))
