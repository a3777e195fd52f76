"""What a guard's look costs: the breakers' look back over orders, with a day of them behind and a flood just now."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from django.db import connection, connections

from apps.exchanges.models import Account, InstrumentRow, Order, Portfolio, Venue
from apps.exchanges.models.venues import Environment
from apps.risk.breakers.readings import venue_quality
from apps.risk.models import Metric
from moondev.domain.clock import process_clock
from tests.bench.figures import Spread
from tests.bench.results import Row, Section
from tests.bench.servers import BenchError, Servers, start_afresh

OLD = 500_000
LOOKS = 30
WINDOW = timedelta(minutes=5)


def run(servers: Servers, recent: int) -> list[Section]:
    """Write the orders, then read as the guard does each second."""
    connections.close_all()
    start_afresh(servers)
    _write(recent)
    now = process_clock().now()
    rows = [_row(metric, recent, lambda metric=metric: venue_quality(metric, WINDOW, now)) for metric in _METRICS]
    connections.close_all()
    setting = f"{OLD} orders of the last day, {recent} of the last {WINDOW.seconds // 60} minutes, one venue"
    return [Section("readings", setting, rows)]


_METRICS = (Metric.ORDER_LATENCY, Metric.ERROR_RATE)


def _row(metric: Metric, recent: int, look: Callable[[], object]) -> Row:
    samples = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        found = look()
        samples.append((time.perf_counter() - began) * 1000)
    if found != {("venue", "hyperliquid"): Decimal(40) if metric is Metric.ORDER_LATENCY else Decimal(0)}:
        raise BenchError(f"{metric} of orders that took 40 ms each is {found}")
    return Row(f"{metric} by venue", Spread.of(samples), note=f"reads the {recent} orders of its window")


def _write(recent: int) -> None:
    """Write one order with the ORM, and the others after its pattern, oldest first as they would have come."""
    now = process_clock().now()
    portfolio = Portfolio.objects.create(code="bench", currency="USDC", environment=Environment.PAPER)
    venue = Venue.objects.create(
        code="hyperliquid", protocol="hyperliquid", environment=Environment.PAPER, rest_url="http://127.0.0.1:1",
        websocket_url="ws://127.0.0.1:1",
    )  # fmt: skip
    account = Account.objects.create(code="bench", venue=venue, portfolio=portfolio, address="0x1", currency="USDC")
    row = InstrumentRow.objects.create(
        venue=venue, symbol="BTC", asset="BTC", quote="USDC", tick=Decimal("0.1"), lot=Decimal("0.001")
    )
    long_ago = now - timedelta(days=2)
    pattern = Order.objects.create(
        account=account, instrument=row, strategy="bench", tick_id="bench", client_order_id=uuid4(), side="buy",
        order_type="limit", time_in_force="gtc", purpose="opening", quantity=1, price=1, status="cancelled",
        valid_until=long_ago, created_at=long_ago, sent_at=long_ago, acknowledged_at=long_ago, updated_at=long_ago,
    )  # fmt: skip
    _copy(pattern.pk, OLD, timedelta(days=1), WINDOW * 2)
    _copy(pattern.pk, recent, WINDOW - timedelta(seconds=30), timedelta(seconds=0))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO exchanges_orderevent (order_id, at, source, status_from, status_to, detail)"
            " SELECT id, created_at, 'send', 'sending', 'open', '' FROM exchanges_order ORDER BY id"
        )
        cursor.execute("VACUUM ANALYZE exchanges_order, exchanges_orderevent")


def _copy(pattern: int, count: int, since: timedelta, until: timedelta) -> None:
    """Write `count` orders, spread evenly from `since` ago to `until` ago, each acknowledged after 40 ms."""
    told = {
        "client_order_id": "gen_random_uuid()",
        "created_at": "made.at",
        "sent_at": "made.at",
        "acknowledged_at": "made.at + interval '40 ms'",
    }
    columns = [field.column for field in Order._meta.concrete_fields if not field.primary_key]
    values = ", ".join(told.get(column, f"o.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO exchanges_order ({', '.join(columns)}) SELECT {values} FROM exchanges_order o,"
            " (SELECT now() - %s + (%s / %s) * n AS at FROM generate_series(0, %s - 1) AS n) AS made"
            " WHERE o.id = %s ORDER BY made.at",
            (since, since - until, count, count, pattern),
        )
