"""The life of one breaker in one scope: CLOSED, OPEN, HALF_OPEN and back. Pure: same arguments, same answer.

What is not known changes nothing: a breaker neither trips nor recovers on silence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

# One wrong figure must not stop anybody, so a trip is seen twice.
CONFIRMATIONS = 2
# A loss cannot get smaller by waiting: what was lost when it tripped is accepted with the recovery, and so much more.
WORSE = Decimal("1.1")


class Mode(StrEnum):
    """CLOSED lets everything through, OPEN does what the breaker says, HALF_OPEN trades at a part of the size."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Rule:
    """When a breaker trips and comes back.

    `cumulative` readings (losses) do not fall by themselves. Without `automatic` a person resets it.
    """

    threshold: Decimal
    cool_down: timedelta
    automatic: bool
    cumulative: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """How a breaker stands. `seen` counts readings beyond the bar in a row while CLOSED, at most CONFIRMATIONS.

    `worst` is the highest reading since it tripped; `accepted` the reading that a recovery has taken for granted.
    `acknowledged` is true once a person has reset it.
    """

    mode: Mode
    since: datetime
    seen: int = 0
    worst: Decimal = Decimal(0)
    accepted: Decimal = Decimal(0)
    acknowledged: bool = False


def advance(condition: Condition, reading: Decimal | None, rule: Rule, now: datetime) -> Condition:
    """Return the condition after one look; `reading` None is "not known"."""
    if reading is None:
        return condition
    if condition.mode is Mode.CLOSED:
        return _closed(condition, reading, rule, now)
    if condition.mode is Mode.OPEN:
        return _open(condition, reading, rule, now)
    return _half_open(condition, reading, rule, now)


def reset(condition: Condition, now: datetime) -> Condition:
    """Return the condition after a person has said that trading may go on: at a part of the size first."""
    if condition.mode is not Mode.OPEN:
        return condition
    return replace(condition, mode=Mode.HALF_OPEN, since=now, accepted=condition.worst, acknowledged=True)


def _closed(condition: Condition, reading: Decimal, rule: Rule, now: datetime) -> Condition:
    if reading < rule.threshold:
        # Back below the threshold nothing is taken for granted any more: a new day has begun.
        return replace(condition, seen=0, accepted=Decimal(0))
    if reading < _bar(condition, rule):
        return replace(condition, seen=0)
    if condition.seen + 1 < CONFIRMATIONS:
        return replace(condition, seen=condition.seen + 1)
    return Condition(Mode.OPEN, now, worst=reading)


def _open(condition: Condition, reading: Decimal, rule: Rule, now: datetime) -> Condition:
    worst = max(condition.worst, reading)
    if not rule.automatic or now - condition.since < rule.cool_down:
        return replace(condition, worst=worst)
    if not rule.cumulative and reading >= rule.threshold:
        return replace(condition, worst=worst)
    return Condition(Mode.HALF_OPEN, now, accepted=worst if rule.cumulative else Decimal(0))


def _half_open(condition: Condition, reading: Decimal, rule: Rule, now: datetime) -> Condition:
    if reading >= _bar(condition, rule):
        return Condition(Mode.OPEN, now, worst=reading)
    if now - condition.since < rule.cool_down:
        return condition
    return Condition(Mode.CLOSED, now, accepted=condition.accepted)


def _bar(condition: Condition, rule: Rule) -> Decimal:
    """Return the reading that trips it: the threshold, or for a loss that was accepted somewhat more than that."""
    if not rule.cumulative:
        return rule.threshold
    return max(rule.threshold, condition.accepted * WORSE)
