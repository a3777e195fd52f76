"""What world a benchmark needs. Known before Django is: the environment of every process is made from it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.mock.engine.feed.profiles import default_coins

VENUE = "hyperliquid"


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """Accounts, coins and the market's pace. `limits` are the venue's own; off, anybody may ask without end.

    `updates` of each book and `trades` are per second and coin. Books are pushed twice a second, as the venue does.
    """

    accounts: int
    coins: int
    limits: bool = False
    updates: float = 4.0
    trades: float = 1.0
    deposit: Decimal = Decimal(10_000_000)

    @property
    def account_codes(self) -> tuple[str, ...]:
        """Return the codes of the trading accounts."""
        return tuple(f"bench-{number:02d}" for number in range(1, self.accounts + 1))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the coins: the known ones first, then made-up small ones."""
        return default_coins(self.coins)

    @property
    def setting(self) -> str:
        """Return the sentence that stands above the table."""
        limits = "Hyperliquid's limits on" if self.limits else "the mock's venue limits OFF"
        return f"RabbitMQ + PostgreSQL + Redis, {self.accounts} accounts, {self.coins} coins, {limits}"


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody has now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def floor_accounts(count: int = 4) -> Sequence[str]:
    """Return the codes of accounts that only the floor signs for: one per thread, so that none waits for another."""
    return [f"floor-{number}" for number in range(1, count + 1)]
