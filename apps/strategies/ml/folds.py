"""Cross-validation for trades: what is learnt from overlaps nothing that is judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moondev.domain.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers to learn from and to be judged on."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def purged_splits(
    entered_ms: NDArray[np.int64], exited_ms: NDArray[np.int64], folds: int, embargo_ms: int
) -> Iterator[Split]:
    """Yield `folds` splits of trades in order of entry, whose tests are stretches that cover all of them once.

    A trade that was open at any time of the test, or entered within `embargo_ms` after it, is not learnt from: its
    outcome was made by prices that the test is about, or it looked back on them. Raises InvalidValue for folds that
    leave nothing to learn from.
    """
    count = len(entered_ms)
    if not 2 <= folds <= count or embargo_ms < 0:
        raise InvalidValue("folds", folds, f"from 2 to the {count} trades, and an embargo of 0 or more")
    for test in np.array_split(np.arange(count), folds):
        began, ended = int(entered_ms[test].min()), int(exited_ms[test].max())
        apart = (exited_ms < began) | (entered_ms > ended + embargo_ms)
        train = np.flatnonzero(apart)
        if not len(train):
            raise InvalidValue("folds", folds, "another number: the trades of one overlap all others")
        yield Split(train, test)
