"""One benchmark's world: the mock exchange, every process of the platform, accounts with money."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import requests
from django.conf import settings
from django.db import connections, transaction

from apps.exchanges.market_data.cache import redis_client, state_key
from apps.exchanges.market_data.listings import instruments_refresh
from apps.exchanges.models import Account, EquityMark, InstrumentRow, Order, Portfolio, ScopeKind
from apps.exchanges.models.venues import Environment
from apps.monitor.demo import seed
from apps.monitor.demo.mock_accounts import open_account, wait_for_mock
from apps.monitor.demo.paper import PaperAccount
from apps.monitor.demo.ports import Ports
from apps.monitor.demo.processes import platform_processes
from apps.monitor.demo.supervisor import ProcessSpec, Supervisor
from apps.monitor.demo.venues import HOME, VENUES
from apps.risk.models import LimitKind
from apps.risk.services import limit_set
from moondev.celery import app
from moondev.domain.clock import process_clock
from moondev.domain.orders import NON_FINAL
from tests.bench.machine import Stopwatch, server_pids
from tests.bench.plan import VENUE, WorldPlan, floor_accounts, free_ports
from tests.bench.servers import PROJECT, BenchError, Servers, start_afresh

RUN_FOLDER = PROJECT / "bench-results" / "run"
READY_S = 180.0
_POLL_S = 0.1


@dataclass(slots=True)
class World:
    """A running platform and its books. `helpers` are pids of programs that only the benchmark needs."""

    plan: WorldPlan
    servers: Servers
    supervisor: Supervisor
    accounts: list[Account]
    instruments: dict[str, InstrumentRow]
    papers: Mapping[str, PaperAccount]
    mock_url: str
    helpers: dict[str, int] = field(default_factory=dict)

    def census(self) -> dict[str, int]:
        """Return the pid of every process that belongs to this run, the benchmark itself included."""
        return {**server_pids(self.servers.ports), **self.supervisor.pids, **self.helpers, "benchmark": os.getpid()}

    def stopwatch(self) -> Stopwatch:
        """Return a stopwatch over every process of this run."""
        return Stopwatch(self.census)

    def mock_state(self) -> dict[str, Any]:
        """Return what the mock exchange has seen, from its own control page."""
        reply = requests.get(f"{self.mock_url}/admin/state", timeout=30)
        reply.raise_for_status()
        return cast("dict[str, Any]", reply.json())

    def wait(self, what: str, done: Callable[[], object], timeout_s: float = READY_S) -> None:
        """Wait until `done`; a process that ends meanwhile is an error, and so is a wait that is too long."""
        deadline = time.monotonic() + timeout_s
        while not done():
            for sentence in self.supervisor.check():
                raise BenchError(sentence)
            if time.monotonic() > deadline:
                raise BenchError(f"waited {timeout_s:.0f} s for {what}; logs are in {RUN_FOLDER}")
            time.sleep(_POLL_S)

    def wait_for_market_data(self) -> None:
        """Wait until Redis has heard of every coin."""
        keys = [state_key(row.key) for row in self.instruments.values()]
        client = redis_client()
        self.wait("market data", lambda: client.exists(*keys) == len(keys))

    def live_orders(self) -> int:
        """Return how many orders are not final."""
        return Order.objects.filter(status__in=sorted(NON_FINAL)).count()


@contextmanager
def world_of(plan: WorldPlan, servers: Servers) -> Iterator[World]:
    """Run the platform on a fresh database while the block runs; end every process of it afterwards."""
    connections.close_all()
    start_afresh(servers)
    purge_queues()
    mock_port, web = free_ports(2)
    mock_url = f"http://localhost:{mock_port}"
    papers = {code: PaperAccount(code, plan.deposit) for code in (*plan.account_codes, *floor_accounts())}
    _prepare_environment(plan, mock_url)
    supervisor = Supervisor(environment=os.environ, folder=PROJECT, logs=RUN_FOLDER)
    try:
        supervisor.start([_mock(plan, mock_port)])
        wait_for_mock(mock_url, timeout_s=READY_S, alive=lambda: None)
        for paper in papers.values():
            open_account(mock_url, paper, process_clock())
        accounts, instruments = _seed(plan, papers, mock_url)
        supervisor.start(platform_processes([VENUE], Ports(mock_port, web)))
        world = World(plan, servers, supervisor, accounts, instruments, papers, mock_url)
        world.wait("workers", workers_listen)
        world.wait("equity of every account", lambda: _marked(accounts))
        yield world
    finally:
        supervisor.stop()
        connections.close_all()


def purge_queues() -> None:
    """Empty the platform's queues. Refused while somebody listens: then they are another platform's."""
    with app.connection_for_write() as connection, connection.channel() as channel:
        for queue in app.conf.task_queues:
            bound = queue(channel)
            bound.declare()
            if channel.queue_declare(queue=queue.name, passive=True).consumer_count:
                raise BenchError(f"somebody consumes queue {queue.name} of this broker: a platform is running on it")
            bound.purge()


def workers_listen() -> bool:
    """Return whether every queue has a consumer."""
    with app.connection_for_read() as connection, connection.channel() as channel:
        return all(
            channel.queue_declare(queue=queue.name, passive=True).consumer_count for queue in app.conf.task_queues
        )


def _prepare_environment(plan: WorldPlan, mock_url: str) -> None:
    """Tell every process of the run, and this one, where the mock is; a halt of an earlier run binds no more."""
    os.environ["MOCK_URL"] = settings.MOCK_URL = mock_url
    # Nobody counts against limits that the venue does not have.
    os.environ["MOONDEV_RATE_LIMITS"] = settings.MOONDEV_RATE_LIMITS = "on" if plan.limits else "off"
    settings.MOONDEV_HALT_FILE.unlink(missing_ok=True)


def _mock(plan: WorldPlan, port: int) -> ProcessSpec:
    options = {
        "--port": port,
        "--coins": ",".join(plan.symbols),
        "--updates": plan.updates,
        "--trades": plan.trades,
        "--limits": "on" if plan.limits else "off",
        "--book-interval-ms": 500,
    }
    words = [str(word) for pair in options.items() for word in pair]
    return ProcessSpec("mock", [sys.executable, "-m", "tests.bench.mock", *words])


@transaction.atomic
def _seed(
    plan: WorldPlan, papers: Mapping[str, PaperAccount], mock_url: str
) -> tuple[list[Account], dict[str, InstrumentRow]]:
    """Write the rows as the demo's seed does, for accounts of ours."""
    clock = process_clock()
    venue = seed._venue(VENUES[HOME], mock_url)
    instruments_refresh(venue)
    instruments = {row.symbol: row for row in InstrumentRow.objects.filter(venue=venue)}
    portfolio = Portfolio.objects.create(code="bench", currency="USDC", environment=Environment.PAPER)
    accounts = [seed._account(papers[code], venue, portfolio, clock) for code in plan.account_codes]
    seed._limits(portfolio, clock, speed=1.0)
    _widen(portfolio)
    seed._activate(portfolio, accounts, clock)
    return accounts, instruments


def _widen(portfolio: Portfolio) -> None:
    """Let as many orders be placed and rest as a benchmark asks for: the seeds suit a portfolio, not a flood."""
    wide = {LimitKind.MAX_OPEN_ORDERS: 10**6, LimitKind.ORDERS_PER_MINUTE: 10**6, LimitKind.MAX_GROSS_EXPOSURE: 10**10,
            LimitKind.MAX_NET_EXPOSURE: 10**10}  # fmt: skip
    for kind, value in wide.items():
        limit_set(
            kind=kind, scope_kind=ScopeKind.PORTFOLIO, scope_key=portfolio.code, value=Decimal(value), actor="bench",
            now=process_clock().now(),
        )  # fmt: skip


def _marked(accounts: Sequence[Account]) -> bool:
    marked = EquityMark.objects.filter(account__in=accounts).values("account_id").distinct().count()
    return marked == len(accounts)
