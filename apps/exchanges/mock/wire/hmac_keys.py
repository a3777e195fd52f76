"""Who has which API key: the venues that sign with a shared secret."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key: whose account it moves, and the secret that proves it."""

    key: str
    secret: str
    account: str

    def signs(self, text: str, signature: str) -> bool:
        """Return whether `signature` is the HMAC-SHA256 of `text` in lower-case hex."""
        expected = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, signature.lower())


class KeyRing:
    """All keys of one venue."""

    def __init__(self) -> None:
        """Start without any."""
        self._keys: dict[str, ApiKey] = {}

    def add(self, key: str, secret: str, account: str) -> None:
        """Make a key known. Raises ValueError when it is another account's, or comes with another secret."""
        if not key or not secret:
            raise ValueError(f"api_key and api_secret must not be empty, got api_key {key!r}")
        known = self._keys.get(key)
        if known is not None and (known.account, known.secret) != (account, secret):
            raise ValueError(f"api_key {key!r} is known already, with another account or secret")
        self._keys[key] = ApiKey(key, secret, account)

    def find(self, key: str) -> ApiKey | None:
        """Return the key called `key`."""
        return self._keys.get(key)
