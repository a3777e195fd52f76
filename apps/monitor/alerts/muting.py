"""Which alerts another one makes superfluous: of a venue that is down nobody needs to hear that its prices are old."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

# The rules that say that what readings come from is gone; whatever cannot be read then needs no word of its own.
SOURCES_DOWN = "source_down"


@dataclass(frozen=True, slots=True)
class Loud:
    """An alert that fires: its rule, what that measures, and where."""

    rule: str
    reading: str
    scope: str


@dataclass(frozen=True, slots=True)
class Perhaps:
    """An alert that may be muted: by which rules, in which scopes around it, and whether it is about a missing reading.

    A source that is down is around everything that is read from it.
    """

    muted_by: Collection[str]
    scopes: Collection[str]
    unknown: bool


def is_muted(alert: Perhaps, loud: Iterable[Loud]) -> bool:
    """Return whether one of those that fire says it already."""
    return any(_says_it(one, alert) for one in loud)


def _says_it(one: Loud, alert: Perhaps) -> bool:
    if one.reading == SOURCES_DOWN:
        # It concerns everything: a rule that names it is about what stands still without broker and cache.
        return one.rule in alert.muted_by or (alert.unknown and one.scope in alert.scopes)
    return one.rule in alert.muted_by and one.scope in alert.scopes
