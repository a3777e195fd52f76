"""Messages as Hyperliquid sends them, encoded before the clock runs: only the time is written into each."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

# Thirteen digits, as milliseconds have until the year 2286; a whole minute for candles, now for the rest.
NOW, MINUTE = 1_111_111_111_111, 2_222_222_222_222
DEPTH = 20
# Out of a hundred messages. What a busy perpetual brings: a candle with nearly every trade, books twice a second.
MIXES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "mixed": {"book": 20, "trades": 35, "candle": 35, "mark": 10},
        "books": {"book": 100},
    }
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One websocket frame in pieces; the stamp goes between them."""

    pieces: tuple[bytes, ...]
    whole_minute: bool

    def stamped(self, now: bytes, minute: bytes) -> bytes:
        """Return the frame with its time."""
        return (minute if self.whole_minute else now).join(self.pieces)


def frames(symbols: Sequence[str], mix: str, count: int) -> list[Frame]:
    """Return a cycle of `count` frames over all symbols, in an order that looks like chance and is always the same."""
    chance = random.Random(7)
    kinds = [kind for kind, share in MIXES[mix].items() for _ in range(share)]
    makers = {"book": _book, "trades": _trades, "candle": _candle, "mark": _mark}
    return [_frame(makers[chance.choice(kinds)](chance.choice(symbols), chance)) for _ in range(count)]


def _frame(message: object) -> Frame:
    payload = msgspec.json.encode(message)
    header = bytes([0x81, len(payload)]) if len(payload) < 126 else b"\x81\x7e" + len(payload).to_bytes(2, "big")
    whole_minute = str(MINUTE).encode() in payload
    return Frame(tuple((header + payload).split(str(MINUTE if whole_minute else NOW).encode())), whole_minute)


def _book(symbol: str, chance: random.Random) -> object:
    middle = chance.uniform(90, 110)
    levels = [
        [{"px": f"{middle + side * step * 0.01:.4f}", "sz": f"{chance.uniform(0.1, 50):.3f}", "n": step}
         for step in range(1, DEPTH + 1)]
        for side in (-1, 1)
    ]  # fmt: skip
    return {"channel": "l2Book", "data": {"coin": symbol, "time": NOW, "levels": levels}}


def _trades(symbol: str, chance: random.Random) -> object:
    trade = {
        "coin": symbol, "side": chance.choice("AB"), "px": f"{chance.uniform(90, 110):.4f}",
        "sz": f"{chance.uniform(0.1, 5):.3f}", "time": NOW, "hash": f"0x{chance.getrandbits(256):064x}",
        "tid": chance.getrandbits(50), "users": [f"0x{chance.getrandbits(160):040x}" for _ in range(2)],
    }  # fmt: skip
    return {"channel": "trades", "data": [trade]}


def _candle(symbol: str, chance: random.Random) -> object:
    close = chance.uniform(90, 110)
    data = {
        "t": MINUTE, "T": 1, "s": symbol, "i": "1m", "o": "100.0", "c": f"{close:.4f}",
        "h": f"{max(close, 100.0) + 1:.4f}", "l": f"{min(close, 100.0) - 1:.4f}", "v": "812.5", "n": 40,
    }  # fmt: skip
    return {"channel": "candle", "data": data}


def _mark(symbol: str, chance: random.Random) -> object:
    price = f"{chance.uniform(90, 110):.4f}"
    context = {
        "funding": "0.0000125", "openInterest": "68812.1", "prevDayPx": "101.8", "dayNtlVlm": "1169046.29",
        "premium": "0.00036", "oraclePx": price, "markPx": price, "midPx": price, "impactPxs": [price, price],
        "dayBaseVlm": "11690.4",
    }  # fmt: skip
    return {"channel": "activeAssetCtx", "data": {"coin": symbol, "ctx": context}}
