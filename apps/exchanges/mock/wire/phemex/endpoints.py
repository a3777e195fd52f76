"""One endpoint of Phemex: its word in faults and counts, what it costs, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from apps.exchanges.mock.wire.phemex.limits import Group
from apps.exchanges.mock.wire.port import Json

# Method and path, without the venue's prefix.
EndpointKey: TypeAlias = tuple[str, str]
# Given an account and the fields of the request; returns the `data` of the answer.
Action: TypeAlias = Callable[[str, Json], Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a signed request to one path is."""

    action: str
    group: Group
    weight: int
    answer: Action
