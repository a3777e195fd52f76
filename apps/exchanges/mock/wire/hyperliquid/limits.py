"""The venue's rate limits: weight per IP, requests per address, and what a connection may hold.

Numbers: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits.
All times are seconds of the run's clock, so that a replay at speed 60 is limited as live trading is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

WEIGHT_PER_MINUTE = 1_200
ADDRESS_BASE = 10_000
CANCEL_EXTRA = 100_000
STARVED_INTERVAL_SECONDS = 10.0
STALE_EXPIRY_COST = 5
_ORDERS_PER_WEIGHT = 40
_DEFAULT_INFO_WEIGHT = 20
_INFO_WEIGHTS: Mapping[str, int] = {
    "l2Book": 2,
    "allMids": 2,
    "clearinghouseState": 2,
    "orderStatus": 2,
    "spotClearinghouseState": 2,
    "exchangeStatus": 2,
    "userRole": 60,
}
_ROWS_PER_WEIGHT: Mapping[str, int] = {
    "candleSnapshot": 60,
    "historicalOrders": 20,
    "userFills": 20,
    "userFillsByTime": 20,
    "fundingHistory": 20,
    "userFunding": 20,
    "userNonFundingLedgerUpdates": 20,
    "userTwapSliceFills": 20,
    "recentTrades": 20,
}


def exchange_weight(batch: int) -> int:
    """Return the IP weight of an action of `batch` orders or cancels."""
    return 1 + batch // _ORDERS_PER_WEIGHT


def info_weight(kind: str) -> int:
    """Return the IP weight of an info request before its rows are counted."""
    return _INFO_WEIGHTS.get(kind, _DEFAULT_INFO_WEIGHT)


def rows_weight(kind: str, rows: int) -> int:
    """Return the extra IP weight of an answer of `rows` rows."""
    per = _ROWS_PER_WEIGHT.get(kind)
    return 0 if per is None else rows // per


class WeightLimiter:
    """A bucket of weight per IP that refills evenly over the minute."""

    def __init__(self, per_minute: int = WEIGHT_PER_MINUTE) -> None:
        """Give every IP a full bucket of `per_minute`."""
        self._capacity = float(per_minute)
        self._level: dict[str, float] = {}
        self._since: dict[str, float] = {}

    def admit(self, ip: str, weight: int, now: float) -> bool:
        """Spend `weight` of `ip` at `now` (seconds). Returns False, spending nothing, when it is not there."""
        level = self._refilled(ip, now)
        if level < weight:
            return False
        self._level[ip] = level - weight
        return True

    def charge(self, ip: str, weight: int, now: float) -> None:
        """Spend `weight` that an answer turned out to cost; the bucket may go below empty."""
        self._level[ip] = self._refilled(ip, now) - weight

    def _refilled(self, ip: str, now: float) -> float:
        level = self._level.get(ip, self._capacity)
        elapsed = max(0.0, now - self._since.get(ip, now))
        self._since[ip] = now
        self._level[ip] = min(self._capacity, level + elapsed * self._capacity / 60.0)
        return self._level[ip]


@dataclass(slots=True)
class _Address:
    used: int = 0
    last_admitted: float = float("-inf")


class AddressLimiter:
    """Requests per account: 10,000 to begin with and one more for every dollar traded."""

    def __init__(self) -> None:
        """Start with nobody having asked anything."""
        self._addresses: dict[str, _Address] = {}

    def used(self, address: str) -> int:
        """Return how many requests `address` has spent."""
        state = self._addresses.get(address)
        return 0 if state is None else state.used

    def admit(self, address: str, count: int, volume: Decimal, now: float) -> str | None:
        """Spend `count` requests of `address`, which has traded `volume` dollars.

        Returns the venue's refusal, or None when admitted. Out of requests, one passes every ten seconds.
        """
        return self._admit(address, count, cap(volume), volume, now)

    def admit_cancel(self, address: str, count: int, volume: Decimal, now: float) -> str | None:
        """Spend `count` cancels, whose allowance is larger so that orders can always be pulled."""
        limit = cap(volume)
        return self._admit(address, count, min(limit + CANCEL_EXTRA, 2 * limit), volume, now)

    def charge(self, address: str, count: int) -> None:
        """Spend requests without asking: an action found stale by its own expiry costs extra."""
        self._addresses.setdefault(address, _Address()).used += count

    def _admit(self, address: str, count: int, limit: int, volume: Decimal, now: float) -> str | None:
        state = self._addresses.setdefault(address, _Address())
        starved = state.used + count > limit
        if starved and now - state.last_admitted < STARVED_INTERVAL_SECONDS:
            return (
                f"Too many cumulative requests sent ({state.used + count} > {limit}) for cumulative volume traded "
                f"${volume:.2f}. Place taker orders to free up 1 request per USDC traded."
            )
        state.used += count
        state.last_admitted = now
        return None


def cap(volume: Decimal) -> int:
    """Return how many requests an address that traded `volume` dollars may send in all."""
    return ADDRESS_BASE + int(volume)
