"""Binance's limits: request weight per IP and minute, orders per account, and the ban of who asks on.

https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info: windows are fixed, a 429 says how
many seconds are left of the window, and an IP that keeps asking is banned with 418, for longer each time.
Times are seconds of the run's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.exchanges.mock.wire.binance.refusals import RefusedError
from apps.exchanges.mock.wire.port import Json

# How often an IP may ask after a 429 within one window before it is banned; the venue does not tell its number.
PATIENCE = 10
FIRST_BAN_SECONDS, LONGEST_BAN_SECONDS = 120.0, 259_200.0
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class OrderLimit:
    """How many orders an account may send within `interval_num` times an interval."""

    interval: str
    interval_num: int
    limit: int
    words: str

    @property
    def seconds(self) -> float:
        """Return the length of the window."""
        return {"SECOND": 1.0, "MINUTE": 60.0, "DAY": 86_400.0}[self.interval] * self.interval_num

    @property
    def header(self) -> str:
        """Return the header in which answers tell the count."""
        return f"X-MBX-ORDER-COUNT-{self.interval_num}{self.interval[0]}"

    def row(self) -> Json:
        """Return the limit as exchangeInfo tells it."""
        window = {"interval": self.interval, "intervalNum": self.interval_num}
        return {"rateLimitType": "ORDERS", **window, "limit": self.limit}


@dataclass(frozen=True, slots=True)
class Allowances:
    """What a market of the venue allows: weight per address and minute, and two counts of orders per account."""

    weight: int
    orders: tuple[OrderLimit, OrderLimit]

    def rows(self) -> list[Json]:
        """Return the limits as exchangeInfo tells them."""
        minute = {"interval": "MINUTE", "intervalNum": 1}
        weight = {"rateLimitType": "REQUEST_WEIGHT", **minute, "limit": self.weight}
        return [weight, *(limit.row() for limit in self.orders)]


FUTURES = Allowances(2_400, (OrderLimit("SECOND", 10, 300, "TEN_SECONDS"), OrderLimit("MINUTE", 1, 1_200, "MINUTE")))
SPOT = Allowances(6_000, (OrderLimit("SECOND", 10, 100, "TEN_SECONDS"), OrderLimit("DAY", 1, 200_000, "DAY")))


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


class Limits:
    """All counters of one market of the venue."""

    def __init__(self, allowed: Allowances = FUTURES) -> None:
        """Start with nobody having asked anything."""
        self.allowed = allowed
        self._addresses: dict[str, _Address] = {}
        self._orders: dict[str, tuple[Window, Window]] = {}

    def spend(self, ip: str, weight: int, now: float) -> int:
        """Count a request; return the weight used this minute. Refuses with 429, later with 418."""
        address = self._addresses.setdefault(ip, _Address())
        if now < address.banned_until:
            raise self._banned(ip, address, now)
        if int(now // _MINUTE) != address.window.number:
            address.asked_after_429 = 0
        address.window.turn(now)
        address.window.used += weight
        if address.window.used <= self.allowed.weight:
            return address.window.used
        address.asked_after_429 += 1
        if address.asked_after_429 > PATIENCE:
            seconds = min(FIRST_BAN_SECONDS * 2**address.bans, LONGEST_BAN_SECONDS)
            address.bans, address.banned_until = address.bans + 1, now + seconds
            raise self._banned(ip, address, now)
        raise self.too_many_requests(ip, address.window.left(now))

    def used(self, ip: str, now: float) -> int:
        """Return the weight used this minute."""
        address = self._addresses.setdefault(ip, _Address())
        address.window.turn(now)
        return address.window.used

    def order(self, account: str, counts: tuple[int, int], now: float) -> None:
        """Count new orders, as many as they count in each window. Refuses with 429, and counts nothing then."""
        windows = self._windows(account, now)
        for window, more, allowed in zip(windows, counts, self.allowed.orders, strict=True):
            if window.used + more > allowed.limit:
                text = f"Too many new orders; current limit is {allowed.limit} orders per {allowed.words}."
                raise LimitedError(-1015, text, 429, window.left(now))
        for window, more in zip(windows, counts, strict=True):
            window.used += more

    def orders_used(self, account: str, now: float) -> dict[str, str]:
        """Return how many orders count in the current windows, as headers."""
        windows = self._windows(account, now)
        return {allowed.header: str(window.used) for allowed, window in zip(self.allowed.orders, windows, strict=True)}

    def too_many_requests(self, ip: str, retry_after: float) -> LimitedError:
        """Return the refusal of an IP that has used up its weight."""
        text = (
            f"Too many requests; current limit of IP({ip}) is {self.allowed.weight} requests per minute. "
            "Please use the websocket for live updates to avoid polling the API."
        )
        return LimitedError(-1003, text, 429, retry_after)

    def _windows(self, account: str, now: float) -> tuple[Window, Window]:
        first, second = self.allowed.orders
        windows = self._orders.setdefault(account, (Window(first.seconds), Window(second.seconds)))
        for window in windows:
            window.turn(now)
        return windows

    def _banned(self, ip: str, address: _Address, now: float) -> LimitedError:
        until = int(address.banned_until * 1000)
        text = f"Way too many requests; IP({ip}) banned until {until}. Please use the websocket for live updates."
        return LimitedError(-1003, text, 418, address.banned_until - now)
