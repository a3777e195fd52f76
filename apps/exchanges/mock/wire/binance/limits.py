"""Binance's limits: request weight per IP and minute, orders per account, and the ban of who asks on.

https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info: windows are fixed, a 429 says how
many seconds are left of the window, and an IP that keeps asking is banned with 418, for longer each time.
Times are seconds of the run's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.exchanges.mock.wire.binance.refusals import RefusedError

WEIGHT_PER_MINUTE = 2_400
ORDERS_PER_10_SECONDS = 300
ORDERS_PER_MINUTE = 1_200
# How often an IP may ask after a 429 within one window before it is banned; the venue does not tell its number.
PATIENCE = 10
FIRST_BAN_SECONDS, LONGEST_BAN_SECONDS = 120.0, 259_200.0
_MINUTE, _TEN_SECONDS = 60.0, 10.0


class LimitedError(RefusedError):
    """Too much was asked. `retry_after` is in seconds."""

    def __init__(self, code: int, message: str, status: int, retry_after: float) -> None:
        """Keep how long to wait."""
        super().__init__(code, message, status)
        self.retry_after = retry_after


@dataclass(slots=True)
class Window:
    """A counter that starts anew with every span of `seconds`."""

    seconds: float
    number: int = -1
    used: int = 0

    def turn(self, now: float) -> None:
        """Start anew when the span is over."""
        number = int(now // self.seconds)
        if number != self.number:
            self.number, self.used = number, 0

    def left(self, now: float) -> float:
        """Return the seconds that are left of the span."""
        return max(1.0, (self.number + 1) * self.seconds - now)


@dataclass(slots=True)
class _Address:
    window: Window = field(default_factory=lambda: Window(_MINUTE))
    asked_after_429: int = 0
    banned_until: float = 0.0
    bans: int = 0


@dataclass(slots=True)
class _Orders:
    ten_seconds: Window = field(default_factory=lambda: Window(_TEN_SECONDS))
    minute: Window = field(default_factory=lambda: Window(_MINUTE))


class Limits:
    """All counters of one venue."""

    def __init__(self) -> None:
        """Start with nobody having asked anything."""
        self._addresses: dict[str, _Address] = {}
        self._orders: dict[str, _Orders] = {}

    def spend(self, ip: str, weight: int, now: float) -> int:
        """Count a request; return the weight used this minute. Refuses with 429, later with 418."""
        address = self._addresses.setdefault(ip, _Address())
        if now < address.banned_until:
            raise self._banned(ip, address, now)
        if int(now // _MINUTE) != address.window.number:
            address.asked_after_429 = 0
        address.window.turn(now)
        address.window.used += weight
        if address.window.used <= WEIGHT_PER_MINUTE:
            return address.window.used
        address.asked_after_429 += 1
        if address.asked_after_429 > PATIENCE:
            seconds = min(FIRST_BAN_SECONDS * 2**address.bans, LONGEST_BAN_SECONDS)
            address.bans, address.banned_until = address.bans + 1, now + seconds
            raise self._banned(ip, address, now)
        raise too_many_requests(ip, address.window.left(now))

    def used(self, ip: str, now: float) -> int:
        """Return the weight used this minute."""
        address = self._addresses.setdefault(ip, _Address())
        address.window.turn(now)
        return address.window.used

    def order(self, account: str, per_10_seconds: int, per_minute: int, now: float) -> None:
        """Count new orders. Refuses with 429 and counts nothing when there are too many."""
        orders = self._orders.setdefault(account, _Orders())
        for window, more, limit, words in (
            (orders.ten_seconds, per_10_seconds, ORDERS_PER_10_SECONDS, "TEN_SECONDS"),
            (orders.minute, per_minute, ORDERS_PER_MINUTE, "MINUTE"),
        ):
            window.turn(now)
            if window.used + more > limit:
                text = f"Too many new orders; current limit is {limit} orders per {words}."
                raise LimitedError(-1015, text, 429, window.left(now))
        orders.ten_seconds.used += per_10_seconds
        orders.minute.used += per_minute

    def orders_used(self, account: str, now: float) -> tuple[int, int]:
        """Return how many orders count in the current 10 seconds and minute."""
        orders = self._orders.setdefault(account, _Orders())
        orders.ten_seconds.turn(now)
        orders.minute.turn(now)
        return orders.ten_seconds.used, orders.minute.used

    def _banned(self, ip: str, address: _Address, now: float) -> LimitedError:
        until = int(address.banned_until * 1000)
        text = f"Way too many requests; IP({ip}) banned until {until}. Please use the websocket for live updates."
        return LimitedError(-1003, text, 418, address.banned_until - now)


def too_many_requests(ip: str, retry_after: float) -> LimitedError:
    """Return the refusal of an IP that has used up its weight."""
    text = (
        f"Too many requests; current limit of IP({ip}) is {WEIGHT_PER_MINUTE} requests per minute. "
        "Please use the websocket for live updates to avoid polling the API."
    )
    return LimitedError(-1003, text, 429, retry_after)
