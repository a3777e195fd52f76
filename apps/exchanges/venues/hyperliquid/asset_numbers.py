"""The numbers by which requests name what is traded, also for what we do not trade: enough to cancel it.

A perpetual's number is its place in the list, and delisted ones keep theirs; a spot pair's is 10,000
and its index. https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/asset-ids
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.exchanges.venues.hyperliquid import parse
from moondev.domain.clock import monotonic

# How long what is in no list stays unasked: the lists are dear, and a halt looks many times a second.
READ_AGAIN_SECONDS = 60.0

Ask = Callable[[dict[str, Any]], object]


class _List:
    """One list of the venue, read when something is wanted that is not in it."""

    def __init__(self, ask: Ask, request: dict[str, Any], numbers: Callable[[object], dict[str, int]]) -> None:
        self._ask, self._request, self._parse = ask, request, numbers
        self._read_at: float | None = None
        self.numbers: dict[str, int] = {}

    def refreshed(self) -> dict[str, int]:
        """Return the numbers, read again when that is long ago. Raises what asking raises."""
        if self._read_at is None or monotonic() - self._read_at > READ_AGAIN_SECONDS:
            self.numbers = self._parse(self._ask(self._request))
            self._read_at = monotonic()
        return self.numbers


class AssetNumbers:
    """Every number the venue has given out, perpetuals before spot pairs."""

    def __init__(self, ask: Ask) -> None:
        """Take how to ask the venue; nothing is asked before something is wanted."""
        self._lists = (
            _List(ask, {"type": "meta", "dex": ""}, parse.perpetual_numbers),
            _List(ask, {"type": "spotMeta"}, parse.spot_numbers),
        )

    def find(self, symbol: str) -> int | None:
        """Return the number of `symbol`; None when no list has it. Raises when a list cannot be read."""
        known = self.known(symbol)
        if known is not None:
            return known
        for listed in self._lists:
            if symbol in listed.refreshed():
                return listed.numbers[symbol]
        return None

    def known(self, symbol: str) -> int | None:
        """Return the number of `symbol` as far as it has been read; asks nothing."""
        return next((known.numbers[symbol] for known in self._lists if symbol in known.numbers), None)
