"""What no store takes in: numbers that cannot have happened. Everything doubtful but possible is for the checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from apps.exchanges.market_data.history.series import Kind, SeriesKey, column, stamps
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue

# The years in which a stamp of milliseconds can be meant: another unit of time falls outside.
FIRST_MS = 946_684_800_000
LAST_MS = 4_102_444_800_000

_Mask = NDArray[np.bool_]


def require_sound(key: SeriesKey, rows: pa.Table) -> None:
    """Raise InvalidValue that names the first row which cannot have happened and the rule it breaks."""
    for rule, broken in {**_SHARED, **_RULES[key.kind]}.items():
        bad = np.flatnonzero(broken(rows))
        if len(bad):
            raise InvalidValue(f"{key}, row {bad[0]}", rows.slice(int(bad[0]), 1).to_pylist()[0], rule)
    step = key.step_ms
    if step is None:
        return
    off = np.flatnonzero(stamps(rows) % grid_step(step) != 0)
    if len(off):
        at = from_milliseconds(int(stamps(rows)[off[0]]))
        raise InvalidValue(f"{key}, row {off[0]}, ts", at.isoformat(), f"a multiple of {step} ms")


def grid_step(step_ms: int) -> int:
    """Return on which multiples bars open: their own length, but a day's for longer ones, whose start is custom."""
    return min(step_ms, 86_400_000)


def _broken_bar(rows: pa.Table) -> _Mask:
    opened, high, low, close = (column(rows, name) for name in ("open", "high", "low", "close"))
    holds = (high >= np.maximum(opened, close)) & (low <= np.minimum(opened, close)) & (low > 0) & np.isfinite(high)
    return np.asarray(~holds)


def _not_positive(*names: str) -> Callable[[pa.Table], _Mask]:
    def broken(rows: pa.Table) -> _Mask:
        mask = np.zeros(len(rows), dtype=bool)
        for name in names:
            mask |= ~((column(rows, name) > 0) & np.isfinite(column(rows, name)))
        return mask

    return broken


def _broken_levels(rows: pa.Table) -> _Mask:
    """Return which books have a price not above 0, a size below 0, or more prices than sizes."""
    mask = np.zeros(len(rows), dtype=bool)
    for side in ("bid", "ask"):
        prices, sizes = (rows.column(f"{side}_{what}").combine_chunks() for what in ("prices", "sizes"))
        mask |= np.asarray(prices.value_lengths()) != np.asarray(sizes.value_lengths())
        mask |= _any_in_list(prices, lambda numbers: ~((numbers > 0) & np.isfinite(numbers)))
        mask |= _any_in_list(sizes, lambda numbers: ~((numbers >= 0) & np.isfinite(numbers)))
    return mask


def _any_in_list(lists: pa.ListArray, broken: Callable[[NDArray[np.float64]], _Mask]) -> _Mask:
    numbers = np.asarray(lists.flatten(), dtype=np.float64)
    rows = np.repeat(np.arange(len(lists)), np.asarray(lists.value_lengths()))
    mask = np.zeros(len(lists), dtype=bool)
    mask[rows[broken(numbers)]] = True
    return mask


_SHARED: Mapping[str, Callable[[pa.Table], _Mask]] = MappingProxyType(
    {"ts in milliseconds, 2000 to 2099": lambda rows: (stamps(rows) < FIRST_MS) | (stamps(rows) >= LAST_MS)}
)
_RULES: Mapping[Kind, Mapping[str, Callable[[pa.Table], _Mask]]] = MappingProxyType(
    {
        Kind.CANDLES: {
            "high >= open, close >= low > 0": _broken_bar,
            "volume 0 or more": lambda rows: ~(column(rows, "volume") >= 0),
        },
        Kind.TRADES: {
            "price and size above 0": _not_positive("price", "size"),
            "side 1 or -1": lambda rows: np.abs(column(rows, "side")) != 1,
        },
        Kind.FUNDING: {"a rate between -1 and 1": lambda rows: ~(np.abs(column(rows, "rate")) < 1)},
        Kind.BOOKS: {"prices above 0 and sizes of 0 or more, as many of either": _broken_levels},
        Kind.MARKS: {"a mark above 0": _not_positive("mark")},
    }
)
