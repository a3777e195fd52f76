"""The search space of a strategy, read from its parameter model and a preset."""

from __future__ import annotations

import math
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from apps.strategies.base import Parameters
from apps.strategies.optimise.space import Choice, Dimension, Real, Scalar, Space, Whole

# Where a bound is missing: this many times the preset's value, and as small a part of it.
DEFAULT_SPAN = 4
# Bounds further apart than two decades are walked through by their logarithm.
WIDE = 100
# How near to an excluded bound a number may come, as a share of the range; and to an excluded zero, of the other end.
EDGE = 1e-6
SMALLEST_SHARE = 1e-3


_ENDS = (
    (annotated_types.Ge, "ge", "low", False),
    (annotated_types.Gt, "gt", "low", True),
    (annotated_types.Le, "le", "high", False),
    (annotated_types.Lt, "lt", "high", True),
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the constraints of a field say; None where they say nothing."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False


def space_of(preset: Parameters, names: Sequence[str] = ()) -> tuple[Dimension, ...]:
    """Return a dimension for every parameter of the model that has a range or options; of `names` only, when given.

    What is free text, or a zero without bounds that tell how far it may go, has no dimension: it stays as it is.
    """
    fields = type(preset).model_fields
    found = (dimension_of(name, field, getattr(preset, name)) for name, field in fields.items())
    return tuple(one for one in found if one is not None and (not names or one.name in names))


def dimension_of(name: str, field: FieldInfo, value: object) -> Dimension | None:
    """Return what may be searched of one field around `value`; None when there is nothing."""
    kind = _plain(field.annotation)
    options = _options(kind)
    if options:
        return Choice(name, options) if len(options) > 1 else None
    bounds = bounds_of(constraints_of(field))
    if kind is int and isinstance(value, int):
        return _whole(name, bounds, value)
    if kind in {float, Decimal} and isinstance(value, (int, float, Decimal)):
        return _real(name, bounds, float(value))
    return None


def bounds_of(metadata: Iterable[object]) -> Bounds:
    """Return the bounds among a field's constraints."""
    found: dict[str, Any] = {}
    for constraint in metadata:
        for part in constraint if isinstance(constraint, annotated_types.GroupedMetadata) else (constraint,):
            for kind, name, side, is_open in _ENDS:
                if isinstance(part, kind):
                    found |= {side: float(getattr(part, name)), f"{side}_open": is_open}
    return Bounds(**found)


def constraints_of(field: FieldInfo) -> tuple[object, ...]:
    """Return the constraints of a field, those inside ``... | None`` too."""
    return (*field.metadata, *_inner(field.annotation))


def searchable(preset: Parameters) -> Space:
    """Return the whole space of a model. Raises InvalidValue when nothing of it can be searched."""
    return Space(space_of(preset))


def _plain(annotation: object) -> object:
    """Return the type without Annotated and without None."""
    if hasattr(annotation, "__metadata__"):
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        others = [part for part in get_args(annotation) if part is not type(None)]
        return _plain(others[0]) if len(others) == 1 else annotation
    return annotation


def _inner(annotation: object) -> tuple[object, ...]:
    own: tuple[object, ...] = ()
    for told in getattr(annotation, "__metadata__", ()):
        own += tuple(told.metadata) if isinstance(told, FieldInfo) else (told,)
    if get_origin(annotation) in {Union, types.UnionType} or own:
        return (*own, *(found for part in get_args(annotation) for found in _inner(part)))
    return own


def _options(kind: object) -> tuple[Scalar, ...]:
    if kind is bool:
        return (False, True)
    if get_origin(kind) is Literal:
        return tuple(option for option in get_args(kind) if option is not None)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(member.value for member in kind)
    return ()


def _whole(name: str, bounds: Bounds, value: int) -> Whole | None:
    ends = _ends(bounds, value)
    if ends is None:
        return None
    low = math.floor(ends[0]) + 1 if bounds.low_open else math.ceil(ends[0])
    high = math.ceil(ends[1]) - 1 if bounds.high_open else math.floor(ends[1])
    return Whole(name, low, high, log=low > 0 and high / low > WIDE) if low < high else None


def _real(name: str, bounds: Bounds, value: float) -> Real | None:
    ends = _ends(bounds, value)
    if ends is None or not ends[0] < ends[1]:
        return None
    low, high = ends
    margin = (high - low) * EDGE
    if bounds.low_open:
        # An excluded zero means "any size": what comes near it is small against the other end or the preset.
        low = min(high * SMALLEST_SHARE, abs(value) / 10 or high) if low == 0 else low + margin
    if bounds.high_open:
        high -= margin
    return Real(name, low, high, log=low > 0 and high / low > WIDE)


def _ends(bounds: Bounds, value: float) -> tuple[float, float] | None:
    """Return both ends, a missing one from the preset's value; None when that is zero and so tells no size."""
    if value == 0 and (bounds.low is None or bounds.high is None):
        return None
    around = sorted((value * DEFAULT_SPAN, value / DEFAULT_SPAN))
    low = around[0] if bounds.low is None else bounds.low
    high = around[1] if bounds.high is None else bounds.high
    return low, high
