"""The chain: its blocks, its accounts with their keys and nonces, and what waits for the next block.

A block lasts a second of the run's time, so the height follows from the clock and no block is ever late. What a
validator keeps in its memory happens at once; what goes into a block happens when the block does.
"""

from __future__ import annotations

import base64
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from apps.exchanges.mock.wire.dydx.limits import BlockLimits
from apps.exchanges.mock.wire.dydx.refusals import SDK, RefusedTx
from apps.exchanges.mock.wire.dydx.transactions import Transaction, address_of

# The chain's first block, 2023-10-26 16:00 UTC.
_GENESIS_MS = 1_698_336_000_000
# https://github.com/dydxprotocol/v4-chain/blob/main/protocol/x/accountplus/keeper/timestampnonce.go
_TIMESTAMP_NONCES_FROM = 1 << 40
_NONCE_WINDOW_MS = 30_000
_NONCES_KEPT = 20
_KEY_BYTES = 33


@dataclass(frozen=True, slots=True)
class Blocks:
    """Which block is made when: one every `length_ms`."""

    length_ms: int

    def height_at(self, time_ms: int) -> int:
        """Return the last block at a time."""
        return (time_ms - _GENESIS_MS) // self.length_ms

    def time_ms(self, height: int) -> int:
        """Return when a block was made."""
        return _GENESIS_MS + height * self.length_ms


@dataclass(slots=True)
class ChainAccount:
    """One account. `nonces` are the newest used; everything up to `floor` counts as used."""

    address: str
    public_key: bytes
    number: int
    nonces: list[int] = field(default_factory=list)
    floor: int = 0

    def use(self, nonce: int, now_ms: int) -> None:
        """Take a timestamp nonce. Raises RefusedTx when it is out of time or used."""
        if nonce < _TIMESTAMP_NONCES_FROM:
            raise RefusedTx(32, f"account sequence mismatch, expected 0, got {nonce}", SDK)
        if abs(nonce - now_ms) > _NONCE_WINDOW_MS:
            raise RefusedTx(32, f"timestamp nonce {nonce} not within valid time window", SDK)
        if nonce <= self.floor or nonce in self.nonces:
            raise RefusedTx(32, f"timestamp nonce {nonce} rejected", SDK)
        heapq.heappush(self.nonces, nonce)
        if len(self.nonces) > _NONCES_KEPT:
            self.floor = heapq.heappop(self.nonces)


class Chain:
    """Accounts, the block in the making, and who may still put something into it."""

    def __init__(self, blocks: Blocks, now_ms: int) -> None:
        """Start at the block of `now_ms`, with nothing waiting."""
        self.limits, self.blocks = BlockLimits(), blocks
        self.height = blocks.height_at(now_ms)
        self._accounts: dict[str, ChainAccount] = {}
        self._waiting: list[Callable[[], None]] = []
        self._seen: dict[str, int] = {}

    def open(self, address: str, public_key: str) -> None:
        """Make an account's key known. Raises ValueError when it is not a key, or not that address's."""
        try:
            key = base64.b64decode(public_key, validate=True)
        except ValueError:
            raise ValueError("public_key must be a compressed secp256k1 key in base64") from None
        if len(key) != _KEY_BYTES:
            raise ValueError(f"public_key must be {_KEY_BYTES} bytes in base64, got {len(key)}")
        if address_of(key) != address:
            raise ValueError(f"public_key is that of {address_of(key)}, not of {address}")
        if address not in self._accounts:
            self._accounts[address] = ChainAccount(address, key, len(self._accounts) + 1)

    def account(self, address: str) -> ChainAccount | None:
        """Return the account of an address; None when no key was made known for it."""
        return self._accounts.get(address)

    def signer(self, transaction: Transaction, owner: str) -> ChainAccount:
        """Return the account that signed a transaction for `owner`. Raises RefusedTx when nobody did, or too late."""
        if 0 < transaction.timeout_height <= self.height:
            raise RefusedTx(30, f"block height: {self.height + 1}, timeout height: {transaction.timeout_height}", SDK)
        account = self._accounts.get(owner)
        if account is None:
            raise RefusedTx(9, f"account {owner} does not exist", SDK)
        if transaction.public_key != account.public_key:
            raise RefusedTx(8, f"pubKey does not match signer address {owner}", SDK)
        transaction.require_signature(account.number)
        return account

    def seen(self, name: str) -> bool:
        """Return whether this very transaction came before, and remember that it has come now."""
        if name in self._seen:
            return True
        self._seen[name] = self.height
        return False

    def in_next_block(self, act: Callable[[], None]) -> None:
        """Do something when the next block is made."""
        self._waiting.append(act)

    def advance(self, now_ms: int) -> bool:
        """Make the blocks that are due by `now_ms`; return whether there was one."""
        height = self.blocks.height_at(now_ms)
        if height <= self.height:
            return False
        self.height = height
        waiting, self._waiting = self._waiting, []
        for act in waiting:
            act()
        # What a node remembers of transactions is bounded; what is older than this has lapsed anyway.
        self._seen = {name: block for name, block in self._seen.items() if block > height - 100}
        return True
