"""From the name of an idea to its code, its checked parameters and what it needs to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.strategies.base import Parameters, Strategy
from apps.strategies.registry import idea


@dataclass(frozen=True, slots=True)
class Loaded:
    """An idea ready to run: `code_hash` is a SHA-256 of the file it is written in and of all that file needs."""

    strategy: Strategy[Any]
    parameters: Parameters
    code_hash: str


def load(kind: str, parameters: dict[str, Any]) -> Loaded:
    """Return the idea `kind` with `parameters`, in its present version; cheap enough to be done at every tick.

    Raises Configuration for an unknown kind and InvalidValue for parameters it does not accept.
    """
    found = idea(kind)
    return Loaded(found.strategy(), found.stored(parameters), found.code_hash)
