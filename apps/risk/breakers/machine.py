"""The life of one breaker in one scope: CLOSED, OPEN, HALF_OPEN and back. Pure: same arguments, same answer.

What is not known changes nothing: a breaker neither trips nor recovers on silence. One exception: what is read off our
own orders falls silent because the breaker has stopped them, so there silence lets it try again.
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

    `cumulative` readings (losses) do not fall by themselves. Without `automatic` a person resets it. `of_own_orders`
    readings cannot be had while it is open.
    """

    threshold: Decimal
    cool_down: timedelta
    automatic: bool
    cumulative: bool
    of_own_orders: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """How a breaker stands. `seen` counts readings beyond the bar in a row while it is not OPEN.

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
    if reading is None and (condition.mode is Mode.CLOSED or not rule.of_own_orders):
        return condition
    reading = Decimal(0) if reading is None else reading
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
        again = replace(condition, seen=condition.seen + 1)
        return again if again.seen < CONFIRMATIONS else Condition(Mode.OPEN, now, worst=reading)
    if now - condition.since < rule.cool_down:
        return replace(condition, seen=0)
    return Condition(Mode.CLOSED, now, accepted=condition.accepted)


def _bar(condition: Condition, rule: Rule) -> Decimal:
    """Return the reading that trips it: the threshold, or somewhat more than what was accepted.

    What a person has looked at may go on standing in its window: a refused key is counted for hours.
    """
    if not (rule.cumulative or condition.acknowledged):
        return rule.threshold
    return max(rule.threshold, condition.accepted * WORSE)
