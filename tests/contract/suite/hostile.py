"""Messages as no venue should send them: real ones bent, cut and spoilt; and what must not come of them."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Iterator
from typing import Any

from apps.exchanges.ports import (
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    FillBatch,
    MarkUpdate,
    OrderBatch,
    TradeBatch,
)

NONSENSE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, -0.0, "", "nan", "NaN", "Infinity", "-5", "0", "1e999", "0x10", "\u0663", "12,5",
    " 7 ", "\x00", [], {}, [[]], [None], {"a": {}}, 2**70, "x" * 5_000,
)  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def dialects(stream: object) -> list[Any]:
    """Return everything in a stream that reads messages, however the venue has put it together."""
    found: list[Any] = []
    seen: set[int] = set()
    waiting = [stream]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or not hasattr(thing, "__dict__"):
            continue
        seen.add(id(thing))
        if callable(getattr(thing, "read", None)) and callable(getattr(thing, "opening", None)):
            found.append(thing)
            continue
        for value in vars(thing).values():
            waiting += value if isinstance(value, list | tuple) else [value]
    return found


def bent(message: bytes, chance: random.Random) -> bytes:
    """Return a real message with something wrong in it."""
    way = chance.randrange(5)
    if way == 0:
        return message[: chance.randrange(len(message) + 1)]
    if way == 1:
        spoilt = bytearray(message)
        for _ in range(chance.randint(1, 4)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        return bytes(spoilt)
    try:
        content = json.loads(message)
    except ValueError:
        return message + message
    for _ in range(chance.randint(1, 3)):
        content = _with_nonsense(content, chance)
    return json.dumps(content).encode("utf-8", "surrogatepass")


def _with_nonsense(content: Any, chance: random.Random) -> Any:
    """Replace, remove or double one place of some JSON."""
    if chance.random() < 0.1 or not isinstance(content, dict | list) or not content:
        return chance.choice(NONSENSE)
    if isinstance(content, list):
        at = chance.randrange(len(content))
        if chance.random() < 0.15:
            return content[:at] + content[at + 1 :]
        return [*content[:at], _with_nonsense(content[at], chance), *content[at + 1 :]]
    key = chance.choice(sorted(content))
    if chance.random() < 0.15:
        return {name: value for name, value in content.items() if name != key}
    return content | {key: _with_nonsense(content[key], chance)}


def numbers_in(message: bytes) -> set[float]:
    """Return every number that a message holds, as text or not."""
    return {float(text) for text in _NUMBER.findall(message)}


def prices_of(event: object) -> Iterator[float]:
    """Yield every price in an event that somebody might trade on."""
    match event:
        case BookUpdate(book=book):
            yield from (level.price for level in (*book.bids, *book.asks))
        case BestQuoteUpdate(bid=bid, ask=ask):
            yield from (level.price for level in (bid, ask) if level is not None)
        case TradeBatch(trades=trades):
            yield from (trade.price for trade in trades)
        case CandleUpdate():
            yield from (event.open, event.high, event.low, event.close)
        case MarkUpdate():
            yield event.mark_price
        case FillBatch(fills=fills):
            yield from (float(fill.price.value) for fill in fills)
        case OrderBatch(reports=reports):
            yield from (float(fill.price.value) for report in reports for fill in report.fills)


def require_sound(event: object, told: set[float]) -> None:
    """Hold an event to prices that a venue has told, above zero, in a book that is not crossed."""
    for price in prices_of(event):
        assert math.isfinite(price), event
        assert price > 0, event
        assert price in told, f"nobody has told {price}: {event}"
    if isinstance(event, BookUpdate) and event.book.bids and event.book.asks:
        assert event.book.bids[0].price < event.book.asks[0].price
    if isinstance(event, CandleUpdate):
        assert event.low <= min(event.open, event.close) <= max(event.open, event.close) <= event.high
