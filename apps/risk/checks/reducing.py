"""Reducing: an order that says it reduces must shrink both the own and the account's position."""

from __future__ import annotations

from decimal import Decimal

from apps.risk.checks.candidate import Breach, Candidate, Check
from moondev.domain.decisions import RefusalCode
from moondev.domain.orders import Purpose
from moondev.domain.values import ZERO, Side


def reducible(held: Decimal, account_net: Decimal, side: Side) -> Decimal:
    """Return how much an order of `side` can shrink both positions by; zero when it would grow one."""
    own, net = -held * side.sign, -account_net * side.sign
    return max(min(own, net), ZERO)


def find_exit_too_large(candidate: Candidate) -> Breach | None:
    """Return a breach when this exit and the live ones together exceed the position.

    Protective orders stand for the same exit as each other (stop, take-profit, and for a moment the
    stop that replaces a stop), so each is held to the position alone; the venue enforces reduce-only.
    """
    if not candidate.reduces:
        return None
    allowed = reducible(candidate.held, candidate.account_net, candidate.side)
    if candidate.purpose is Purpose.REDUCING:
        allowed -= candidate.tally.reducing.get((candidate.instrument.key, candidate.side), ZERO)
    if candidate.amended is not None and candidate.purpose is Purpose.REDUCING:
        # The order it changes is one of the live ones; it must not stand in its own way.
        allowed += candidate.amended.remaining.value
    if candidate.quantity.value > allowed:
        return Breach(RefusalCode.REDUCING_EXCEEDS_POSITION, allowed, candidate.quantity.value)
    return None


REDUCING = Check(
    name="reducing",
    codes={RefusalCode.REDUCING_EXCEEDS_POSITION: "Live exits and this one together exceed the position."},
    find=find_exit_too_large,
    binds_reducing=True,
)
