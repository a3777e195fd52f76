"""A thousand followers of twenty changes a second, and five thousand who want to hear of them twice a second."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psutil
from django.db import connections

from apps.exchanges.models import Account, InstrumentRow, Portfolio, Venue
from apps.strategies.models import StrategyRow
from apps.strategies.models.strategies import StrategyInstrument
from tests.bench.figures import Spread
from tests.bench.machine import Stopwatch, server_pids
from tests.bench.results import Row, Section
from tests.bench.servers import PROJECT, BenchError, Servers, start_afresh
from tests.bench.web import Web, web_served
from tests.bench.websockets.prices import Ticking

COINS, PER_SECOND = 5, 20.0
# Descriptors that a process needs for anything else.
SPARE = 200


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many followers, each of whom wants to be told so often."""

    name: str
    followers: int
    pace: float
    wanted: str


CROWDS = (
    Crowd("1,000 followers, 20 updates/s each", 1_000, 20.0, "wanted: p99 < 250"),
    Crowd("5,000 followers, conflated to 2 updates/s", 5_000, 2.0, "up to 500 of it is what they asked for"),
)


def run(servers: Servers, seconds: float) -> list[Section]:
    """Let each crowd follow one web server for some seconds."""
    connections.close_all()
    start_afresh(servers)
    instruments = _traded()
    rows = []
    for crowd in CROWDS:
        with web_served() as web, Ticking(instruments, PER_SECOND):
            connections.close_all()
            rows.append(_followed(servers, web, crowd, seconds))
    setting = (
        f"{COINS} prices change {PER_SECOND:.0f} times/s for {seconds:.0f} s, one web process; from written to heard"
    )
    return [Section("stream", setting, rows, rows[0].usage)]


def _traded() -> list[str]:
    """Write what strategies trade; return the keys."""
    venue = Venue.objects.create(
        code="bench", protocol="hyperliquid", environment="paper", rest_url="http://127.0.0.1:9", websocket_url="ws://x"
    )
    portfolio = Portfolio.objects.create(code="bench", currency="USDC", environment="paper")
    account = Account.objects.create(code="bench-1", venue=venue, portfolio=portfolio, address="0x1", currency="USDC")
    row = StrategyRow.objects.create(slug="bench", kind="turtle_trend", account=account, capital=1)
    tick, lot = Decimal("0.1"), Decimal("0.001")
    for number in range(COINS):
        coin = InstrumentRow.objects.create(
            venue=venue, symbol=f"C{number}", asset=f"C{number}", quote="USDC", tick=tick, lot=lot
        )
        StrategyInstrument.objects.create(strategy=row, instrument=coin, account=account, exclusive=False)
    return [f"bench:C{number}" for number in range(COINS)]


def _followed(servers: Servers, web: Web, crowd: Crowd, seconds: float) -> Row:
    """Return what a crowd heard, and what it cost."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if crowd.followers + SPARE > most:
        return Row(crowd.name, Spread.of([]), note=f"not run: this machine allows {most} descriptors a process")
    before = _memory(web.pid)
    command = (
        sys.executable, "-m", "tests.bench.websockets.client", str(web.port), str(crowd.followers), str(crowd.pace),
        str(seconds),
    )  # fmt: skip
    # Its token is in the environment: a command line is everybody's to read.
    environment = {**os.environ, "STREAM_TOKEN": web.token}
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as clients:
        try:
            _line(clients)
            stopwatch = Stopwatch(lambda: {**server_pids(servers.ports), "web": web.pid, "clients": clients.pid})
            each = (_memory(web.pid) - before) / crowd.followers
            assert clients.stdin is not None
            clients.stdin.write("\n")
            clients.stdin.flush()
            heard = _line(clients)
            usage = stopwatch.read()
        finally:
            if clients.poll() is None:
                clients.terminate()
    percentiles = heard["percentiles"]
    spread = Spread(heard["messages"], percentiles.get("50"), percentiles.get("99"), heard["worst_ms"])
    rate = heard["messages"] / heard["seconds"] / crowd.followers
    note = f"{crowd.wanted}; {rate:.1f} messages/s each, {each / 1024:.0f} kB of memory each, {heard['lost']} lost"
    cpu = usage.processes["web"].cpu_s / max(1, heard["messages"]) * 1000
    return Row(crowd.name, spread, usage, cpu_ms=cpu, note=note, facts={**heard, "bytes_of_memory_each": each})


def _line(clients: subprocess.Popen[str]) -> dict[str, Any]:
    assert clients.stdout is not None
    line = clients.stdout.readline()
    if not line:
        raise BenchError(f"the followers ended with code {clients.wait(10)}")
    found: dict[str, Any] = json.loads(line)
    return found


def _memory(pid: int) -> int:
    """Return the memory of a web server, its workers included."""
    leader = psutil.Process(pid)
    return sum(one.memory_info().rss for one in (leader, *leader.children(recursive=True)))
