"""Which venues do not answer now, as far as routing is concerned."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import redis

from apps.exchanges.market_data.cache import redis_client
from moondev.domain.errors import Connectivity


def venues_down(venues: Collection[str]) -> frozenset[str]:
    """Return those of `venues` whose market stream is down or has not been heard of; a missing report is a bad one.

    Raises Connectivity when the cache does not answer.
    """
    names = sorted(venues)
    try:
        reports = redis_client().mget([f"md:health:{venue}" for venue in names])
    except redis.RedisError as error:
        raise Connectivity(f"market data cache: {error}") from error
    answers = zip(names, reports, strict=True)
    return frozenset(name for name, report in answers if not (report and msgspec.json.decode(report).get("connected")))
