"""What rules measure, read from real rows, a real Redis and a real broker, in as many queries for many as for few."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import msgspec
import pytest
import redis
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from apps.exchanges.health.reports import VenueReport
from apps.exchanges.health.states import VenueState
from apps.exchanges.market_data.cache import process_redis
from apps.exchanges.models import Account, AccountEvent, Order, Position, TradingState, Veto
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measures import MEASURES
from apps.monitor.alerts.taking import take
from apps.monitor.audit.append import audit_append
from apps.monitor.models import Channel, Delivery
from apps.risk.allocations import allocations_remember
from apps.risk.breakers.seeds import seed
from apps.risk.models import Breaker, BreakerState, Correlation, DrillRun
from apps.strategies.models import StrategyInstrument, StrategyRow, Tick
from moondev.domain.clock import FixedClock, LiveClock
from tests.integration.api_world import order_row, small_world
from tests.integration.limits_world import mark_equity, scope_of

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
D = Decimal
KEY = "md:health:hyperliquid"


@pytest.fixture
def cache():
    client = process_redis()
    client.delete(KEY)
    yield client
    client.delete(KEY)


@pytest.fixture
def world():
    seed()
    return small_world()


def taken(cache, names=tuple(MEASURES), now=None, queues=dict):
    found = take(Look(FixedClock(now or LiveClock().now()), cache, queues), names)
    assert not found.failures
    return {(name, scope): measured for name, scopes in found.readings.items() for scope, measured in scopes.items()}


def report(cache, **changed):
    given = {"state": VenueState.OK, "reasons": (), "connected": 1, "data_age_seconds": 0.4, "requests": 10}
    cache.set(KEY, msgspec.json.encode(VenueReport(**given | changed)))


def test_a_platform_that_does_well_measures_as_well(world, cache):
    report(cache)
    now = LiveClock().now()
    mark_equity(world.account, now, D(99_000))
    allocations_remember([scope_of(world.account, "turtle")], now)
    Tick.objects.create(strategy=world.strategy, trigger="interval", event="1", status="done", due_at=now, deadline=now)
    audit_append(action="noted", actor="ana")
    found = taken(cache)
    venue, account = "venue:hyperliquid", "account:paper-1"
    values = {
        ("venue_down", venue): 0, ("data_age", venue): D("0.4"), ("error_rate", venue): 0, ("unreconciled", account): 0,
        ("second_writers", account): 0, ("orphan_fills", account): 0, ("symbols_differing", account): 0,
        ("order_unknown_seconds", account): 0, ("queue_age", "queue:ticks"): 0, ("tick_failures", "strategy:turtle"): 0,
        ("audit_broken", "trail:audit"): 0, ("source_down", "source:cache"): 0, ("source_down", "source:broker"): 0,
        ("day_loss_use", "portfolio:paper"): D("0.2"),
    }  # fmt: skip
    assert {key: found[key].value for key in values} == values
    assert found["second_writers", account].within == (venue,)
    assert found["drawdown_use", "strategy:turtle"].value == 0
    assert not [key for key in found if key[0] in {"breaker_open", "halt_engaged", "drill_failed", "correlation_age"}]


def test_what_is_wrong_is_measured_where_it_is(world, cache):
    now = LiveClock().now()
    ago = now - timedelta(minutes=5)
    account, btc = world.account, world.btc
    report(cache, state=VenueState.DOWN, reasons=("no data",), data_age_seconds=40.0, errors=5, book_ages={"BTC": 300})
    order_row(account, btc, "turtle", ago, status="unknown", sent_at=ago)
    order_row(account, btc, "turtle", now, status="cancelled", purpose="protective", side="sell")
    order_row(account, btc, "turtle", ago, status="approved", valid_until=now + timedelta(hours=1))
    for kind in ("second_writer", "adopted_order", "foreign_fill", "orphan_fill", "stream_refused"):
        AccountEvent.objects.create(account=account, at=now, kind=kind, message="seen")
    AccountEvent.objects.create(account=account, at=now - timedelta(hours=2), kind="overfill", message="long ago")
    # A position that is not flat is told of once an hour, for as long as it is not.
    AccountEvent.objects.create(account=account, at=now - timedelta(minutes=61), kind="not_flat", message="held")
    Account.objects.update(differing=["BTC", "ETH"], unreconciled=True)
    breaker = Breaker.objects.get(code="day-loss")
    where = {"scope_kind": "portfolio", "scope_key": "paper"}
    BreakerState.objects.create(breaker=breaker, mode="half_open", since=ago, looked_at=now, **where)
    TradingState.objects.filter(**where).update(mode="halted", epoch=7)
    for reason, epoch in (("too much", 7), ("drill", 6)):
        Veto.objects.create(
            venue=account.venue, epoch=epoch, reason=reason, actor="ana", engaged_at=ago, stage="cancelling", **where
        )
    for state in ("failed", "passed", "running"):
        DrillRun.objects.create(state=state, asked_by="ana", asked_at=now, scope_kind="account", scope_key=state)
    due = ago + timedelta(minutes=1)
    for number, status in enumerate(("failed", "expired", "done", "failed")):
        Tick.objects.create(
            strategy=world.strategy, trigger="interval", event=str(number), status=status, due_at=due,
            deadline=now, error="ZeroDivisionError" if status == "failed" else "",
        )  # fmt: skip
    second = StrategyRow.objects.create(slug="other", kind="turtle_trend", account=account, capital=1, enabled=True)
    Correlation.objects.create(kind="strategy", one=second.slug, other="turtle", samples=9, at=ago)
    every = IntervalSchedule.objects.create(every=1, period="seconds")
    PeriodicTask.objects.create(name="x", task="x", interval=every, last_run_at=ago)
    channel = Channel.objects.create(slug="ops", kind="webhook", options={"url": "https://example.com/"})
    for hours in (0, 1):
        Delivery.objects.create(
            channel=channel, notice={}, title="t", state="gave_up", created_at=now - timedelta(hours=hours, minutes=31),
            noticed_at=now, next_attempt_at=now, finished_at=now - timedelta(hours=hours), last_error="refused",
        )  # fmt: skip
    found = taken(cache, now=now, queues=lambda: {"ticks": 2_000})
    values = {
        ("venue_down", "venue:hyperliquid"): 1, ("data_age", "venue:hyperliquid"): 40,
        ("book_age", "venue:hyperliquid"): 300, ("error_rate", "venue:hyperliquid"): D("0.5"),
        ("unreconciled", "account:paper-1"): 1, ("symbols_differing", "account:paper-1"): 2,
        ("order_unknown_seconds", "account:paper-1"): 300, ("second_writers", "account:paper-1"): 1,
        ("foreign_orders", "account:paper-1"): 2, ("orphan_fills", "account:paper-1"): 1,
        ("overfills", "account:paper-1"): 0, ("halts_not_flat", "account:paper-1"): 1,
        ("credential_alarms", "account:paper-1"): 1,
        ("position_unprotected", "position:paper-1/turtle/BTC"): 1,
        ("breaker_open", "breaker:day-loss/portfolio:paper"): D("0.5"), ("halt_engaged", "portfolio:paper"): 1,
        ("halt_open_seconds", "halt:portfolio:paper/hyperliquid"): 300, ("drill_failed", "account:failed"): 1,
        ("drill_failed", "account:passed"): 0, ("tick_failures", "strategy:turtle"): D("0.75"),
        ("queue_length", "queue:ticks"): 2_000, ("queue_age", "queue:orders.hyperliquid"): 300,
        ("correlation_age", "task:correlations"): 300, ("delivery_failures", "channel:ops"): 1,
    }  # fmt: skip
    assert {key: found[key].value for key in values} == values
    assert found["beat_silence", "process:beat"].value >= 300
    assert ("drill_failed", "account:running") not in found
    assert found["position_unprotected", "position:paper-1/turtle/BTC"].within == (
        "strategy:turtle", "account:paper-1", "venue:hyperliquid",
    )  # fmt: skip
    assert "ZeroDivisionError" in found["tick_failures", "strategy:turtle"].detail
    # A stop that rests protects; what never asked for one needs none.
    order_row(account, btc, "turtle", now, status="open", purpose="protective", side="sell")
    Position.objects.create(account=account, strategy="quotes", instrument=btc, quantity=1, updated_at=now)
    after = taken(cache, ["position_unprotected"], now)
    assert {scope: one.value for (_, scope), one in after.items()} == {"position:paper-1/turtle/BTC": 0}


def test_a_strategy_that_ticks_seldom_is_judged_by_its_latest_ticks(world, cache):
    now = LiveClock().now()
    StrategyRow.objects.filter(pk=world.strategy.pk).update(cadence_seconds=3_600, trigger="bar")

    def share(*statuses, since=0):
        Tick.objects.all().delete()
        for hours, status in enumerate(statuses, start=-len(statuses)):
            due, error = now + timedelta(hours=hours + 0.5 - since), "no candles" if status == "failed" else ""
            Tick.objects.create(
                strategy=world.strategy, trigger="bar", event=str(hours), status=status, deadline=now, due_at=due,
                error=error,
            )  # fmt: skip
        return taken(cache, ["tick_failures"], now)["tick_failures", "strategy:turtle"]

    assert share("done", "failed", "failed", "failed").value == 1
    assert "3 of 3 ticks: no candles" in share("done", "failed", "failed", "failed").detail
    assert share("failed", "failed", "done", "done", "done").value == 0
    # Two are too few, and what was long ago is no matter any more.
    assert share("failed", "failed").value == 0
    assert share("failed", "failed", "failed", since=3).value == 0


def test_what_is_away_is_not_known_and_says_so_itself(world, cache):
    # Nobody listens to the venue: whether it is down nobody knows.
    assert taken(cache, ["venue_down", "data_age"])["venue_down", "venue:hyperliquid"].value is None
    assert taken(cache, ["data_age"])["data_age", "venue:hyperliquid"].value is None
    nowhere = redis.Redis(port=1, socket_connect_timeout=0.1, retry=None)
    found = take(Look(FixedClock(LiveClock().now()), nowhere, lambda: None), MEASURES)
    assert {scope: one.value for scope, one in found.readings["source_down"].items()} == {
        "source:broker": 1, "source:cache": 1,
    }  # fmt: skip
    assert set(found.failures) == {
        "venue_down", "data_age", "book_age", "error_rate", "limiter_use", "queue_length",
    }  # fmt: skip


def test_the_end_of_the_trail_is_looked_at(cache):
    for _ in range(3):
        audit_append(action="noted", actor="ana")
    assert taken(cache, ["audit_broken"])["audit_broken", "trail:audit"].value == 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE monitor_auditentry SET actor = 'bob' WHERE seq = (SELECT max(seq) - 1 FROM"
                       " monitor_auditentry)")  # fmt: skip
    broken = taken(cache, ["audit_broken"])["audit_broken", "trail:audit"]
    assert broken.value == 1
    assert "was altered" in broken.detail


def test_many_of_everything_are_asked_for_in_as_many_queries_as_few(world, cache):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            taken(cache, [name for name in MEASURES if name != "limiter_use"])
        return len(queries)

    few, now = asked(), LiveClock().now()
    for number in range(5):
        account = Account.objects.create(
            code=f"more-{number}", venue=world.account.venue, portfolio=world.account.portfolio, address=str(number),
            currency="USDC",
        )  # fmt: skip
        mark_equity(account, now)
        slug = f"more-{number}"
        row = StrategyRow.objects.create(slug=slug, kind="turtle_trend", account=account, capital=1, enabled=True)
        StrategyInstrument.objects.create(strategy=row, instrument=world.btc, account=account)
        Position.objects.create(account=account, strategy=slug, instrument=world.btc, quantity=1, updated_at=now)
        order_row(account, world.btc, slug, now, stop_price=D(900), client_order_id=uuid4())
        AccountEvent.objects.create(account=account, at=now, kind="overfill", message="x")
    allocations_remember([scope_of(account, f"of-{account.code}") for account in Account.objects.all()], now)
    assert Order.objects.count() == 6
    assert asked() == few
