"""Which of several answers no other beats in everything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Scores = tuple[float, ...]


def front(scores: Sequence[Scores]) -> tuple[int, ...]:
    """Return the places of those that no other beats: as good in every objective and better in one. Larger is better.

    Equal ones do not beat each other. With one objective the front is the best and its equals.
    """
    if not scores:
        return ()
    table = np.array(scores, dtype=np.float64)
    return tuple(place for place, row in enumerate(table) if not _beaten(row, table))


def ranked(scores: Sequence[Scores]) -> list[int]:
    """Return all places, best first: by front, within a front by the sum of ranks in each objective, then by place."""
    table = np.array(scores, dtype=np.float64).reshape(len(scores), -1)
    ranks = (-table).argsort(axis=0, kind="stable").argsort(axis=0, kind="stable").sum(axis=1)
    left, order = list(range(len(scores))), []
    while left:
        best = [left[place] for place in front([scores[place] for place in left])]
        order += sorted(best, key=lambda place: (int(ranks[place]), place))
        left = sorted(set(left) - set(best))
    return order


def _beaten(row: np.ndarray, table: np.ndarray) -> bool:
    return bool((np.all(table >= row, axis=1) & np.any(table > row, axis=1)).any())
