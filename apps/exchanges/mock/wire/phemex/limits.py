"""Phemex's limits: requests per IP and five minutes, and per user, group of endpoints and minute.

https://phemex-docs.github.io/#rate-limits. Who has no key costs his address alone.
Times are seconds of the run's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

IP_REQUESTS, IP_SECONDS = 5_000, 300
_MINUTE = 60


class Group(StrEnum):
    """Endpoints that share a budget; the word ends the names of the headers."""

    CONTRACT = "Contract"
    SPOT = "SpotOrder"
    OTHERS = ""


CAPACITY: Mapping[Group, int] = MappingProxyType({Group.CONTRACT: 500, Group.SPOT: 500, Group.OTHERS: 100})


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a group's minute."""

    admitted: bool
    group: Group
    left: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """Return the venue's headers."""
        ending = f"-{self.group}" if self.group else ""
        told = {
            f"x-ratelimit-remaining{ending}": str(self.left),
            f"x-ratelimit-capacity{ending}": str(CAPACITY[self.group]),
        }
        if not self.admitted:
            told[f"x-ratelimit-retry-after{ending}"] = str(self.reset_seconds)
        return told


class Windows:
    """Counts requests in fixed windows; an address that goes too far is blocked for as long as its window was."""

    def __init__(self) -> None:
        """Start with nobody having asked anything."""
        self._used: dict[tuple[str, Group], tuple[int, int]] = {}
        self._addresses: dict[str, tuple[int, int]] = {}
        self._blocked_until: dict[str, float] = {}

    def blocked_for(self, address: str, now: float) -> int:
        """Count a request of `address`; return for how many seconds it is blocked, zero when it is not."""
        until = self._blocked_until.get(address, 0.0)
        if now < until:
            return int(until - now) + 1
        window = int(now // IP_SECONDS)
        known, used = self._addresses.get(address, (window, 0))
        used = used + 1 if known == window else 1
        self._addresses[address] = (window, used)
        if used <= IP_REQUESTS:
            return 0
        self._blocked_until[address] = now + IP_SECONDS
        return IP_SECONDS

    def spend(self, who: str, group: Group, weight: int, now: float) -> Allowance:
        """Take `weight` from the group's minute; nothing is taken when it is not there."""
        minute = int(now // _MINUTE)
        known, used = self._used.get((who, group), (minute, 0))
        used = used if known == minute else 0
        admitted = used + weight <= CAPACITY[group]
        if admitted:
            used += weight
        self._used[who, group] = (minute, used)
        return Allowance(admitted, group, CAPACITY[group] - used, (minute + 1) * _MINUTE - int(now))
