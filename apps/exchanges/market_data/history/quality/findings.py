"""What a check says: which rule, how bad, which rows, and what would mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

EVIDENCE_ROWS = 5


class Severity(IntEnum):
    """How bad it is. An error makes every number computed from the data wrong; a warning, some."""

    INFO = 0
    WARNING = 1
    ERROR = 2


class Code(StrEnum):
    """Stable names of the rules; scripts may rely on them."""

    UNIT = "UNIT"  # stamps are not milliseconds
    ORDER = "ORDER"  # stamps go backwards
    DUPLICATE = "DUPLICATE"  # the same row twice
    OFF_GRID = "OFF_GRID"  # bars that do not open on their interval
    GAP = "GAP"  # rows are missing
    NUMBER = "NUMBER"  # a price or size that is not a number above zero
    OHLC = "OHLC"  # a high below the open, and the like
    MISLABELLED = "MISLABELLED"  # columns under each other's names
    NO_VOLUME = "NO_VOLUME"  # the volume is not known at all
    STALE = "STALE"  # closes carried on where nobody traded
    SPIKE = "SPIKE"  # a price that leaps away and comes back
    SIDE = "SIDE"  # a trade neither bought nor sold
    CROSSED = "CROSSED"  # a bid at or above an ask
    LADDER = "LADDER"  # levels that are not from best to worst
    CLOCK_SKEW = "CLOCK_SKEW"  # received before it was sent
    TIME_SHIFT = "TIME_SHIFT"  # hours off against another series
    QUOTE = "QUOTE"  # another quote currency than the series it is held against
    UNLIKE = "UNLIKE"  # does not move with the series it is held against


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that is broken. `rows` are the numbers of the first rows concerned, `count` how many there are."""

    code: Code
    severity: Severity
    message: str
    count: int
    rows: tuple[int, ...]
    evidence: tuple[str, ...]
    repair: str


def worst(findings: Sequence[Finding]) -> Severity | None:
    """Return the highest severity; None when there is no finding."""
    return max((finding.severity for finding in findings), default=None)
