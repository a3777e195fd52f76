"""Bybit's limits: requests per IP, and per account, endpoint and second.

https://bybit-exchange.github.io/docs/v5/rate-limit. Times are seconds of the run's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

IP_REQUESTS, IP_SECONDS, IP_BAN_SECONDS = 600, 5.0, 600.0
SOCKETS, _SOCKET_SECONDS = 500, 300.0
_DEFAULT_PER_SECOND = 50
_PER_SECOND: Mapping[str, int] = MappingProxyType(
    {
        "/v5/order/create": 10,
        "/v5/order/amend": 10,
        "/v5/order/cancel": 10,
        "/v5/order/cancel-all": 10,
        "/v5/order/create-batch": 10,
        "/v5/order/amend-batch": 10,
        "/v5/order/cancel-batch": 10,
        "/v5/position/set-leverage": 10,
        "/v5/position/trading-stop": 10,
        "/v5/account/transaction-log": 30,
    }
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of what was asked for an endpoint's second still held, and what is left of it, as the headers say it."""

    granted: int
    limit: int
    left: int
    reset_ms: int

    def headers(self) -> dict[str, str]:
        """Return the venue's headers."""
        return {
            "X-Bapi-Limit": str(self.limit),
            "X-Bapi-Limit-Status": str(self.left),
            "X-Bapi-Limit-Reset-Timestamp": str(self.reset_ms),
        }


class Windows:
    """Counts requests in fixed windows and, per IP, bans who goes too far."""

    def __init__(self) -> None:
        """Start with nobody having asked anything."""
        self._seconds: dict[tuple[str, str], tuple[int, int]] = {}
        self._ips: dict[str, tuple[int, int]] = {}
        self._banned: dict[str, float] = {}
        self._sockets: dict[str, tuple[int, int]] = {}

    def admits_ip(self, ip: str, now: float) -> bool:
        """Count a request of `ip`. False while it is banned, and when this request makes it so."""
        if now < self._banned.get(ip, 0.0):
            return False
        window = int(now // IP_SECONDS)
        known, used = self._ips.get(ip, (window, 0))
        used = used + 1 if known == window else 1
        self._ips[ip] = (window, used)
        if used > IP_REQUESTS:
            self._banned[ip] = now + IP_BAN_SECONDS
        return used <= IP_REQUESTS

    def admits_socket(self, ip: str, now: float) -> bool:
        """Count a new connection of `ip`; False beyond what five minutes may see."""
        window = int(now // _SOCKET_SECONDS)
        known, used = self._sockets.get(ip, (window, 0))
        used = used + 1 if known == window else 1
        self._sockets[ip] = (window, used)
        return used <= SOCKETS

    def spend(self, account: str, path: str, cost: int, now: float) -> Allowance:
        """Take up to `cost` from the account's second at `path`: of a batch, the first orders may pass alone."""
        limit, second = _PER_SECOND.get(path, _DEFAULT_PER_SECOND), int(now)
        known, used = self._seconds.get((account, path), (second, 0))
        used = used if known == second else 0
        granted = min(cost, limit - used)
        self._seconds[account, path] = (second, used + granted)
        return Allowance(granted, limit, limit - used - granted, (second + 1) * 1000)
