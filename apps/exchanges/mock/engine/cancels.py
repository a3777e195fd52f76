"""Cancelling: one order, on a schedule, or everything."""

from __future__ import annotations

from apps.exchanges.mock.engine.accounts import Account
from apps.exchanges.mock.engine.api import CancelAck, Cancelled, CancelReason, Done, RejectCode, Rejected
from apps.exchanges.mock.engine.lifecycle import Lifecycle
from apps.exchanges.mock.engine.venue import Venue

_DAY_MS = 86_400_000
# Limits of scheduleCancel as the venue's own client states them.
SCHEDULE_LEAD_MS = 5_000
SCHEDULES_PER_DAY = 10


class Canceller:
    """Ends orders on request."""

    __slots__ = ("_lifecycle", "_venue")

    def __init__(self, venue: Venue, lifecycle: Lifecycle) -> None:
        self._venue = venue
        self._lifecycle = lifecycle

    def cancel(self, account: Account, coin: str, key: int | str) -> CancelAck:
        """Cancel the order with this oid (int) or client order id (str)."""
        order = account.find(key)
        if order is None or order.oid not in account.live or order.market.coin != coin:
            return Rejected(RejectCode.UNKNOWN_ORDER, f"order {key} of {coin} is not open")
        self._lifecycle.cancel(order, CancelReason.USER)
        return Cancelled(order.oid)

    def cancel_all(self, account: Account, reason: CancelReason, coin: str | None = None) -> None:
        """Cancel every live order of `account`, or those in one coin."""
        for order in list(account.live.values()):
            if order.oid in account.live and coin in (None, order.market.coin):
                self._lifecycle.cancel(order, reason)

    def schedule(self, account: Account, time_ms: int | None) -> Done | Rejected:
        """Cancel everything at `time_ms`; None unsets the schedule."""
        if time_ms is None:
            account.cancel_at_ms = None
            return Done()
        if time_ms < self._venue.now_ms + SCHEDULE_LEAD_MS:
            return Rejected(RejectCode.SCHEDULE_TOO_SOON, f"{time_ms}: at least {SCHEDULE_LEAD_MS} ms ahead")
        if account.schedules_fired.get(self._venue.now_ms // _DAY_MS, 0) >= SCHEDULES_PER_DAY:
            return Rejected(RejectCode.SCHEDULE_LIMIT, f"{SCHEDULES_PER_DAY} a day have fired")
        account.cancel_at_ms = time_ms
        return Done()

    def expire(self) -> None:
        """Cancel the orders whose own time is over."""
        for order in self._venue.deadlines.due(self._venue.now_ms):
            if order.oid in order.account.live:
                self._lifecycle.cancel(order, CancelReason.EXPIRED)

    def fire_schedules(self) -> None:
        """Cancel everything of the accounts whose time has come."""
        now_ms = self._venue.now_ms
        for account in self._venue.people():
            if account.cancel_at_ms is None or account.cancel_at_ms > now_ms:
                continue
            account.cancel_at_ms = None
            day = now_ms // _DAY_MS
            account.schedules_fired = {day: account.schedules_fired.get(day, 0) + 1}
            self.cancel_all(account, CancelReason.SCHEDULED)
