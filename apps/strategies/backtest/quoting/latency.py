"""How long everything takes: the market's news to us, our orders to the venue, its answers back.

A recorder's clock is not the venue's. Stamps that say we heard of something before it happened would let a strategy
trade on the future, so they are refused until somebody says by how much to put the recorder's clock forward.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from apps.strategies.backtest.quoting.tape import NS_PER_MS, Tape, Whole
from moondev.domain.errors import InvalidValue


def nanoseconds(length: timedelta) -> int:
    """Return a length of time in whole nanoseconds."""
    return (length.days * 86_400 + length.seconds) * 1_000_000_000 + length.microseconds * 1_000


class Feed(ABC):
    """When we hear of each row."""

    @abstractmethod
    def heard_ns(self, tape: Tape) -> Whole:
        """Return when each row reaches us, on the venue's clock. Raises InvalidValue for news from the future."""


@dataclass(frozen=True, slots=True)
class ConstantFeed(Feed):
    """Everything is heard the same time after it happened."""

    delay: timedelta = timedelta(milliseconds=5)

    def __post_init__(self) -> None:
        """Refuse a delay below zero."""
        _require("feed delay", self.delay)

    def heard_ns(self, tape: Tape) -> Whole:
        """Return the venue's stamps, later by the delay."""
        return tape.happened_ns + nanoseconds(self.delay)


@dataclass(frozen=True, slots=True)
class RecordedFeed(Feed):
    """Everything is heard when the recorder heard it, its clock put forward by `shift`."""

    shift: timedelta = timedelta(0)

    def heard_ns(self, tape: Tape) -> Whole:
        """Return the recorder's stamps on the venue's clock."""
        heard = tape.received_ns + nanoseconds(self.shift)
        early = np.flatnonzero(heard < tape.happened_ns)
        if len(early):
            ahead = int(np.max(tape.happened_ns - tape.received_ns))
            raise InvalidValue(
                "feed latency",
                f"row {int(early[0])} of {tape.key} heard before it happened ({len(early)} of {len(tape)} rows)",
                f"a shift of {-(-ahead // NS_PER_MS)} ms or more: the recorder's clock was behind the venue's",
            )
        return heard


class OrderDelays(ABC):
    """How long an order or a cancel takes to the venue, and its answer back; asked at one moment, in nanoseconds."""

    @abstractmethod
    def entry_ns(self, feed_ns: int) -> int:
        """Return the way there; `feed_ns` is how old the newest news from the venue was when it came."""

    @abstractmethod
    def answer_ns(self, feed_ns: int) -> int:
        """Return the way back."""


@dataclass(frozen=True, slots=True)
class ConstantOrders(OrderDelays):
    """The same at all times."""

    entry: timedelta = timedelta(milliseconds=5)
    answer: timedelta = timedelta(milliseconds=5)

    def __post_init__(self) -> None:
        """Refuse delays below zero."""
        _require("order entry delay", self.entry)
        _require("answer delay", self.answer)

    def entry_ns(self, feed_ns: int) -> int:  # noqa: ARG002 - the same at all times
        """Return the constant way there."""
        return nanoseconds(self.entry)

    def answer_ns(self, feed_ns: int) -> int:  # noqa: ARG002 - the same at all times
        """Return the constant way back."""
        return nanoseconds(self.answer)


@dataclass(frozen=True, slots=True)
class LikeTheFeed(OrderDelays):
    """Orders travel as fast as the news does at that time, times a factor: a venue that lags, lags both ways."""

    entry_factor: float = 1.0
    answer_factor: float = 1.0

    def __post_init__(self) -> None:
        """Refuse factors below zero."""
        for name, factor in (("entry_factor", self.entry_factor), ("answer_factor", self.answer_factor)):
            if not 0 <= factor < np.inf:
                raise InvalidValue(name, factor, "a finite number, 0 or more")

    def entry_ns(self, feed_ns: int) -> int:
        """Return the age of the newest news, times the factor."""
        return round(feed_ns * self.entry_factor)

    def answer_ns(self, feed_ns: int) -> int:
        """Return the age of the newest news, times the factor."""
        return round(feed_ns * self.answer_factor)


@dataclass(frozen=True, slots=True)
class Latency:
    """All three ways."""

    feed: Feed = field(default_factory=ConstantFeed)
    orders: OrderDelays = field(default_factory=ConstantOrders)


def _require(name: str, delay: timedelta) -> None:
    if delay < timedelta(0):
        raise InvalidValue(name, delay, "zero or more")
