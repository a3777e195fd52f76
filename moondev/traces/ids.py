"""Ids that nobody has to hand on: every process works out the same one from the tick that an order was born of.

An order's row names its tick, so the row carries the trace; a process that starts years later still finds it.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from django.conf import settings

TRACE_BYTES = 16
SPAN_BYTES = 8


def tracing() -> bool:
    """Return whether traces are on."""
    return bool(settings.MOONDEV_TRACES_ENDPOINT)


def trace_of(tick: str) -> str:
    """Return the id of the trace of a tick, 32 hexadecimal digits; empty when traces are off or it is no tick's."""
    return trace_id(tick) if tick and tracing() else ""


@lru_cache(maxsize=4096)
def trace_id(tick: str) -> str:
    """Return the trace id that belongs to `tick`: the same in every process of this platform, another in any other."""
    return _digest("trace", tick, size=TRACE_BYTES)


def span_id(tick: str, *what: str) -> str:
    """Return the id of one stage of a tick, 16 hexadecimal digits: ``span_id("7", "send", client_order_id)``."""
    return _digest("span", tick, *what, size=SPAN_BYTES)


def _digest(*parts: str, size: int) -> str:
    # Keyed, so that two platforms whose ticks are both numbered from one do not share traces, and so that it tells
    # nothing about the key.
    key = blake2b(settings.SECRET_KEY.encode(), digest_size=32).digest()
    return blake2b("\0".join(parts).encode(), digest_size=size, key=key).hexdigest()
