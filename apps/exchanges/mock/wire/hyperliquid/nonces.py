"""Nonces per signer, as the venue keeps them.

The 100 highest nonces of each signer are remembered; a new one must exceed the smallest of them,
be unused, and lie between two days before and one day after the venue's clock
(https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/nonces-and-api-wallets).
"""

from __future__ import annotations

import heapq

KEPT = 100
_DAY_MS = 86_400_000
_OLDEST_MS = 2 * _DAY_MS
_NEWEST_MS = _DAY_MS


class InvalidNonceError(Exception):
    """Carry the venue's sentence for a nonce it will not take."""


class NonceBook:
    """Remember the nonces of every signer."""

    def __init__(self) -> None:
        """Start with no nonce used."""
        self._kept: dict[str, list[int]] = {}
        self._used: dict[str, set[int]] = {}

    def use(self, signer: str, nonce: int, now_ms: int) -> None:
        """Spend `nonce` (ms) for `signer` at venue time `now_ms`. Raises InvalidNonceError."""
        if not now_ms - _OLDEST_MS < nonce < now_ms + _NEWEST_MS:
            raise InvalidNonceError(f"Invalid nonce: {nonce} is not within two days before or one day after now")
        kept = self._kept.setdefault(signer, [])
        used = self._used.setdefault(signer, set())
        if nonce in used:
            raise InvalidNonceError(f"Invalid nonce: duplicate nonce {nonce}")
        if len(kept) < KEPT:
            heapq.heappush(kept, nonce)
        elif nonce < kept[0]:
            raise InvalidNonceError(f"Invalid nonce: nonce too low {nonce}")
        else:
            used.discard(heapq.heapreplace(kept, nonce))
        used.add(nonce)

    def forget(self, signer: str) -> None:
        """Prune a signer, as the venue does when an agent wallet is removed."""
        self._kept.pop(signer, None)
        self._used.pop(signer, None)
