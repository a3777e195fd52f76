"""The platform as it runs for real: every process its own, on servers of the tests' own, against the mock exchange."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from django.core.management import call_command
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.market_data.listings import instruments_refresh
from apps.exchanges.models import Account, Portfolio, ScopeKind, Signer, TradingMode, Transfer, Venue
from apps.exchanges.models.venues import Environment
from apps.monitor.demo.mock_accounts import open_account, wait_for_mock
from apps.monitor.demo.paper import PURPOSES, PaperAccount, paper_secrets
from apps.monitor.demo.ports import Ports
from apps.monitor.demo.processes import platform_processes
from apps.monitor.demo.supervisor import ProcessSpec, Supervisor
from apps.risk.services import seed_limits
from apps.strategies.orchestrator.schedule import schedule_sync
from moondev.celery import app
from moondev.domain.clock import process_clock
from moondev.servers.probes import free_port
from tests.chaos import stops
from tests.chaos.pointing import pointed_at
from tests.chaos.servers import PrivateServers
from tests.chaos.venue import Mock
from tests.chaos.waiting import wait_until

PROJECT = Path(__file__).resolve().parents[2]
VENUE = "hyperliquid"
READY_SECONDS = 120.0
# A database of Redis that is not the one people use by default.
REDIS_DATABASE = 3
DEPOSIT = Decimal(100_000)
# What a test needs of the platform; the rest (web, Flower, market stream) has no part in an order's life.
ORDERS, VETOES = f"orders-{VENUE}", f"vetoes-{VENUE}"
USER_STREAM, TICKS, PORTFOLIO, GENERAL, BEAT = f"stream-user-{VENUE}", "ticks", "portfolio", "general", "beat"
EVERYTHING = (ORDERS, VETOES, USER_STREAM, TICKS, PORTFOLIO, GENERAL, BEAT)
# Ticks run strategies that do as they are told, the forbidden included.
SCRIPTED = "tests.integration.tick_worker_library"
# Reconciliation comes round so often here, in seconds: by a line of the schedule as an operator may add one.
RECONCILE_EVERY = 3


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a platform's servers are. Nobody else uses `database` and `cache`; `server` makes the first."""

    server: str
    database: str
    cache: str
    broker: str

    @classmethod
    def of(cls, servers: PrivateServers) -> Addresses:
        """Return addresses at servers of the tests' own."""
        server, cache = servers.url("postgres"), servers.url("redis")
        return cls(server, at_path(server, "chaos"), at_path(cache, str(REDIS_DATABASE)), servers.url("rabbitmq"))


def at_path(url: str, path: str) -> str:
    """Return a server's address with another database."""
    return urlsplit(url)._replace(path=f"/{path}").geturl()


@dataclass(slots=True)
class Platform:
    """A running platform. `environment` is that of each of its processes."""

    environment: dict[str, str]
    supervisor: Supervisor
    mock: Mock
    accounts: list[Account]
    logs: Path

    @property
    def database_url(self) -> str:
        """Return the address of the platform's database."""
        return self.environment["DATABASE_URL"]

    def take_account(self) -> Account:
        """Return an account that nobody has traded on."""
        return self.accounts.pop()

    def wait(self, what: str, holds: Callable[[], object], seconds: float = 60.0) -> None:
        """Wait for something while the supervisor does its work: what was killed is started again."""

        def look() -> object:
            self.supervisor.check()
            return holds()

        wait_until(f"{what}; logs are in {self.logs}", look, seconds)

    def kill(self, name: str) -> None:
        """SIGKILL a process: no handler runs, nothing is given back. The supervisor has not noticed yet."""
        pid = self.supervisor.pids[name]
        os.kill(pid, signal.SIGKILL)
        wait_until(f"{name} to be gone", lambda: _gone(pid), 10)

    def restarted(self, name: str, since: int) -> bool:
        """Return whether the supervisor has started a process again since it had done so `since` times."""
        return self.supervisor.restarts[name] > since and name in self.supervisor.pids

    def listens(self) -> bool:
        """Return whether every worker that runs answers."""
        workers = sum(name in self.supervisor.pids for name in (ORDERS, VETOES, TICKS, PORTFOLIO, GENERAL))
        return len(app.control.ping(timeout=1.0, limit=workers)) >= workers

    def streams(self) -> bool:
        """Return whether the user stream of every account is connected."""
        return bool(self.mock.state()["connections"] >= Account.objects.count())

    def wait_ready(self) -> None:
        """Wait until every worker listens and every account is streamed."""
        self.wait("the workers", self.listens, READY_SECONDS)
        self.wait("the user streams", self.streams, READY_SECONDS)


@contextmanager
def running_platform(
    addresses: Addresses, folder: Path, *, accounts: int, names: Sequence[str] = EVERYTHING, library: str = SCRIPTED
) -> Iterator[Platform]:
    """Run a platform on an empty database while the block runs; who speaks to it is `pointed_at` its environment.

    `names` are the processes wanted; ticks know the strategies of `library`, too.
    """
    papers = [PaperAccount(f"paper-{number:02}", DEPOSIT) for number in range(1, accounts + 1)]
    mock_port = free_port()
    environment = _environment(addresses, folder, f"http://127.0.0.1:{mock_port}", papers)
    _fresh_database(addresses)
    supervisor = Supervisor(environment={**os.environ, **environment}, folder=PROJECT, logs=folder / "logs")
    platform = Platform(environment, supervisor, Mock(environment["MOCK_URL"]), [], folder / "logs")
    specs = {spec.name: spec for spec in [_mock(mock_port), *_platform(mock_port, library)]}
    try:
        with pointed_at(environment):
            _start(platform, papers, specs["mock"], [specs[name] for name in names])
        yield platform
    finally:
        supervisor.stop()
        _drop_database(addresses)


def _start(
    platform: Platform, papers: Sequence[PaperAccount], mock: ProcessSpec, others: Sequence[ProcessSpec]
) -> None:
    """Start the venue, write the rows, start everybody else and wait for them."""
    platform.supervisor.start([mock])
    call_command("migrate", verbosity=0)
    stops.install(platform.database_url)
    wait_for_mock(platform.mock.url, timeout_s=READY_SECONDS, alive=lambda: None)
    platform.mock.open_market()
    platform.accounts = _seed(papers, platform.mock.url)
    platform.supervisor.start(others)
    platform.wait_ready()


def _environment(addresses: Addresses, folder: Path, mock_url: str, papers: Sequence[PaperAccount]) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "moondev.settings.dev",
        "DATABASE_URL": addresses.database,
        "REDIS_URL": addresses.cache,
        "BROKER_URL": addresses.broker,
        "MOCK_URL": mock_url,
        "MOONDEV_HALT_FILE": str(folder / "halt"),
        "MOONDEV_CLOCK": "",
        "MOONDEV_RATE_LIMITS": "off",
        "PYTHONPATH": str(PROJECT),
        **paper_secrets(papers),
    }


def _fresh_database(addresses: Addresses) -> None:
    _drop_database(addresses)
    _at_server(addresses, "CREATE DATABASE {}")


def _drop_database(addresses: Addresses) -> None:
    _at_server(addresses, "DROP DATABASE IF EXISTS {} WITH (FORCE)")


def _at_server(addresses: Addresses, statement: str) -> None:
    """Run a statement about the platform's database, which cannot be run inside it."""
    with closing(psycopg2.connect(addresses.server)) as link:
        link.autocommit = True
        with link.cursor() as cursor:
            cursor.execute(statement.format(urlsplit(addresses.database).path.strip("/")))


def _mock(port: int) -> ProcessSpec:
    command = ["-m", "apps.exchanges.mock", "--port", str(port), "--feed", "none", "--limits", "off"]
    python = platform_processes([VENUE], Ports(port, port))[0].command[0]
    return ProcessSpec("mock", [python, *command])


def _platform(port: int, library: str) -> list[ProcessSpec]:
    return [_adapted(spec, library) for spec in platform_processes([VENUE], Ports(port, port))]


def _adapted(spec: ProcessSpec, library: str) -> ProcessSpec:
    """Give the senders enough threads to be stopped in several places at once, and ticks their strategies."""
    command = list(spec.command)
    if spec.name == ORDERS:
        command = ["--concurrency=12" if word.startswith("--concurrency") else word for word in command]
    if spec.name == TICKS:
        command += ["--include", library]
    return replace(spec, command=command, stop_s=5.0)


def _seed(papers: Sequence[PaperAccount], mock_url: str) -> list[Account]:
    """Write what an operator would: a venue with what it lists, and accounts whose portfolios have the usual limits."""
    venue = Venue.objects.create(
        code=VENUE,
        protocol="hyperliquid",
        environment=Environment.PAPER,
        rest_url=f"{mock_url}/hl",
        websocket_url=f"{mock_url.replace('http', 'ws', 1)}/hl/ws",
    )
    instruments_refresh(venue)
    schedule_sync()
    often, _ = IntervalSchedule.objects.get_or_create(every=RECONCILE_EVERY, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.create(
        name="reconcile often",
        task="exchanges.orders_reconcile",
        interval=often,
        kwargs=json.dumps({"venue": VENUE}),
        expire_seconds=RECONCILE_EVERY,
    )
    return [_account(paper, venue, mock_url) for paper in papers]


def _account(paper: PaperAccount, venue: Venue, mock_url: str) -> Account:
    """Open an account at the venue and write it down, in a portfolio of its own, ready to trade."""
    clock = process_clock()
    open_account(mock_url, paper, clock)
    portfolio = Portfolio.objects.create(code=paper.code, currency="USDC", environment=Environment.PAPER)
    account = Account.objects.create(
        code=paper.code, venue=venue, portfolio=portfolio, address=paper.address, currency="USDC"
    )
    for purpose in PURPOSES:
        Signer.objects.create(
            account=account,
            purpose=purpose,
            address=paper.signer_address(purpose),
            secret_name=paper.secret_name(purpose),
        )
    Transfer.objects.create(account=account, amount=paper.deposit, at=clock.now(), reference="opening")
    seed_limits(portfolio.code, actor="test", now=clock.now())
    for kind, key in ((ScopeKind.PORTFOLIO, portfolio.code), (ScopeKind.ACCOUNT, account.code)):
        trading_state_set(
            scope_kind=kind, scope_key=key, mode=TradingMode.ACTIVE, reason="test", actor="test", now=clock.now()
        )
    return account


def _gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True
