"""What reading through the API takes with a million orders in the database: 200 requests a second, on time or not."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from decimal import Decimal

import aiohttp
from django.db import connection, connections

from apps.exchanges.models import Account, InstrumentRow, Order, Portfolio, Position, Venue
from apps.strategies.models import StrategyRow, Tick
from moondev.domain.clock import LiveClock
from tests.bench.figures import Spread
from tests.bench.machine import Stopwatch, server_pids
from tests.bench.results import Row, Section
from tests.bench.servers import BenchError, Servers, start_afresh
from tests.bench.web import Web, web_served

ORDERS, STRATEGIES, COINS = 1_000_000, 50, 20
RATE = 200
D = Decimal


def run(servers: Servers, seconds: float) -> list[Section]:
    """Fill the table, start one web process, and ask it at a steady rate whatever it answers."""
    connections.close_all()
    start_afresh(servers)
    addresses = _world()
    with web_served() as web:
        connections.close_all()
        asyncio.run(_asked(web, addresses, 3.0))  # what is asked first pays for imports and connections
        stopwatch = Stopwatch(lambda: {**server_pids(servers.ports), "web": web.pid, "benchmark": os.getpid()})
        taken = asyncio.run(_asked(web, addresses, seconds))
        usage = stopwatch.read()
    every = [ms for kind in taken.values() for ms in kind]
    cpu = usage.processes["web"].cpu_s / len(every) * 1000
    rows = [Row("every read", Spread.of(every), usage, note=f"wanted: p99 < 50; {cpu:.2f} ms CPU of the web process")]
    rows += [Row(name, Spread.of(found)) for name, found in taken.items()]
    setting = f"{ORDERS:,} orders, {RATE} requests/s for {seconds:.0f} s over one web process, from when each was due"
    return [Section("api reads", setting, rows, usage)]


def _world() -> dict[str, str]:
    """Write the rows; return the addresses to ask, by what they are."""
    venue = Venue.objects.create(
        code="bench", protocol="hyperliquid", environment="paper", rest_url="http://127.0.0.1:9", websocket_url="ws://x"
    )
    portfolio = Portfolio.objects.create(code="bench", currency="USDC", environment="paper")
    account = Account.objects.create(code="bench-1", venue=venue, portfolio=portfolio, address="0x1", currency="USDC")
    coins = InstrumentRow.objects.bulk_create(
        InstrumentRow(venue=venue, symbol=f"C{n}", asset=f"C{n}", quote="USDC", tick=D("0.1"), lot=D("0.001"))
        for n in range(COINS)
    )
    now = LiveClock().now()
    StrategyRow.objects.bulk_create(
        StrategyRow(slug=f"s{n}", kind="turtle_trend", account=account, capital=1) for n in range(STRATEGIES)
    )
    Tick.objects.bulk_create(
        Tick(strategy=row, trigger="bar", event="1", due_at=now - timedelta(seconds=1), deadline=now, status="done",
             placed=1, report={"notes": ["breakout"], "desired": [], "refusals": []})
        for row in StrategyRow.objects.all()
    )  # fmt: skip
    Position.objects.bulk_create(
        Position(account=account, strategy=f"s{n}", instrument=coins[n % COINS], quantity=1, cost=1, updated_at=now)
        for n in range(STRATEGIES)
    )
    _million(account.pk, coins[0].pk)
    last = Order.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return {
        "the newest 50 orders": "/orders",
        "50 orders from the middle": f"/orders?before={last - ORDERS // 2}",
        "the newest 50 of one strategy": "/orders?strategy=s7",
        "those of one strategy from long ago": f"/orders?strategy=s7&before={last - ORDERS + 5_000}",
        "the live orders": "/orders?live=true",
        "one order's whole life": f"/orders/{last - ORDERS // 3}",
        "positions": "/positions",
        "strategies": "/strategies",
    }


def _million(account: int, first_coin: int) -> None:
    """Write orders as years of trading leave them: nearly all have ended, a thousand rest."""
    statement = """
        INSERT INTO exchanges_order (account_id, instrument_id, strategy, tick_id, signal_id, client_order_id,
            venue_order_id, side, order_type, time_in_force, purpose, quantity, price, covered_quantity, status,
            triggered, filled_quantity, filled_notional, venue_filled, venue_status, filled_before_amend, reserved,
            refusal_code, refusal_limit, refusal_value, reason, valid_until, claimed_by, fence, created_at, sent_at,
            acknowledged_at, closed_at, updated_at)
        SELECT %s, %s + n %% %s, 's' || n %% %s, n::text, '', gen_random_uuid(), n::text, 'buy', 'limit', 'gtc',
            'opening', 1, 1000, 0, CASE WHEN n > %s - 1000 THEN 'open' ELSE 'filled' END, false, 0, 0, 0, '', 0, 0,
            '', '', '', '', at, '', 0, at, at, at, at, at
        FROM (SELECT n, now() - (%s - n) * interval '1 second' AS at FROM generate_series(1, %s) AS n) AS made
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [account, first_coin, COINS, STRATEGIES, ORDERS, ORDERS, ORDERS])
        cursor.execute(
            "INSERT INTO exchanges_orderevent (order_id, at, source, status_from, status_to, detail)"
            " SELECT id, created_at, 'bench', 'created', 'approved', '' FROM exchanges_order WHERE id % 10 = 0"
        )
        cursor.execute("ANALYZE")


async def _asked(web: Web, addresses: dict[str, str], seconds: float) -> dict[str, list[float]]:
    """Ask at RATE for some seconds; return how long each took from the moment it was due, in milliseconds."""
    taken: dict[str, list[float]] = {name: [] for name in addresses}
    names = list(addresses)
    headers = {"Authorization": f"Bearer {web.token}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session, asyncio.TaskGroup() as group:
        began = time.perf_counter()
        for number in range(int(RATE * seconds)):
            due = began + number / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            name = names[number % len(names)]
            group.create_task(_one(session, web.api + addresses[name], due, taken[name]))
    return taken


async def _one(session: aiohttp.ClientSession, url: str, due: float, taken: list[float]) -> None:
    async with session.get(url) as answer:
        body = await answer.read()
        if answer.status != 200:
            raise BenchError(f"{url}: {answer.status} {body[:200]!r}")
    taken.append((time.perf_counter() - due) * 1000)
