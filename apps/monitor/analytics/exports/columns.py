"""Columns of exports: a name and what is in it. The same in every format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from apps.monitor.analytics.period import Period
from moondev.domain.errors import InvalidValue

# Amounts have twelve places, as the database keeps them. What was divided is rounded to them once, here.
PLACES = Decimal("1e-12")


class Holds(StrEnum):
    """What a column holds. A moment is in UTC; a number is a float64 and no amount."""

    TEXT = "text"
    WHOLE = "whole number"
    AMOUNT = "amount"
    NUMBER = "number"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    holds: Holds


class Method(StrEnum):
    """Which lot a sale is set against, for taxes."""

    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    AVERAGE = "average"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants exported: when it happened, and of which account and strategy (None: all)."""

    period: Period
    account: str | None = None
    strategy: str | None = None
    method: Method = Method.FIFO


Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """A kind of export. `version` rises when a column changes its meaning or goes; new ones come last.

    `rows` yields tuples in the order of `columns`, always in the same order for the same data. `takes` names what of
    `Wanted` it heeds besides the period.
    """

    kind: str
    version: int
    says: str
    columns: tuple[Column, ...]
    rows: Callable[[Wanted], Iterator[Row]]
    takes: frozenset[str] = field(default_factory=lambda: frozenset({"account", "strategy"}))

    @property
    def schema_name(self) -> str:
        """Return the name that files carry, such as ``fills/1``."""
        return f"{self.kind}/{self.version}"


def columns(**holds: Holds) -> tuple[Column, ...]:
    """Return columns by name."""
    return tuple(Column(name, what) for name, what in holds.items())


def rounded(amount: Decimal | None) -> Decimal | None:
    """Return an amount to twelve places."""
    return None if amount is None else amount.quantize(PLACES, ROUND_HALF_EVEN)


def file_name(export: Export, wanted: Wanted, ending: str) -> str:
    """Return what a file of it is called: kind, first and last day."""
    first, last = (moment.astimezone(UTC) for moment in (wanted.period.start, wanted.period.end))
    return f"{export.kind}_{first:%Y%m%d}_{last:%Y%m%d}.{ending}"


def require_one_of(field_name: str, value: str, allowed: Sequence[str]) -> str:
    """Return a value. Raises InvalidValue unless it is allowed."""
    if value not in allowed:
        raise InvalidValue(field_name, value, ", ".join(allowed))
    return value


def in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC."""
    return moment.astimezone(UTC)
