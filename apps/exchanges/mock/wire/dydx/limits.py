"""How often one may ask the indexer and write to the chain.

The chain counts per account and block, the indexer per address of the internet.
https://docs.dydx.xyz/interaction/data/feeds and the block rate limits of the chain's genesis.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SHORT_TERM_PER_BLOCK = 400
STATEFUL_PER_BLOCK = 2
STATEFUL_PER_WINDOW, WINDOW_BLOCKS = 20, 100
READS, READ_SECONDS = 100, 10.0
CANDLE_READS = 1_000


@dataclass(slots=True)
class BlockLimits:
    """What each account has put into the blocks that still count."""

    _short: dict[str, tuple[int, int]] = field(default_factory=dict)
    _stateful: dict[str, list[int]] = field(default_factory=dict)

    def admits_short_term(self, account: str, items: int, height: int) -> bool:
        """Count `items` short-term orders or cancels in the block `height`. False when they are too many."""
        known, used = self._short.get(account, (height, 0))
        used = (used if known == height else 0) + items
        self._short[account] = (height, used)
        return used <= SHORT_TERM_PER_BLOCK

    def admits_stateful(self, account: str, height: int) -> bool:
        """Count a stateful order in the block `height`, accepted or not. False when it is one too many."""
        recent = [block for block in self._stateful.get(account, []) if block > height - WINDOW_BLOCKS]
        recent.append(height)
        self._stateful[account] = recent[-STATEFUL_PER_WINDOW - 1 :]
        return recent.count(height) <= STATEFUL_PER_BLOCK and len(recent) <= STATEFUL_PER_WINDOW


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a window, as the headers say it."""

    limit: int
    left: int
    reset_ms: int

    @property
    def admitted(self) -> bool:
        """Return whether the request is answered."""
        return self.left >= 0

    def headers(self) -> dict[str, str]:
        """Return the venue's headers."""
        said = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.left)),
            "RateLimit-Reset": str(self.reset_ms),
        }
        return said if self.admitted else {**said, "Retry-After": str(int(READ_SECONDS))}


class ReadLimits:
    """Questions per address of the internet in fixed windows."""

    def __init__(self) -> None:
        """Start with nobody having asked anything."""
        self._windows: dict[tuple[str, bool], tuple[int, int]] = {}

    def spend(self, ip: str, seconds: float, *, candles: bool) -> Allowance:
        """Count a question at `seconds`; candles have an allowance of their own."""
        window, limit = int(seconds // READ_SECONDS), CANDLE_READS if candles else READS
        known, used = self._windows.get((ip, candles), (window, 0))
        used = used + 1 if known == window else 1
        self._windows[ip, candles] = (window, used)
        return Allowance(limit, limit - used, int((window + 1) * READ_SECONDS * 1000))
