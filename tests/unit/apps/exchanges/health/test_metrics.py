"""Reports as people and Prometheus see them."""

from __future__ import annotations

from io import StringIO

import pytest
import redis
from django.core.management import call_command
from django.core.management.base import CommandError
from prometheus_client.parser import text_string_to_metric_families

from apps.exchanges.execution.throttle import shared
from apps.exchanges.health.metrics import exposition
from apps.exchanges.health.reports import VenueReport
from apps.exchanges.health.requests import RequestMeter
from apps.exchanges.health.states import VenueState
from apps.exchanges.management.commands import venue_status
from apps.exchanges.market_data.cache import MarketWriter
from apps.exchanges.models import Account, Portfolio, Venue
from apps.exchanges.registry import adapter_of

WELL = VenueReport(
    state=VenueState.OK, reasons=(), connected=1, data_age_seconds=0.25, ages={"book": 0.25, "marks": 0.5},
    book_ages={"BTC": 0.3},
    visible_seconds=0.004, looks=200, fresh_looks=199, messages=1_000, requests=40,
)  # fmt: skip


class Away:
    def __getattr__(self, name):
        def refuse(*_, **__):
            raise redis.ConnectionError("refused")

        return refuse


@pytest.fixture
def told(client, monkeypatch):
    """Two venues in the rows, of which one is reported on."""
    MarketWriter(client).health("hyperliquid", WELL)
    monkeypatch.setattr(venue_status, "process_redis", lambda: client)
    for code in ("bybit", "hyperliquid"):
        Venue.objects.create(code=code, protocol=code, environment="paper", rest_url="http://x", websocket_url="ws://x")
    return client


def samples(text: str) -> dict[tuple, float]:
    """Return every sample by its name, its venue and its other label, if it has one."""
    return {
        (sample.name, *(sample.labels[key] for key in sorted(sample.labels, reverse=True))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_figure_is_a_metric_by_venue(client) -> None:
    MarketWriter(client).health("hyperliquid", WELL)
    meter = RequestMeter("hyperliquid", client)
    meter._flush({"count": 3, "errors": 1, "bucket0": 2, "bucket7": 1}, 9.0)
    found = samples(exposition(client, ["hyperliquid", "bybit"]))
    assert found["moondev_venue_state", "hyperliquid", "ok"] == 1
    assert found["moondev_venue_state", "hyperliquid", "down"] == 0
    assert found["moondev_venue_state", "bybit", "down"] == 1
    assert found["moondev_venue_data_age_seconds", "hyperliquid"] == 0.25
    assert found["moondev_venue_kind_age_seconds", "hyperliquid", "marks"] == 0.5
    assert found["moondev_venue_book_age_seconds", "hyperliquid", "BTC"] == 0.3
    assert found["moondev_venue_fresh_looks_total", "hyperliquid"] == 199
    assert found["moondev_venue_request_seconds_bucket", "hyperliquid", "5.0"] == 2
    assert found["moondev_venue_request_seconds_count", "hyperliquid"] == 3
    assert found["moondev_venue_request_seconds_sum", "hyperliquid"] == 9.0
    assert found["moondev_venue_request_errors_total", "hyperliquid"] == 1


def test_a_scrape_while_redis_is_away_says_nothing_rather_than_zero() -> None:
    assert exposition(Away(), ["hyperliquid"]) == ""


@pytest.mark.django_db
def test_the_status_has_a_line_per_venue_and_fails_when_one_is_down(told) -> None:
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("venue_status", stdout=out)
    _, bybit, hyperliquid = out.getvalue().splitlines()
    assert bybit.split()[:2] == ["bybit", "down"]
    assert bybit.endswith("its market stream process says nothing")
    assert hyperliquid.split() == ["hyperliquid", "ok", "0", "0.25", "4.0", "100", "%", "40", "0"]


@pytest.mark.django_db
def test_the_status_passes_when_all_are_well(told) -> None:
    Venue.objects.filter(code="bybit").update(enabled=False)
    out = StringIO()
    call_command("venue_status", "--prometheus", stdout=out)
    assert samples(out.getvalue())["moondev_venue_connected", "hyperliquid"] == 1
    call_command("venue_status", stdout=out)


@pytest.mark.django_db
def test_what_is_spent_of_the_budgets_is_shown_by_owner(told, monkeypatch) -> None:
    monkeypatch.setattr(shared, "_redis_client", lambda: told)
    Venue.objects.filter(code="bybit").update(enabled=False)
    venue = Venue.objects.get(code="hyperliquid")
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    Account.objects.create(code="paper-1", venue=venue, portfolio=portfolio, address="0xA", currency="USDC")
    mine = shared._shared("hyperliquid", adapter_of("hyperliquid").budgets, "0xA", "key")
    mine.spend({"weight": 21, "requests": 3})
    out = StringIO()
    call_command("venue_status", "--budgets", stdout=out)
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()[2:]]
    assert lines == ["hyperliquid address weight 21 of 1200", "hyperliquid paper-1 requests 3 of 10000"]


@pytest.mark.django_db
def test_a_cache_that_is_away_is_said_to_be_away(monkeypatch) -> None:
    Venue.objects.create(code="x", protocol="x", environment="paper", rest_url="http://x", websocket_url="ws://x")
    monkeypatch.setattr(venue_status, "process_redis", Away)
    with pytest.raises(CommandError, match="market data cache"):
        call_command("venue_status", stdout=StringIO())
