"""Search spaces as people type them: ``name=lo:hi``, ``name=lo:hi:step``, ``name=lo:hi:log`` or ``name=a|b|c``."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from apps.strategies.base import Parameters
from apps.strategies.optimise.from_model import bounds_of, constraints_of, space_of
from apps.strategies.optimise.space import Choice, Dimension, Real, Scalar, Space, Whole
from moondev.domain.errors import InvalidValue

FORMS = "name=low:high, name=low:high:step, name=low:high:log or name=one|two|three"


def space_for(preset: Parameters, typed: Sequence[str] = (), search: Sequence[str] = ()) -> Space:
    """Return the space: what was `typed`, and of the model's own ranges those of `search`.

    With neither, every parameter that has a range is searched; with `typed` alone, only those. Raises InvalidValue for
    a name the model lacks, a range it does not admit, and text that has none of the forms.
    """
    fields = type(preset).model_fields
    own = {dimension.name: dimension for dimension in space_of(preset)}
    for name in search:
        if name not in own:
            raise InvalidValue("search", name, ", ".join(own))
    chosen: dict[str, Dimension] = {name: own[name] for name in (search or (() if typed else own))}
    for text in typed:
        name, _, ranges = text.partition("=")
        if name not in fields:
            raise InvalidValue("space", text, f"a parameter of the strategy: {', '.join(fields)}")
        chosen[name] = _admitted(preset, _typed(name, ranges, text, fields[name].annotation))
    return Space(tuple(chosen.values()))


def _typed(name: str, ranges: str, text: str, annotation: object) -> Dimension:
    if "|" in ranges or ":" not in ranges:
        return Choice(name, tuple(_option(part.strip(), annotation, text) for part in ranges.split("|")))
    parts = ranges.split(":")
    log = parts[-1] == "log"
    numbers = [_number(part, text) for part in (parts[:-1] if log else parts)]
    if len(numbers) not in ((2,) if log else (2, 3)):
        raise InvalidValue("space", text, FORMS)
    low, high = numbers[:2]
    step = numbers[2] if len(numbers) == 3 else None
    if annotation is not int:
        return Real(name, low, high, step, log=log)
    if any(number != int(number) for number in numbers):
        raise InvalidValue("space", text, f"whole numbers, as {name} is one")
    return Whole(name, int(low), int(high), int(step or 1), log=log)


def _option(part: str, annotation: Any, text: str) -> Scalar:  # noqa: ANN401  any annotation of a model
    """Return one option in the type of its field."""
    try:
        value = TypeAdapter(annotation).validate_python(part)
    except ValidationError as error:
        raise InvalidValue("space", text, f"{FORMS}; {part!r} is no value of this parameter") from error
    if isinstance(value, Enum):
        value = value.value
    return float(value) if isinstance(value, Decimal) else cast(Scalar, value)


def _number(part: str, text: str) -> float:
    try:
        return float(part)
    except ValueError:
        raise InvalidValue("space", text, FORMS) from None


def _admitted(preset: Parameters, dimension: Dimension) -> Dimension:
    """Return the dimension. Raises InvalidValue when the model would refuse one of its ends."""
    bounds = bounds_of(constraints_of(type(preset).model_fields[dimension.name]))
    if isinstance(dimension, Choice):
        return dimension
    if bounds.low is not None and (dimension.low < bounds.low or (bounds.low_open and dimension.low == bounds.low)):
        above = "above" if bounds.low_open else "at least"
        raise InvalidValue(dimension.name, f"low {dimension.low:g}", f"{above} {bounds.low:g}")
    if bounds.high is not None and (
        dimension.high > bounds.high or (bounds.high_open and dimension.high == bounds.high)
    ):
        below = "below" if bounds.high_open else "at most"
        raise InvalidValue(dimension.name, f"high {dimension.high:g}", f"{below} {bounds.high:g}")
    return dimension
