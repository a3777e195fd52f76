"""Which rows to learn on and which to be judged on, with a gap between that neither may touch.

A trade that is open when training ends goes on into the test, and the first decisions of a test look back on bars of
the training: rows on both sides of a seam are left out ("purged"), and after a test as many again where the training
goes on ("embargo"). Source: M. López de Prado, "Advances in Financial Machine Learning", 2018, chapter 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moondev.domain.errors import InvalidValue


@dataclass(frozen=True, slots=True, order=True)
class Rows:
    """The rows from `start` up to, not including, `stop`."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        """Refuse rows before the first, and none at all."""
        if not 0 <= self.start < self.stop:
            raise InvalidValue("rows", f"{self.start} to {self.stop}", "0 or more, and the end after the start")

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.stop - self.start

    @property
    def indices(self) -> NDArray[np.int64]:
        """Return the row numbers."""
        return np.arange(self.start, self.stop)


@dataclass(frozen=True, slots=True)
class Fold:
    """What is learnt on, in one stretch or two, and what is judged on."""

    train: tuple[Rows, ...]
    test: Rows

    @property
    def train_indices(self) -> NDArray[np.int64]:
        """Return the row numbers of the training, as scikit-learn wants them."""
        return np.concatenate([rows.indices for rows in self.train])


def rolling(count: int, train: int, test: int, purge: int = 0) -> tuple[Fold, ...]:
    """Return folds that walk forward over `count` rows: train, gap of `purge` rows, test; then on by one test.

    The tests touch each other and reach the last row: what does not fit is cut off the beginning. Raises InvalidValue
    when not one fold fits.
    """
    _require(count=count, train=train, test=test)
    _require_gap("purge", purge)
    fit = (count - train - purge) // test
    if fit < 1:
        raise InvalidValue("rows", count, f"{train + purge + test} or more: train, gap and one test")
    first = count - fit * test
    return tuple(
        Fold((Rows(start - purge - train, start - purge),), Rows(start, start + test))
        for start in range(first, count, test)
    )


def anchored(count: int, train: int, test: int, purge: int = 0) -> tuple[Fold, ...]:
    """Return the folds of `rolling`, each trained on everything since row 0. Raises as it does."""
    return tuple(Fold((Rows(0, fold.train[0].stop),), fold.test) for fold in rolling(count, train, test, purge))


def purged(count: int, folds: int, purge: int = 0, embargo: int = 0) -> tuple[Fold, ...]:
    """Return `folds` folds whose tests are equal stretches (to one row) that cover `count` rows.

    Trained is on all that is left without `purge` rows on either side of the test and `embargo` more after it. Raises
    InvalidValue for fewer than two folds, and when a fold would have nothing to learn on.
    """
    _require(count=count, folds=folds)
    for name, gap in (("purge", purge), ("embargo", embargo)):
        _require_gap(name, gap)
    if not 2 <= folds <= count:
        raise InvalidValue("folds", folds, f"from 2 to the {count} rows")
    edges = [count * number // folds for number in range(folds + 1)]
    return tuple(_around(Rows(edges[at], edges[at + 1]), count, purge, embargo) for at in range(folds))


def _around(test: Rows, count: int, purge: int, embargo: int) -> Fold:
    before, after = test.start - purge, test.stop + purge + embargo
    sides = [Rows(start, stop) for start, stop in ((0, before), (after, count)) if start < stop]
    if not sides:
        raise InvalidValue("purge", purge, f"less: rows {test.start} to {test.stop} leave nothing to learn on")
    return Fold(tuple(sides), test)


def _require(**counts: int) -> None:
    for name, value in counts.items():
        if value < 1:
            raise InvalidValue(name, value, "1 or more")


def _require_gap(name: str, value: int) -> None:
    if value < 0:
        raise InvalidValue(name, value, "0 or more rows")
