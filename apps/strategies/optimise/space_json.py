"""A search space as JSON, as it is kept with a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from apps.strategies.optimise.space import Choice, Dimension, Real, Space, Whole
from moondev.domain.errors import InvalidValue

_KINDS: Mapping[str, type[Dimension]] = {"whole": Whole, "real": Real, "choice": Choice}


def to_json(space: Space) -> list[dict[str, Any]]:
    """Return one object per dimension."""
    kinds = {kind: name for name, kind in _KINDS.items()}
    return [{"kind": kinds[type(dimension)], **asdict(dimension)} for dimension in space.dimensions]


def from_json(rows: Sequence[Mapping[str, Any]]) -> Space:
    """Return the space that `to_json` wrote. Raises InvalidValue for a kind there is not."""
    return Space(tuple(_dimension(dict(row)) for row in rows))


def _dimension(row: dict[str, Any]) -> Dimension:
    kind = row.pop("kind", None)
    if kind not in _KINDS:
        raise InvalidValue("kind", kind, ", ".join(_KINDS))
    if kind == "choice":
        row["options"] = tuple(row["options"])
    return _KINDS[kind](**row)
