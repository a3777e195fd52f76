"""The parameter sets a walk forward chooses among."""

from __future__ import annotations

import itertools

import numpy as np
from pydantic import ValidationError

from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.neighbours import changed, neighbours
from apps.strategies.base import Parameters

Candidate = tuple[str, Parameters]
AS_GIVEN = "as given"


def candidates_of(case: Case, most: int) -> tuple[Candidate, ...]:
    """Return the parameters as given and those of the grid (of the neighbourhood, without one); `most` at most, drawn.

    Points that the model refuses, or that want bars of another length than was recorded, are left out.
    """
    base = case.loaded.parameters
    others = _of_grid(case) if case.grid else [(str(one), one.parameters) for one in neighbours(base)]
    others = [(name, point) for name, point in others if point != base and case.can_be_shown(point)]
    if len(others) >= most:
        drawn = case.generator().choice(len(others), size=max(most - 1, 0), replace=False)
        others = [others[int(row)] for row in np.sort(drawn)]
    return ((AS_GIVEN, base), *others)


def _of_grid(case: Case) -> list[Candidate]:
    found: list[Candidate] = []
    for values in itertools.product(*case.grid.values()):
        point = dict(zip(case.grid, values, strict=True))
        name = ", ".join(f"{field}={value}" for field, value in point.items())
        try:
            found.append((name, changed(case.loaded.parameters, **point)))
        except ValidationError:
            continue
    return found
