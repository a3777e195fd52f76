"""Listen keys: names under which a client may hear an account, for an hour at a time.

https://developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

VALID_MS = 3_600_000


@dataclass(slots=True)
class ListenKey:
    """One key, whose it is and until when (ms, run time) it is good."""

    key: str
    account: str
    until_ms: int


class ListenKeys:
    """One key per account: asking for another gives the same with a new hour."""

    def __init__(self) -> None:
        """Start without any."""
        self._by_account: dict[str, ListenKey] = {}
        self._by_key: dict[str, ListenKey] = {}

    def open(self, account: str, now_ms: int) -> ListenKey:
        """Return the account's key, made now if need be, good for an hour from now."""
        known = self._by_account.get(account)
        if known is None:
            known = ListenKey(secrets.token_hex(32), account, 0)
            self._by_account[account] = self._by_key[known.key] = known
        known.until_ms = now_ms + VALID_MS
        return known

    def extend(self, account: str, now_ms: int) -> ListenKey | None:
        """Give the account's key another hour; None when it has none."""
        return self.open(account, now_ms) if account in self._by_account else None

    def close(self, account: str) -> ListenKey | None:
        """Take the account's key back and return it."""
        known = self._by_account.pop(account, None)
        if known is not None:
            del self._by_key[known.key]
        return known

    def of(self, account: str) -> str | None:
        """Return the account's key, None when it has none."""
        known = self._by_account.get(account)
        return None if known is None else known.key

    def __contains__(self, key: str) -> bool:
        """Return whether this is a key that is good."""
        return key in self._by_key

    def take_expired(self, now_ms: int) -> list[ListenKey]:
        """Forget the keys whose hour is over and return them."""
        expired = [key for key in self._by_account.values() if key.until_ms <= now_ms]
        for key in expired:
            self.close(key.account)
        return expired
