"""Work cut into what a venue takes in one signed request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Return `items` in order, at most `size` at a time; nothing when there are none."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
