"""The venue's own cancel-everything, kept from going off for as long as somebody minds the resting orders.

Armed only while the account has no protective order at the venue: Hyperliquid's switch cancels stops too, and an
account with a position relies on its stop. So strategies that quote have accounts of their own. The timer is set
forward while all is well: our process lives, the database and the account's stream answer, the venue's market data
flows. When one of these ends the venue cancels within `AHEAD_SECONDS`, and the user stream or reconciliation writes
what became of our rows. A venue without such a timer has no switch: see `Capabilities.silence_guard`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from apps.exchanges.bulk import fetch
from apps.exchanges.capabilities import SilenceGuard
from apps.exchanges.execution.nonces import nonces_take
from apps.exchanges.execution.sessions import Session, Sessions, VenueSessions
from apps.exchanges.execution.timing import lasting
from apps.exchanges.health.reports import venue_reports
from apps.exchanges.health.states import VenueState
from apps.exchanges.market_data.cache import process_redis
from apps.exchanges.models import AccountEvent, Signer, Venue
from apps.exchanges.orders.events import Alarm, alarm_once
from apps.exchanges.ports import ExecutionClient, RestingOrder
from apps.exchanges.registry import capabilities
from moondev.domain.clock import Clock, monotonic
from moondev.domain.errors import Configuration, Connectivity, InvalidValue, TradingError, VenueRejected

logger = logging.getLogger(__name__)

TIMERS = frozenset({SilenceGuard.ACCOUNT_TIMER, SilenceGuard.SYMBOL_TIMER})
# Real seconds: how long after the last sign of life the venue cancels, and how often that is set forward. Each time
# costs a request, at Hyperliquid one of those an address has for good.
AHEAD_SECONDS, REFRESH_SECONDS = 60.0, 20.0
# A venue that refuses to arm the switch is asked again after so long: it may have gone off too often today.
REFUSED_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Resting:
    """What may live of one account at the venue, by our record."""

    account_id: int
    orders: int
    protective: int

    @property
    def wants_guarding(self) -> bool:
        """Return whether something rests that nobody should leave alone, and nothing that must stay."""
        return self.orders > 0 and self.protective == 0


@dataclass(slots=True)
class _Switch:
    """One account's switch as far as this process knows; `fires_at` None: not armed, or by somebody before us.

    `asked`: the venue has said that it holds no stop which we do not know; since then reconciliation looks.
    """

    settled: bool = False
    asked: bool = False
    fires_at: float | None = None
    look_again_at: float = float("-inf")


@dataclass
class DeadMan:
    """Minds the switches of one venue's accounts. One per venue: run by its user-stream process, from one thread.

    `healthy` says whether whoever should move the orders can. `timer` counts real seconds.
    """

    venue: str
    sessions: Sessions
    clock: Clock
    healthy: Callable[[], bool]
    timer: Callable[[], float] = monotonic
    ahead_seconds: float = AHEAD_SECONDS
    refresh_seconds: float = REFRESH_SECONDS
    _switches: dict[int, _Switch] = field(default_factory=dict)

    def look(self, connected: Collection[int]) -> None:
        """Look at every account once; `connected` are those whose user streams are up.

        One account's trouble is logged and keeps no other from being minded.
        """
        resting = resting_by_account(self.venue)
        well = self.healthy() if resting else True
        for account_id in {*resting, *self._switches}:
            found = resting.get(account_id, Resting(account_id, 0, 0))
            try:
                self._mind(found, minded=well and account_id in connected)
            except TradingError as error:
                logger.warning("account %s: its dead man's switch: %s", account_id, error)

    def _mind(self, resting: Resting, *, minded: bool) -> None:
        switch = self._switches.setdefault(resting.account_id, _Switch())
        now = self.timer()
        if switch.fires_at is not None and now >= switch.fires_at:
            self._went_off(resting.account_id, switch)
        if now < switch.look_again_at and not (resting.protective and switch.fires_at is not None):
            return
        if resting.wants_guarding and minded:
            self._arm(resting.account_id, switch)
        elif resting.protective or (resting.orders == 0 and switch.fires_at is not None):
            self._disarm(resting.account_id, switch)

    def _arm(self, account_id: int, switch: _Switch) -> None:
        session = self.sessions.session(account_id, Signer.Purpose.ORDERS)
        if not switch.asked and _protected_at_venue(session.client):
            switch.look_again_at = self.timer() + self.refresh_seconds
            return
        switch.asked = True
        began = self.timer()
        if self._set(session, switch, self.clock.now() + lasting(self.clock, self.ahead_seconds)):
            switch.fires_at, switch.look_again_at = began + self.ahead_seconds, began + self.refresh_seconds

    def _disarm(self, account_id: int, switch: _Switch) -> None:
        """Take the timer back. What a process before us has armed is taken back too, once."""
        if switch.fires_at is None and switch.settled:
            return
        if self._set(self.sessions.session(account_id, Signer.Purpose.ORDERS), switch, None):
            switch.fires_at, switch.look_again_at = None, float("-inf")

    def _set(self, session: Session, switch: _Switch, at: datetime | None) -> bool:
        """Set the venue's timer; return False, with an alarm, when it will not have it."""
        nonce = nonces_take(session.signer_id, 1, self.clock.now())[0]
        try:
            session.client.schedule_cancel(at, nonce)
        except (VenueRejected, InvalidValue, Configuration) as error:
            switch.settled, switch.look_again_at = True, self.timer() + REFUSED_SECONDS
            self._tell(session.account.account_id, f"refused: {error}")
            return False
        switch.settled = True
        return True

    def _went_off(self, account_id: int, switch: _Switch) -> None:
        switch.fires_at, switch.look_again_at = None, float("-inf")
        self._tell(account_id, f"went off after {self.ahead_seconds:.0f} s of silence: every order is cancelled")

    def _tell(self, account_id: int, text: str) -> None:
        logger.warning("account %s: its dead man's switch %s", account_id, text)
        alarm_once(account_id, Alarm(AccountEvent.Kind.DEAD_MAN, text), self.clock.now())


def dead_man_for(venue: Venue, clock: Clock) -> DeadMan | None:
    """Return who minds the switches of a venue with this process's sessions; None where it has none to mind."""
    if capabilities(venue.protocol).silence_guard not in TIMERS:
        return None
    return DeadMan(venue.code, VenueSessions(), clock, lambda: _market_flows(venue.code))


def _market_flows(venue: str) -> bool:
    """Return whether strategies see the venue's market: without it nobody moves what rests there."""
    try:
        return venue_reports(process_redis(), [venue])[venue].state is not VenueState.DOWN
    except Connectivity:
        return False


def resting_by_account(venue: str) -> dict[int, Resting]:
    """Return what may live at the venue by account; accounts with nothing are left out."""
    rows = fetch(
        "SELECT o.account_id, COUNT(*), COUNT(*) FILTER (WHERE o.purpose = 'protective') FROM exchanges_order o"
        " JOIN exchanges_account a ON a.id = o.account_id WHERE a.venue_id = %s AND o.status IN"
        " ('sending', 'unknown', 'open', 'partially_filled', 'cancelling', 'amending') GROUP BY o.account_id",
        (venue,),
    )
    return {row[0]: Resting(*row) for row in rows}


def _protected_at_venue(client: ExecutionClient) -> bool:
    """Return whether the venue holds an order that may be a stop: one that waits for a trigger, or cannot be read."""
    return any(not isinstance(order, RestingOrder) or order.trigger_price is not None for order in client.live_orders())
