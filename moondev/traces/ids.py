"""Ids that nobody has to hand on: every process works out the same one from what the work is about.

An order's row names the tick that it was born of, so the row carries the trace; a process that starts years later still
finds it. What a person asks for is traced by the id of the request, which goes along in the headers of tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from django.conf import settings

TRACE_BYTES = 16
SPAN_BYTES = 8


def tracing() -> bool:
    """Return whether traces are on."""
    return bool(settings.MOONDEV_TRACES_ENDPOINT)


def of_request(request: str) -> str:
    """Return what the work that a request asked for is traced as, beside ticks."""
    return f"request {request}"


def trace_about(about: Mapping[str, str]) -> str:
    """Return the trace that a line belongs to; empty when traces are off or it belongs to none."""
    if not tracing():
        return ""
    subject = about.get("tick") or (of_request(about["request"]) if "request" in about else "")
    return trace_id(subject) if subject and chosen(subject) else ""


def chosen(subject: str) -> bool:
    """Return whether `subject` is among those traced. Every process decides alike, so a trace is whole or absent."""
    return int(trace_id(subject)[-8:], 16) % 100 < settings.MOONDEV_TRACES_PERCENT


@lru_cache(maxsize=4096)
def trace_id(subject: str) -> str:
    """Return the trace id of a tick or request, 32 hexadecimal digits: the same in every process of this platform."""
    return _digest("trace", subject, size=TRACE_BYTES)


def span_id(subject: str, *what: str) -> str:
    """Return the id of one stage, 16 hexadecimal digits: ``span_id("7", "send", client_order_id)``."""
    return _digest("span", subject, *what, size=SPAN_BYTES)


def _digest(*parts: str, size: int) -> str:
    # Keyed, so that two platforms whose ticks are both numbered from one do not share traces; and the other way round,
    # an id tells nothing about the key.
    key = blake2b(settings.SECRET_KEY.encode(), digest_size=32).digest()
    return blake2b("\0".join(parts).encode(), digest_size=size, key=key).hexdigest()
