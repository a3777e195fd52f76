"""Lists, a page at a time: a page begins after the last thing of the one before it, wherever that is by now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

from django.db.models import Model, QuerySet
from fastapi import Path, Query
from pydantic import BaseModel, Field

LARGEST_ID = 2**63 - 1
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Before = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only what came before this one.")]
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
Word = Annotated[str | None, Query(max_length=100)]

M = TypeVar("M", bound=Model)
T = TypeVar("T", bound=BaseModel)


class Page(BaseModel, Generic[T]):
    """Newest first. `next_before` goes into `before` to read on; null at the end."""

    items: list[T]
    next_before: int | None = Field(examples=[4711])


def page(rows: QuerySet[M], before: int | None, limit: int, tell: Callable[[M], T]) -> Page[T]:
    """Return a page of rows by their numbers, newest first."""
    chosen = rows if before is None else rows.filter(pk__lt=before)
    found = list(chosen.order_by("-pk")[: limit + 1])
    more = len(found) > limit
    return Page[T](items=[tell(row) for row in found[:limit]], next_before=found[limit - 1].pk if more else None)


def given(**wanted: object) -> dict[str, object]:
    """Return those conditions that somebody has set."""
    return {name: value for name, value in wanted.items() if value is not None}
