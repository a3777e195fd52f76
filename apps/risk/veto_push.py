"""See to it that every committed veto is being carried out, with or without a broker.

A veto is a row; the message that wakes the venue's worker may get lost. Whatever nobody works on is
announced again, and when the broker does not take that, carried out from here.
"""

from __future__ import annotations

import logging

from apps.exchanges.execution.timing import FORESIGHT, LEASE_SECONDS, lasting
from apps.exchanges.models import Veto
from apps.risk import vetoes
from apps.risk.direct.carry_out import DirectHands
from moondev.domain.clock import Clock, monotonic

logger = logging.getLogger(__name__)

# A worker takes a veto within milliseconds; after this long without one its message is taken for lost.
PATIENCE_SECONDS = 2.0
# How long the worker gets after each further message.
AGAIN_SECONDS = 5.0


class VetoPush:
    """Remembers when it last announced which venue."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hands: DirectHands | None = None
        self._announced: dict[str, float] = {}

    def push(self) -> None:
        """Announce the venues whose vetoes nobody works on; take them in hand when nobody can be woken."""
        left = {veto.venue_id for veto in vetoes.open_vetoes() if self._is_left(veto)}
        self._announced = {venue: at for venue, at in self._announced.items() if venue in left}
        for venue in sorted(left):
            last = self._announced.get(venue)
            if last is not None and monotonic() - last < AGAIN_SECONDS:
                continue
            self._announced[venue] = monotonic()
            if last is None and vetoes.publish_veto(venue):
                continue
            logger.warning("no worker takes the veto at %s: it is carried out from here", venue)
            self._own_hands().take(venue)

    def _is_left(self, veto: Veto) -> bool:
        now = self._clock.now()
        until = veto.worker_until
        # One that ends far ahead was taken before a clock went back.
        if until is not None and now < until <= now + FORESIGHT * lasting(self._clock, LEASE_SECONDS):
            return False
        return now - veto.engaged_at > lasting(self._clock, PATIENCE_SECONDS)

    def _own_hands(self) -> DirectHands:
        if self._hands is None:
            self._hands = DirectHands()
        return self._hands
