"""What the market stream process says of a venue, and what others read."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
import redis

from apps.exchanges.health import freshness as freshness_module
from apps.exchanges.health.freshness import NEVER, Freshness
from apps.exchanges.health.reports import VenueWatch, venue_reports
from apps.exchanges.health.requests import RequestMeter
from apps.exchanges.health.states import VenueState
from apps.exchanges.market_data.cache import MarketWriter
from apps.exchanges.ports import BookUpdate, Connected, MarkUpdate
from moondev.domain.errors import Connectivity
from moondev.domain.market_data import Book

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STREAM = {"connected": 1, "age_seconds": 0.1, "messages": 5, "unreadable": 0, "refused": 0, "at": NOW.isoformat()}


@pytest.fixture
def seconds(monkeypatch):
    time = [100.0]
    monkeypatch.setattr(freshness_module, "monotonic", lambda: time[0])
    return time


def mark() -> MarkUpdate:
    return MarkUpdate("BTC", 1.0, 1.0, 0.0, NOW)


def test_ages_count_by_kind_and_the_youngest_is_the_datas(seconds) -> None:
    fresh = Freshness()
    assert fresh.report()["data_age_seconds"] == NEVER
    fresh.heard(BookUpdate("BTC", Book((), (), NOW, NOW)))
    seconds[0] += 3
    fresh.heard(mark())
    # That a connection stands is no datum.
    seconds[0] += 0.5
    fresh.heard(Connected(None, NOW))
    report = fresh.report()
    assert report["ages"] == {"book": 3.5, "marks": 0.5}
    assert (report["data_age_seconds"], report["looks"], report["fresh_looks"]) == (0.5, 2, 1)


def test_the_slowest_way_to_the_cache_is_told_once(seconds) -> None:
    fresh = Freshness()
    for delay in (0.002, 0.009, 0.001):
        received = seconds[0]
        seconds[0] += delay
        fresh.visible(received)
    assert fresh.report()["visible_seconds"] == pytest.approx(0.009)
    assert fresh.report()["visible_seconds"] == 0


def test_a_report_is_read_as_it_was_written(client) -> None:
    stream = {**STREAM, "data_age_seconds": 0.2, "ages": {"book": 0.2}}
    report = VenueWatch("hyperliquid", client).report(stream)
    MarketWriter(client).health("hyperliquid", report)
    read = venue_reports(client, ["hyperliquid"])["hyperliquid"]
    assert read == report
    assert (read.state, read.reasons, read.ages) == (VenueState.OK, (), {"book": 0.2})


def test_requests_of_other_processes_count(client) -> None:
    meter = RequestMeter("hyperliquid", client)
    meter._flush({"count": 4, "errors": 4, "bucket0": 4}, 1.0)
    report = VenueWatch("hyperliquid", client).report({**STREAM, "data_age_seconds": 0.2})
    assert (report.state, report.requests, report.errors) == (VenueState.DOWN, 4, 4)


def test_a_venue_that_nobody_reports_on_is_down(client) -> None:
    client.set("md:health:odd", b"{")
    client.set("md:health:old", msgspec.json.encode({"connected": 1, "age_seconds": 0.1}))
    found = venue_reports(client, ["absent", "odd", "old"])
    assert {name: report.state for name, report in found.items()} == dict.fromkeys(found, VenueState.DOWN)
    assert "says nothing" in found["absent"].reasons[0]
    assert "cannot be read" in found["odd"].reasons[0]
    assert venue_reports(client, []) == {}


def test_a_cache_that_is_away_is_not_mistaken_for_an_outage() -> None:
    class Away:
        def mget(self, keys):
            raise redis.ConnectionError("refused")

    with pytest.raises(Connectivity):
        venue_reports(Away(), ["hyperliquid"])
