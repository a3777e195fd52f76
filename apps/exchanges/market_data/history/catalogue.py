"""What is kept, and where: one line per series and place, with its span, rows, gaps and bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.series import SeriesKey
from apps.exchanges.market_data.history.store import Extent, HistoryStore


class Place(StrEnum):
    """Where rows are kept."""

    LAKE = "lake"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Holding:
    """One series in one place. `missing` bars lie in `gaps` holes; None for what has no grid."""

    place: Place
    extent: Extent
    gaps: int | None
    missing: int | None


def holdings(lake: Lake | None, store: HistoryStore | None, venue: str | None = None) -> list[Holding]:
    """Return what is kept, by place and name; of one venue only when it is named.

    Raises Connectivity when the database does not answer, InvalidValue for a damaged file.
    """
    found: list[Holding] = []
    if lake is not None:
        found += _in_lake(lake, venue)
    if store is not None:
        found += _in_store(store, venue)
    return found


def _in_lake(lake: Lake, venue: str | None) -> Iterator[Holding]:
    for key in lake.series():
        if venue not in (None, key.venue):
            continue
        extent = lake.extent(key)
        if extent is not None:
            yield Holding(Place.LAKE, extent, *_holes(key, lake.stamps(key)))


def _in_store(store: HistoryStore, venue: str | None) -> Iterator[Holding]:
    for extent in store.extents():
        if venue in (None, extent.key.venue):
            stamps = store.stamps(extent.key) if extent.key.step_ms else np.empty(0, np.int64)
            yield Holding(Place.STORE, extent, *_holes(extent.key, stamps))


def _holes(key: SeriesKey, stamps: NDArray[np.int64]) -> tuple[int | None, int | None]:
    """Return how many holes there are between the first and the last bar, and how many bars they lack."""
    if key.step_ms is None:
        return None, None
    lacking = np.diff(np.unique(stamps)) // key.step_ms - 1
    return int(np.count_nonzero(lacking > 0)), int(lacking[lacking > 0].sum())
