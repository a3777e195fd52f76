"""How many requests the venue still takes from an account, as the venue itself counts them."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from apps.exchanges.throttling import Throttle
from apps.exchanges.venues.hyperliquid.limits import REQUESTS
from apps.exchanges.venues.hyperliquid.messages import RequestAllowance
from apps.exchanges.venues.hyperliquid.parse import shaped
from apps.exchanges.venues.hyperliquid.rest import Rest
from moondev.domain.clock import Clock
from moondev.domain.errors import TradingError

logger = logging.getLogger(__name__)

# The question is dear (a sixtieth of a minute's weight), and the figure changes slowly.
ASK_EVERY = timedelta(minutes=10)


class Allowance:
    """Feeds the venue's own figures back into the budget of one account."""

    def __init__(self, rest: Rest, throttle: Throttle, address: str, clock: Clock) -> None:
        """Ask through `rest` about `address`, and tell `throttle`."""
        self._rest, self._throttle, self._address, self._clock = rest, throttle, address, clock
        self._asked_at: datetime | None = None

    def doubt(self) -> None:
        """Ask again at the next occasion: the venue has just said that the account is out of requests."""
        self._asked_at = None

    def refresh(self) -> None:
        """Ask the venue if that is long ago. A question that fails is not repeated at once, and fails nothing else."""
        now = self._clock.now()
        if self._asked_at is not None and now - self._asked_at < ASK_EVERY:
            return
        self._asked_at = now
        try:
            answer = self._rest.info({"type": "userRateLimit", "user": self._address})
            allowance = shaped("allowance", answer, RequestAllowance)
        except TradingError as error:
            logger.warning("the allowance of %s stays as it was: %s", self._address, error)
            return
        self._throttle.granted(REQUESTS, allowance.nRequestsCap + allowance.nRequestsSurplus)
        self._throttle.heard({REQUESTS: allowance.nRequestsUsed})
