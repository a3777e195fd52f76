"""Health against real servers: who is away is told within a bound, and only to whom it concerns."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from urllib.parse import urlsplit

import pytest
import redis
import requests
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client as Browser

from apps.exchanges.market_data import cache
from apps.monitor.access.roles import VIEWER
from apps.monitor.api.health.slos import reckoned
from apps.monitor.health import servers
from apps.monitor.health.deep import look_deep
from apps.monitor.health.heartbeats import forget, hear, look_at_processes, missing
from apps.monitor.health.probes.broker import BrokerQuestion
from apps.monitor.health.probes.probe import Probe
from apps.monitor.health.slos.sampling import floor, sample
from apps.monitor.health.slos.standing import burn_rates, standings
from apps.monitor.health.states import State
from apps.monitor.models import Heartbeat, Slo, SloSample
from moondev.celery import app
from moondev.domain.clock import LiveClock, monotonic
from moondev.heartbeat.beat import Beat
from moondev.heartbeat.heart import Heart
from moondev.heartbeat.stores import KEY, RedisBeats, SqlBeats
from moondev.servers.probes import free_port
from tests.integration.api_world import Client, person, served, small_world, tokens_of_roles

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
SECRET = "s3cr3t-of-the-broker"


@pytest.fixture(autouse=True)
def _looked_at_by_nobody(settings):
    """Ask the Redis of these settings, and let no look of another test count as ours."""

    def forgotten():
        cache.process_redis.cache_clear()
        reckoned.cache_clear()
        servers.servers().close()
        servers.servers.cache_clear()

    forgotten()
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(KEY)
    yield
    forgotten()


def refused(url):
    """Return an address at which nobody listens, with a password in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=f":{SECRET}@127.0.0.1:{free_port()}").geturl()


def beat_of(name, **said):
    now = LiveClock().now()
    given = {"host": "a", "pid": 7, "started": now - timedelta(hours=1), "beaten": now, "turned": now} | said
    return Beat(name=name, **given)


def test_anybody_is_told_whether_to_send_requests_here_and_nothing_else(settings):
    with served() as home:
        root = home.removesuffix("/api/v1")
        live = requests.get(f"{root}/health/live", timeout=10)
        assert (live.status_code, live.text) == (200, "ok")
        ready = requests.get(f"{root}/health/ready", timeout=10)
        names = {"database": "ok", "migrations": "ok", "broker": "ok", "redis": "ok"}
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "checks": names})
        assert ready.headers["Cache-Control"] == "no-store"

        settings.REDIS_URL = refused(settings.REDIS_URL)
        servers.servers().close()
        servers.servers.cache_clear()
        began = LiveClock().now()
        away = requests.get(f"{root}/health/ready", timeout=10)
        assert LiveClock().now() - began < timedelta(seconds=9)
        assert (away.status_code, away.json()) == (503, {"ready": False, "checks": names | {"redis": "not ok"}})
        for secret in (SECRET, "127.0.0.1", "refused", "redis://"):
            assert secret not in away.text
        # A process that answers lives, whatever it lacks.
        assert requests.get(f"{root}/health/live", timeout=10).status_code == 200
        for address in ("/health/live", "/health/ready"):
            assert requests.post(root + address, data="x", timeout=10).status_code == 404


def test_deep_health_tells_a_viewer_what_is_wrong_and_the_command_the_same():
    small_world()
    kept, now = SqlBeats(), LiveClock().now()
    kept.write(beat_of("ticks"))
    kept.write(beat_of("dispatcher", turned=now - timedelta(seconds=90)))
    with served() as home:
        token = tokens_of_roles()[VIEWER]
        assert Client(home).get("/health").status_code == 401
        told = Client(home, token).get("/health")
        assert told.status_code == 200, told.text
        parts = {part["component"]: part for part in told.json()["components"]}
        assert told.json()["state"] == "down"
    assert (parts["database"]["state"], parts["migrations"]["state"], parts["redis"]["state"]) == ("ok", "ok", "ok")
    assert parts["database"]["latency_ms"] > 0
    assert parts["database"]["since"] is not None
    assert (parts["ticks"]["state"], parts["ticks"]["instances"]) == ("ok", 1)
    assert parts["dispatcher"]["state"] == "down"
    assert "its loop has stood still for" in parts["dispatcher"]["detail"]
    assert (parts["beat"]["state"], parts["beat"]["detail"]) == ("unknown", "nothing was ever heard of it")
    venue = parts["venue.hyperliquid"]
    assert (venue["kind"], venue["state"]) == ("venue", "down")

    output = StringIO()
    with pytest.raises(CommandError) as ended:
        call_command("health", "--json", stdout=output)
    assert ended.value.returncode == 2
    assert {part["component"]: part["state"] for part in json.loads(output.getvalue())} == {
        name: part["state"] for name, part in parts.items()
    }
    with pytest.raises(CommandError) as ended:
        call_command("health", "--process", "nobody-of-this-name", stdout=StringIO())
    assert ended.value.returncode == 2


def test_beats_are_read_from_the_server_that_is_there(settings):
    """Redis holds them; the database does while Redis is away, and says so of old ones."""
    small_world()
    now = LiveClock().now()
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        RedisBeats(client).write(beat_of("ticks"))
    SqlBeats().write(beat_of("ticks", beaten=now - timedelta(seconds=50), turned=now - timedelta(seconds=50)))
    assert {part.component: part.state for part in look_at_processes(now)}["ticks"] is State.OK
    assert "ticks" not in {gone.name for gone in missing(now)}
    assert {"beat", "dispatcher", "risk_guard", "web", "orders-hyperliquid"} <= {gone.name for gone in missing(now)}
    assert "ticks" in {gone.name for gone in missing(now + timedelta(seconds=30))}

    settings.REDIS_URL = refused(settings.REDIS_URL)
    cache.process_redis.cache_clear()
    # Told once a minute, it may be that old here.
    assert "ticks" not in {gone.name for gone in missing(now + timedelta(seconds=20))}
    assert "ticks" in {gone.name for gone in missing(now + timedelta(seconds=40))}
    # A process whose Redis is away tells the database.
    heart = Heart("dispatcher")
    heart.start().turn()
    heart.end()
    (told,) = [beat for beat in hear().beats if beat.name == "dispatcher"]
    assert (told.pid, told.ended is None, len(told.code)) == (os.getpid(), False, 12)
    forget_from_sql = Heartbeat.objects.count()
    with pytest.raises(redis.RedisError):
        forget(now + timedelta(days=2))
    assert (forget_from_sql, Heartbeat.objects.count()) == (2, 0)


def test_a_database_that_is_away_is_told_while_redis_tells_of_the_processes(settings, monkeypatch):
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        RedisBeats(client).write(beat_of("ticks"))
    # For sessions yet to be made: this thread's own is there already.
    monkeypatch.setitem(connections.settings["default"], "PORT", free_port())
    began = LiveClock().now()
    parts = {part.component: part for part in look_deep(began)}
    assert LiveClock().now() - began < timedelta(seconds=9)
    assert (parts["database"].state, parts["migrations"].state) == (State.DOWN, State.DOWN)
    assert (parts["ticks"].state, parts["dispatcher"].state) == (State.OK, State.UNKNOWN)
    assert parts["redis"].state is State.OK
    # Without the database every venue that is configured counts.
    assert {f"orders-{venue}" for venue in settings.MOONDEV_VENUES} <= set(parts)


def test_a_broker_is_found_again_after_its_connection_broke_and_one_that_is_away_is_down():
    question = BrokerQuestion()
    probe = Probe("broker", question.ask)

    def asked():
        probe.begin()
        return probe.told(monotonic() + 30).answer

    first = asked()
    assert first.state is State.OK, first
    # As when it was started anew while nobody asked.
    question._connection.transport.close_connection(question._connection.connection)
    assert asked() == first
    question.close()
    away = BrokerQuestion(lambda: app.connection_for_read(f"amqp://guest:{SECRET}@127.0.0.1:{free_port()}//"))
    probe = Probe("broker", away.ask)
    gone = asked()
    assert gone.state is State.DOWN
    assert "refused" in gone.detail
    assert SECRET not in gone.detail


def test_each_minute_is_measured_once_and_what_is_left_is_reckoned_from_it():
    world = small_world()
    now = world.order.sent_at + timedelta(minutes=2)
    sample(now)
    sent = floor(world.order.sent_at)
    written = SloSample.objects.count()
    assert sample(now) == 0
    # The order was sent in a minute that is over, and answered 60 ms later.
    newest = floor(now) - timedelta(minutes=2)
    assert sent == newest
    measured = SloSample.objects.get(slo="orders-answered", minute=sent)
    assert (measured.good, measured.total) == (1, 1)
    assert written >= 3
    slo = Slo.objects.get(pk="submit-to-acknowledge")
    SloSample.objects.filter(slo=slo).delete()
    minutes = [newest - timedelta(minutes=back) for back in range(100)]
    SloSample.objects.bulk_create(
        SloSample(slo=slo, minute=minute, good=98 if back < 10 else 100, total=100)
        for back, minute in enumerate(minutes)
        if back != 50
    )
    (found,) = [one for one in standings(now) if one.slo == slo]
    assert (found.count.bad, found.count.total, found.unknown_minutes) == (20, 9900, 1)
    assert found.budget_left == pytest.approx(1 - 20 / 99)
    burns = {(burn.slug, burn.window): burn for burn in burn_rates(now)}
    hour = burns["submit-to-acknowledge", "1h"]
    assert hour.rate == pytest.approx((hour.bad / hour.total) / 0.01)
    # The minute that was missed can still be measured: orders stay.
    sample(now)
    assert SloSample.objects.filter(slo=slo).count() == 100

    slo.title = "<script>alert(1)</script>"
    slo.objective = Decimal("0.995")
    slo.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT subject, after->>'title' FROM monitor_auditentry WHERE action LIKE 'service level%'")
        assert ("submit-to-acknowledge", slo.title) in cursor.fetchall()
    with served() as home:
        items = Client(home, tokens_of_roles()[VIEWER]).get("/slos").json()["items"]
    told = {item["slug"]: item for item in items}["submit-to-acknowledge"]
    assert (told["good"], told["total"], told["met"]) == (9880, 9900, True)
    assert told["budget_left"] == pytest.approx(1 - 20 / 9900 / 0.005, abs=1e-5)
    page_shows(slo)


def page_shows(slo):
    """The page shows it to who may look, as text, and to nobody else."""
    browser = Browser()
    assert browser.get("/slo/").status_code == 302
    browser.force_login(User.objects.create_user("nobody", is_staff=True))
    assert browser.get("/slo/").status_code == 403
    browser.force_login(person(VIEWER, "looks"))
    page = browser.get("/slo/")
    text = page.content.decode()
    assert page.status_code == 200
    assert slo.title not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "20 of 9,900 bad" in text
    assert browser.post("/slo/").status_code == 405
