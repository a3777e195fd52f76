"""The key under which an account is told of its orders is asked for with what is reserved, not with what is left."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from apps.exchanges.throttling import Lane
from apps.exchanges.venues.binance.listen_key import ListenKey
from apps.exchanges.venues.binance.rest import Calls
from moondev.domain.clock import FixedClock
from moondev.domain.errors import RateLimited


class OnlyReserved:
    """A venue whose ordinary budget is spent."""

    def __init__(self):
        self.asked = []

    def ask(self, call, parameters=None, lane=Lane.ORDINARY):
        if lane is Lane.ORDINARY:
            raise RateLimited("spent", 20.0)
        self.asked.append((call, lane))
        return '{"listenKey": "abc"}'


def test_a_stream_comes_back_although_everybody_else_has_spent_the_budget():
    rest = OnlyReserved()
    key = ListenKey(rest, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)), "wss://private")
    assert asyncio.run(key.address()) == "wss://private?listenKey=abc"
    assert rest.asked == [(Calls.OPEN_LISTEN_KEY, Lane.RESERVED)]
