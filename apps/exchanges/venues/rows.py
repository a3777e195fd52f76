"""Answers of many rows, read row by row: an odd one costs itself only, and is told of."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

import msgspec

from apps.exchanges.ports import ParseError

logger = logging.getLogger(__name__)

T = TypeVar("T")
S = TypeVar("S")

REMEMBERED = 1_000
# Not only what our own checks raise: a time beyond the calendar is an error of the datetime library.
UNREADABLE = (ValueError, ArithmeticError, msgspec.MsgspecError)


@contextmanager
def reading(what: str, evidence: object) -> Iterator[None]:
    """Turn every error of reading `evidence` into a ParseError that shows it."""
    try:
        yield
    except UNREADABLE as error:
        raise ParseError(what, str(error), evidence) from error


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """The rows of one answer: those that could be read, in its order, and what is wrong with the others."""

    read: tuple[T, ...]
    unreadable: tuple[ParseError, ...] = ()

    @property
    def count(self) -> int:
        """Return how many rows the answer had."""
        return len(self.read) + len(self.unreadable)


def rows(what: str, items: Sequence[object], shape: type[S], read: Callable[[S], T]) -> Rows[T]:
    """Return what `read` makes of each of `items` once it has `shape`. Nothing is guessed of those that do not fit."""
    good: list[T] = []
    bad: list[ParseError] = []
    for item in items:
        try:
            with reading(what, item):
                good.append(read(msgspec.convert(item, shape)))
        except ParseError as error:
            bad.append(error)
    return Rows(tuple(good), tuple(bad))


class UnreadableRows:
    """What could not be read, kept until somebody takes it. The same row, met at every question, is told once."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        """Remember the last `capacity` rows."""
        self._told: OrderedDict[str, None] = OrderedDict()
        self._new: list[str] = []
        self._capacity = capacity
        self._lock = Lock()

    def note(self, errors: Sequence[ParseError]) -> None:
        """Log and keep what has not been told yet."""
        with self._lock:
            for text in map(str, errors):
                if text in self._told:
                    continue
                self._told[text] = None
                if len(self._told) > self._capacity:
                    self._told.popitem(last=False)
                self._new = [*self._new, text][-self._capacity :]
                logger.error("%s", text)

    def take(self) -> list[str]:
        """Return what has come since the last time."""
        with self._lock:
            taken, self._new = self._new, []
            return taken
