"""How hastily a halt closes positions at this moment: read off the veto's row and the time, so a crash changes nothing.

    patient    rest at the touch ──1/2──▶ through the book ──3/4──▶ at the market
    brisk                                 through the book ──1/2──▶ at the market
    immediate                                                       at the market

The fractions are of the veto's deadline, counted from the moment it was engaged: whoever was long kept from the venue
has no time left for good prices. Past the deadline it goes on at the market, and people are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from math import inf
from types import MappingProxyType

from apps.exchanges.capabilities import Capabilities, Support
from apps.exchanges.execution.hands import Hands
from apps.exchanges.models import Veto
from moondev.domain.orders import TimeInForce


class Stage(StrEnum):
    """What an exit is willing to pay; each costs more than the one before and waits less."""

    POST_ONLY = "post-only"
    LIMIT = "limit"
    MARKET = "market"


SKEW_SECONDS = 5.0
# The shares of the deadline at which resting ends, and at which the narrow bound does.
_ENDS: Mapping[Veto.Urgency, tuple[float, float]] = MappingProxyType(
    {Veto.Urgency.PATIENT: (0.5, 0.75), Veto.Urgency.BRISK: (0.0, 0.5), Veto.Urgency.IMMEDIATE: (0.0, 0.0)}
)


def stage_now(veto: Veto, able: Capabilities, hands: Hands) -> Stage:
    """Return the stage that a veto has reached, as far as the venue can do it.

    An exit rests only where the venue itself keeps it from growing a position, whatever else happens to that position
    meanwhile; elsewhere the first stage is the second.
    """
    resting_ends, limit_ends = _ENDS[Veto.Urgency(veto.urgency)]
    elapsed = _elapsed(veto, hands) / veto.deadline_seconds
    if elapsed < resting_ends and _rests_safely(able):
        return Stage.POST_ONLY
    return Stage.LIMIT if elapsed < limit_ends else Stage.MARKET


def seconds_to_next_stage(veto: Veto, hands: Hands) -> float:
    """Return in how many real seconds a veto goes over to its next stage; infinite when there is none."""
    elapsed = _elapsed(veto, hands)
    ends = (share * veto.deadline_seconds for share in _ENDS[Veto.Urgency(veto.urgency)])
    return min((end - elapsed for end in ends if end > elapsed), default=inf)


def overdue(veto: Veto, hands: Hands) -> bool:
    """Return whether everything should be flat by now."""
    return veto.flatten and _elapsed(veto, hands) >= veto.deadline_seconds


def _elapsed(veto: Veto, hands: Hands) -> float:
    """Return how many real seconds the halt has lasted.

    Engaged further ahead than clocks of machines are apart, somebody has set one back: then nobody knows, and nothing
    may wait for a better price until it has caught up.
    """
    elapsed: float = (hands.clock.now() - veto.engaged_at) / hands.lasting(1.0)
    return elapsed if elapsed >= -SKEW_SECONDS else float(veto.deadline_seconds)


def _rests_safely(able: Capabilities) -> bool:
    return (
        able.resting_reduce_only is Support.NATIVE and able.times_in_force.get(TimeInForce.POST_ONLY) is Support.NATIVE
    )
