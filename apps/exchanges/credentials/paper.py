"""Keys of paper accounts: made from public words, so they protect nothing and must never meet real money."""

from __future__ import annotations

import hashlib


def paper_key(account: str, purpose: str) -> str:
    """Return the key that signs for a paper account's `purpose`; the same for everybody who knows the words."""
    return "0x" + hashlib.sha256(f"paper only, worth nothing: {account} {purpose}".encode()).hexdigest()


def is_paper_key(key: str, accounts: list[str], purposes: list[str]) -> bool:
    """Return whether `key` is one that anybody could derive from these names."""
    normal = "0x" + key.lower().removeprefix("0x")
    return any(normal == paper_key(account, purpose) for account in accounts for purpose in purposes)
