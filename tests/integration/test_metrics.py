"""One scrape over everything: what it tells, at what cost, and what it leaves out when a server is away."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
import requests
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from apps.exchanges.market_data.cache import redis_client
from apps.exchanges.models import Account, TradingMode, TradingState
from apps.monitor.access.roles import VIEWER, roles_write
from apps.monitor.api.stream.sources import queue_lengths
from apps.monitor.metrics.counted import CountedFolder
from apps.monitor.metrics.scrape import OF_SQL, Scrape
from apps.monitor.metrics.server import MetricsServer
from apps.monitor.models import AlertPass
from apps.risk.portfolio.drawdown import Observation, marks_update
from apps.risk.portfolio.figures import Figures
from apps.risk.portfolio.truth import truth_write
from moondev.counting.store import process_store_forget
from moondev.counting.table import API_SECONDS, TICKS
from moondev.domain.clock import LiveClock
from tests.integration.api_world import Client, D, order_row, person, served, small_world, token_of

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def counting(settings, tmp_path):
    settings.MOONDEV_METRICS_DIR = tmp_path / "metrics"
    process_store_forget()
    yield settings.MOONDEV_METRICS_DIR
    process_store_forget()


@pytest.fixture
def scrape(counting):
    made = Scrape(CountedFolder(counting), redis_client(), holds_seconds=0)
    yield made
    made.close()


def told(scrape):
    """Return every sample by its name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(scrape.answer().decode())
        for sample in family.samples
    }


def sample(found, name, **labels):
    return found.get((name, *sorted(labels.items())))


def ups(found):
    return {dict(key[1:])["source"]: value for key, value in found.items() if key[0] == "moondev_source_up"}


def test_a_scrape_tells_what_is_and_costs_the_same_however_much_there_is(scrape):
    world, now = small_world(), LiveClock().now()
    figures = Figures(currency="USDC", equity=D("990.5"), realised=D(3), unrealised=D(2), fees=D(1), funding=D(0))
    truth_write(
        {
            ("paper", level, key): figures
            for level, key in (("total", "paper"), ("strategy", "turtle"), ("strategy", "gone"))
        },
        now,
    )
    marks_update([Observation(("strategy", "turtle"), D(1000), D(0))], now)
    marks_update([Observation(("strategy", "turtle"), D(900), D(0))], now)
    TradingState.objects.update_or_create(
        scope_kind="strategy", scope_key="turtle", defaults={"mode": TradingMode.REDUCING, "changed_at": now}
    )
    Account.objects.filter(pk=world.account.pk).update(differing=["BTC"])
    AlertPass.objects.update_or_create(pk=1, defaults={"watcher": "one", "at": now - timedelta(minutes=5)})
    TICKS.add("turtle", "done", amount=3)
    TICKS.add("gone", "done")
    scrape.answer()
    with CaptureQueriesContext(
        connection,
    ) as before:
        found = told(scrape)
    money = {"environment": "paper", "currency": "USDC"}
    assert sample(found, "moondev_equity", level="strategy", key="turtle", **money) == 990.5
    assert sample(found, "moondev_profit_net", level="total", key="paper", **money) == 4
    # Not known is not told; what is no more, neither.
    assert sample(found, "moondev_margin_used", level="total", key="paper", **money) is None
    assert sample(found, "moondev_equity", level="strategy", key="gone", **money) is None
    assert sample(found, "moondev_drawdown_ratio", scope_kind="strategy", scope_key="turtle") == 0.1
    assert sample(found, "moondev_trading_mode", scope_kind="strategy", scope_key="turtle") == 1
    assert sample(found, "moondev_orders_working", venue="hyperliquid", status="open") == 1
    assert sample(found, "moondev_orders_working", venue="hyperliquid", status="unknown") == 0
    assert sample(found, "moondev_positions_differing", account="paper-1", venue="hyperliquid") == 1
    assert sample(found, "moondev_strategy_running", strategy="turtle", venue="hyperliquid", stage="research") == 1
    assert sample(found, "moondev_ticks_total", strategy="turtle", outcome="done") == 3
    assert sample(found, "moondev_ticks_total", strategy="gone", outcome="done") is None
    assert sample(found, "moondev_queue_messages", queue="ticks") is not None
    assert sample(found, "moondev_alert_watch_age_seconds") >= 300
    assert set(ups(found).values()) == {1}
    for number in range(20):
        order_row(world.account, world.btc, f"other-{number}", now, status="unknown")
    with CaptureQueriesContext(connection) as after:
        found = told(scrape)
    assert sample(found, "moondev_orders_working", venue="hyperliquid", status="unknown") == 20
    assert len(after) == len(before)
    assert len(after) < 25 + 4 * (len(OF_SQL) + 1)


def test_a_server_that_is_away_takes_its_metrics_with_it_and_no_others(scrape, monkeypatch, settings):
    small_world()
    TICKS.add("turtle", "done")
    assert set(ups(told(scrape)).values()) == {1}

    def refused(*_, **__):
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(queue_lengths.QueueLengths, "_length", refused)
    scrape._redis = redis_client_at("redis://127.0.0.1:1/0")
    found = told(scrape)
    assert {name for name, up in ups(found).items() if not up} == {"queues", "venues", "cache"}
    assert not [key for key in found if key[0].startswith(("moondev_queue_", "moondev_venue_", "moondev_redis"))]
    assert sample(found, "moondev_orders_working", venue="hyperliquid", status="open") == 1
    connection.close()
    with monkeypatch.context() as broken:
        broken.setattr(connection, "get_new_connection", refused_by_sql)
        found = told(scrape)
        of_sql = {"known", *(name for name, _, _ in OF_SQL)}
        assert {name for name, up in ups(found).items() if not up} == {"queues", "venues", "cache"} | of_sql
        assert not [key for key in found if key[0].startswith(("moondev_orders_working", "moondev_trading_mode"))]
        # What was counted is told as before.
        assert sample(found, "moondev_ticks_total", strategy="turtle", outcome="done") == 1
    found = told(scrape)
    assert sample(found, "moondev_orders_working", venue="hyperliquid", status="open") == 1


def redis_client_at(url):
    import redis

    return redis.Redis.from_url(url, socket_connect_timeout=0.2)


def refused_by_sql(*_, **__):
    from django.db import OperationalError

    raise OperationalError("connection refused")


@contextmanager
def listening(answer, networks):
    server = MetricsServer(("127.0.0.1", 0), networks, answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def test_the_exporter_answers_who_may_ask_and_nothing_else(scrape):
    asked = []

    def answer():
        asked.append(1)
        return b"# nothing\n"

    with listening(answer, ["127.0.0.0/8"]) as home:
        found = requests.get(f"{home}/metrics", timeout=5)
        assert (found.status_code, found.text) == (200, "# nothing\n")
        assert found.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert requests.get(f"{home}/", timeout=5).status_code == 404
        assert requests.post(f"{home}/metrics", timeout=5).status_code == 501
    with listening(answer, ["10.0.0.0/8"]) as home:
        assert requests.get(f"{home}/metrics", timeout=5).status_code == 403
    assert len(asked) == 1


def test_the_api_tells_the_same_to_who_has_a_token(counting):
    small_world()
    roles_write()
    token = token_of(person(VIEWER), ["read"])
    with served() as home:
        assert requests.get(f"{home}/metrics", timeout=30).status_code == 401
        found = Client(home, token).get("/metrics")
    assert found.status_code == 200
    assert found.headers["Content-Type"].startswith("text/plain")
    # Both requests were counted, by what was asked for where that is known.
    assert (API_SECONDS.count("/metrics", "GET", "2xx"), API_SECONDS.count("other", "GET", "4xx")) == (1, 1)
    assert 'moondev_orders_working{status="open",venue="hyperliquid"} 1.0' in found.text
    # The sessions of the server's threads end when they are swept up: not to be met by the end of all tests.
    gc.collect()
