"""Accounts for who wants to look around: the keys stand in the README, and are worth nothing anywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.mock.venues import HYPERLIQUID
from apps.exchanges.mock.wire.port import AccountRequest

KEY, SECRET = "demo", "demo-secret"
# What the key of 32 bytes 0x11 is called on each chain.
WALLET_KEY = "0x" + "11" * 32
WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
CHAIN_ADDRESS = "dydx1l3e9pgs3mmwuwrh95fecme0s0qtn2880qnulfw"
CHAIN_PUBLIC_KEY = "A081W9y3zAr3KO88zrlhXZBoS7Wyyl+FmrDwtwQHWHGq"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account that is ready to trade, and what a client has to be given for it."""

    request: AccountRequest
    credentials: str


def demo_accounts(venues: Sequence[str], deposit: Decimal) -> Iterator[tuple[str, DemoAccount]]:
    """Yield an account with `deposit` for each of `venues`."""
    for venue in venues:
        if venue == HYPERLIQUID:
            request = AccountRequest(WALLET.lower(), deposit)
            yield venue, DemoAccount(request, f"walletAddress {WALLET}, privateKey {WALLET_KEY}")
        elif venue == "dydx":
            request = AccountRequest(CHAIN_ADDRESS, deposit, public_key=CHAIN_PUBLIC_KEY)
            yield venue, DemoAccount(request, f"walletAddress {CHAIN_ADDRESS}, privateKey {WALLET_KEY}")
        else:
            request = AccountRequest(KEY, deposit, api_key=KEY, api_secret=SECRET)
            yield venue, DemoAccount(request, f"apiKey {KEY}, secret {SECRET}")
