"""The listen key of one account: under it the venue tells what happens to the account, for an hour at a time.

https://developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams/Start-User-Data-Stream
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from apps.exchanges.throttling import Lane
from apps.exchanges.venues.binance import parse
from apps.exchanges.venues.binance.messages import ListenKeyAnswer
from apps.exchanges.venues.binance.rest import Calls, Rest
from apps.exchanges.venues.websocket import SubscriptionRefused
from moondev.domain.clock import Clock
from moondev.domain.errors import TradingError, VenueRejected

logger = logging.getLogger(__name__)

# Of the run: the venue counts an hour from the last time it was told.
KEPT_EVERY_SECONDS = 1_500.0
TRIED_AGAIN_SECONDS = 60.0
# A replay that runs fast must not knock without end.
SHORTEST_WAIT_SECONDS = 1.0


class ListenKey:
    """Opens the account's key, and keeps it good for as long as somebody listens.

    Both in the reserved lane: after an outage everybody asks, and an account that hears nothing of its orders is the
    last that should wait for a unit.
    """

    def __init__(self, rest: Rest, clock: Clock, base_url: str) -> None:
        """Ask through `rest`, which belongs to the stream alone; `base_url` is the private address without a key."""
        self._rest, self._clock, self._base = rest, clock, base_url

    async def address(self) -> str:
        """Return where to listen; the same key anew, or another if it was gone.

        Raises SubscriptionRefused when the venue gives none, and what asking raises when it cannot be asked.
        """
        try:
            text = await asyncio.to_thread(self._rest.ask, Calls.OPEN_LISTEN_KEY, None, Lane.RESERVED)
        except VenueRejected as error:
            raise SubscriptionRefused(str(error)) from error
        return f"{self._base}?listenKey={parse.decoded('listen key', text, ListenKeyAnswer).listenKey}"

    async def keep(self, lost: Callable[[str], None]) -> None:
        """Tell the venue again and again that we listen; `lost` hears when it no longer knows the key."""
        seconds = KEPT_EVERY_SECONDS
        while True:
            await asyncio.sleep(max(self._clock.wall_seconds(seconds), SHORTEST_WAIT_SECONDS))
            seconds = KEPT_EVERY_SECONDS
            try:
                await asyncio.to_thread(self._rest.ask, Calls.KEEP_LISTEN_KEY, None, Lane.RESERVED)
            except VenueRejected as error:
                lost(f"the listen key is gone: {error}")
            except TradingError as error:
                logger.warning("the listen key was not kept: %s", error)
                seconds = TRIED_AGAIN_SECONDS
