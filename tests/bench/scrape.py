"""What one look of Prometheus takes with fifty strategies at five venues."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from django.conf import settings
from django.db import connections

from apps.exchanges.models import Account, InstrumentRow, Portfolio, Position, Venue
from apps.risk.portfolio.figures import Figures
from apps.risk.portfolio.truth import truth_write
from apps.strategies.models import StrategyRow
from moondev.counting.store import process_store_forget
from moondev.counting.table import FILLS, ORDER_STAGES, ORDERS, TICKS, TRADED, VENUE_CALLS
from moondev.domain.clock import LiveClock
from moondev.servers.probes import free_port
from tests.bench.api import D
from tests.bench.figures import Spread
from tests.bench.machine import Stopwatch, server_pids
from tests.bench.results import Row, Section
from tests.bench.servers import PROJECT, BenchError, Servers, start_afresh

VENUES, STRATEGIES = ("hyperliquid", "binance", "bybit", "phemex", "dydx"), 50
STAGES = ("decision", "approval", "submit", "acknowledge", "fill")
STATUSES = ("approved", "refused", "open", "filled", "cancelled")
# Answers are kept for a second: each look comes later than that, and is answered anew.
APART_S = 1.1
READY_S = 120.0
FOLDER = PROJECT / "bench-results" / "run" / "metrics"


def run(servers: Servers, seconds: float) -> list[Section]:
    """Count what a busy day counts, and look at it as Prometheus does."""
    connections.close_all()
    start_afresh(servers)
    shutil.rmtree(FOLDER, ignore_errors=True)
    settings.MOONDEV_METRICS_DIR = FOLDER
    process_store_forget()
    try:
        books()
        _counted()
        connections.close_all()
        with _exporter() as (url, pid):
            stopwatch = Stopwatch(lambda: {**server_pids(servers.ports), "exporter": pid})
            taken, text = _looked(url, max(5, int(seconds / APART_S)))
            usage = stopwatch.read()
    finally:
        settings.MOONDEV_METRICS_DIR = None
        process_store_forget()
    series = sum(1 for line in text.splitlines() if line and not line.startswith("#"))
    note = f"wanted: p99 < 100; {series:,} series, {len(text) / 1024:.0f} kB"
    row = Row(
        "one scrape", Spread.of(taken), usage, cpu_ms=usage.processes["exporter"].cpu_s / len(taken) * 1000, note=note
    )
    setting = f"{STRATEGIES} strategies at {len(VENUES)} venues, each look answered anew"
    return [Section("metrics", setting, [row], usage)]


def books() -> None:
    """Write what SQL tells: accounts, strategies, positions and their figures."""
    now = LiveClock().now()
    portfolio = Portfolio.objects.create(code="bench", currency="USDC", environment="paper")
    figures = Figures(currency="USDC", equity=D(1000), realised=D(3), unrealised=D(2), fees=D(1), funding=D(0))
    told = {("paper", "total", "paper"): figures, ("paper", "portfolio", "bench"): figures}
    for code in VENUES:
        venue = Venue.objects.create(
            code=code, protocol=code, environment="paper", rest_url="http://127.0.0.1:9", websocket_url="ws://x"
        )
        account = Account.objects.create(
            code=f"{code}-1", venue=venue, portfolio=portfolio, address=f"0x{code}", currency="USDC"
        )
        coin = InstrumentRow.objects.create(
            venue=venue, symbol="BTC", asset="BTC", quote="USDC", tick=D("0.1"), lot=D("0.001")
        )
        slugs = [f"{code}-{number}" for number in range(STRATEGIES // len(VENUES))]
        StrategyRow.objects.bulk_create(
            StrategyRow(slug=slug, kind="turtle_trend", account=account, capital=1) for slug in slugs
        )
        Position.objects.bulk_create(
            Position(account=account, strategy=slug, instrument=coin, quantity=1, cost=1, updated_at=now)
            for slug in slugs
        )
        told |= {("paper", "strategy", slug): figures for slug in slugs} | {("paper", "venue", code): figures}
    truth_write(told, now)


def _counted() -> None:
    """Count for every strategy at every venue, as if each traded everywhere."""
    for venue in VENUES:
        for call in ("place", "cancel", "amend", "account"):
            VENUE_CALLS.add(venue, call, "ok", amount=1000)
        for slug in StrategyRow.objects.values_list("slug", flat=True):
            TICKS.add(slug, "done")
            FILLS.add(slug, venue)
            TRADED.add(slug, venue, amount=1000)
            for status in STATUSES:
                ORDERS.add(slug, venue, status)
            for stage in STAGES:
                ORDER_STAGES.observe(0.02, stage, slug, venue)


@contextmanager
def _exporter() -> Iterator[tuple[str, int]]:
    """Run the exporter as the platform does; yield its address and pid."""
    port = free_port()
    environment = {**os.environ, "MOONDEV_METRICS_DIR": str(FOLDER), "LOG_LEVEL": "ERROR"}
    command = (sys.executable, "manage.py", "metrics", "--port", str(port))
    process = subprocess.Popen(command, cwd=PROJECT, env=environment)
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        _wait(url)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        try:
            requests.get(url, timeout=10)
        except requests.RequestException:
            time.sleep(0.1)
            continue
        return
    raise BenchError(f"the exporter did not answer within {READY_S:.0f} s")


def _looked(url: str, times: int) -> tuple[list[float], str]:
    """Return how long each of some looks took, in milliseconds, and the last answer."""
    taken, text = [], ""
    for _ in range(times):
        time.sleep(APART_S)
        began = time.perf_counter()
        text = requests.get(url, timeout=30).text
        taken.append((time.perf_counter() - began) * 1000)
    return taken, text
