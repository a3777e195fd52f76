"""How two answers differ: counts, words and rows must be equal, numbers near."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

# Said by the engine of itself: worth keeping, not worth failing for.
INCIDENTAL = frozenset({"versions"})


def differences(stored: Any, fresh: Any, tolerance: float, where: str = "answer") -> Iterator[str]:
    """Yield a sentence for each place where `fresh` is not what was `stored`."""
    if isinstance(stored, dict) and isinstance(fresh, dict):
        yield from _by_key(stored, fresh, tolerance, where)
    elif isinstance(stored, list) and isinstance(fresh, list):
        if len(stored) != len(fresh):
            yield f"{where} has {len(fresh)} rows, stored are {len(stored)}"
            return
        for row, (one, other) in enumerate(zip(stored, fresh, strict=True)):
            yield from differences(one, other, tolerance, f"{where}[{row}]")
    elif isinstance(stored, float) and isinstance(fresh, int | float):
        if not near(stored, fresh, tolerance):
            yield f"{where} is {fresh!r}, stored is {stored!r}"
    elif stored != fresh:
        yield f"{where} is {fresh!r}, stored is {stored!r}"


def _by_key(stored: dict[str, Any], fresh: dict[str, Any], tolerance: float, where: str) -> Iterator[str]:
    for key in sorted((stored.keys() | fresh.keys()) - INCIDENTAL):
        if key not in stored or key not in fresh:
            yield f"{where}.{key} is {'new' if key in fresh else 'gone'}"
        else:
            yield from differences(stored[key], fresh[key], tolerance, f"{where}.{key}")


def near(one: float, other: float, tolerance: float) -> bool:
    """Tell whether two numbers are within `tolerance` of each other; of two undefined ones, yes."""
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or abs(one - other) <= tolerance
