"""Parameters beside others: one number a little higher or lower, the rest as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from apps.strategies.base import Parameters

STEPS = (-0.2, -0.1, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Parameters that differ from others in one `field`, which is `value` here."""

    field: str
    value: float
    parameters: Parameters

    def __str__(self) -> str:
        """Return the difference."""
        return f"{self.field}={self.value:g}"


def neighbours(parameters: Parameters, steps: Sequence[float] = STEPS) -> tuple[Neighbour, ...]:
    """Return the parameters with each number changed by each of `steps`, a fraction of it, where the model allows.

    Whole numbers move by one at least. A field that is 0 is off, and stays so; what breaks a bound or another rule of
    the model is left out.
    """
    found = (one for name in _numbers(parameters) for one in _beside(parameters, name, steps))
    return tuple(found)


def changed(parameters: Parameters, **values: object) -> Parameters:
    """Return `parameters` with other `values`, checked. Raises pydantic's ValidationError when they do not pass."""
    return type(parameters).model_validate({**dict(parameters), **values})


def _numbers(parameters: Parameters) -> list[str]:
    return [name for name, value in parameters if type(value) in {int, float} and value != 0]


def _beside(parameters: Parameters, name: str, steps: Sequence[float]) -> Iterator[Neighbour]:
    now = getattr(parameters, name)
    for value in sorted({_stepped(now, step) for step in steps}):
        try:
            yield Neighbour(name, value, changed(parameters, **{name: value}))
        except ValidationError:
            continue


def _stepped(now: float, step: float) -> float:
    if not isinstance(now, int):
        return now * (1 + step)
    moved = round(now * (1 + step))
    return moved if moved != now else now + (1 if step > 0 else -1)
