"""How long each stage of an order's way took, from what made its strategy due to its last fill."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

STAGES = ("due", "tick_started", "row", "sent", "acknowledged", "filled", "closed")


def stages_ms(moments: Sequence[datetime | None]) -> dict[str, float]:
    """Return the stages that are over, in milliseconds, in the order in which they come.

    `moments` are when each of STAGES was; None: not yet, or not known.
    """
    known = [(name, at) for name, at in zip(STAGES, moments, strict=True) if at is not None]
    return {f"{before}_to_{after}": _ms(begun, ended) for (before, begun), (after, ended) in pairwise(known)}


def _ms(begun: datetime, ended: datetime) -> float:
    return round((ended - begun).total_seconds() * 1000, 3)
