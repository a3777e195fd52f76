"""Prices are looked at many times a second; what is traded is not."""

from __future__ import annotations

from datetime import UTC, datetime

from apps.exchanges.market_data.cache import NEVER_HEARD
from apps.monitor.api.stream.sources import market
from moondev.domain.clock import FixedClock


class Silent:
    """A cache in which nothing was ever written."""

    def __init__(self, _client):
        """Ask nobody."""

    def views(self, wanted, _now):
        """Return what is known of instruments nobody has heard of."""
        return dict.fromkeys(wanted, NEVER_HEARD)


def test_what_is_traded_is_asked_for_once_a_second(monkeypatch):
    asked, now = [], [100.0]

    def traded():
        asked.append(now[0])
        return [f"venue:C{len(asked)}"]

    monkeypatch.setattr(market, "_traded", traded)
    monkeypatch.setattr(market, "process_redis", lambda: None)
    monkeypatch.setattr(market, "MarketCache", Silent)
    topic, clock = market.PriceTopic(lambda: now[0]), FixedClock(datetime(2026, 11, 26, tzinfo=UTC))
    seen = {tuple(topic.read((), clock)) for _ in range(20)}
    assert (seen, asked) == ({("venue:C1",)}, [100.0])
    now[0] = 101.0
    assert list(topic.read((), clock)) == ["venue:C2"]
    assert asked == [100.0, 101.0]
