"""The kill switch over five venues at once: from the order to stop until the mock has cancelled the last order."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import requests
from django.conf import settings
from django.db import connections, transaction

from apps.exchanges.accounts.balances import equity_mark
from apps.exchanges.execution.sender import Sender, worker_name
from apps.exchanges.execution.sessions import VenueSessions
from apps.exchanges.market_data.listings import instruments_refresh
from apps.exchanges.models import Account, InstrumentRow, Order, Portfolio, Signer, Venue, Veto
from apps.exchanges.models.venues import Environment
from apps.exchanges.orders.reconcile import reconcile_account
from apps.exchanges.registry import market_data_for
from apps.monitor.demo import seed
from apps.monitor.demo.mock_accounts import open_account, wait_for_mock
from apps.monitor.demo.paper import PaperAccount, paper_secrets
from apps.monitor.demo.ports import Ports
from apps.monitor.demo.processes import platform_processes
from apps.monitor.demo.supervisor import ProcessSpec, Supervisor
from apps.monitor.demo.venues import VENUES
from apps.risk.services import seed_limits
from moondev.domain.clock import milliseconds, process_clock
from tests.bench.figures import Spread
from tests.bench.machine import Stopwatch, server_pids
from tests.bench.orders import MAKER, Desk, Market, known_facts
from tests.bench.plan import free_ports
from tests.bench.results import Row, Section
from tests.bench.servers import PROJECT, BenchError, Servers, start_afresh
from tests.bench.world import READY_S, RUN_FOLDER

RESTING = 100
DEPOSIT = Decimal(1_000_000)
COINS = ("BTC", "ETH", "SOL")
_STOP_S, _REST_S = 120.0, 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What one venue has seen of the stop: requests to cancel, and milliseconds until the last it carried out."""

    requests: int
    last_ms: float
    left: int


def run(servers: Servers) -> list[Section]:
    """Rest a hundred orders at each venue, then stop everything with the command that people use."""
    papers = {code: PaperAccount(f"five-{code}", DEPOSIT, code) for code in VENUES}
    with _environment(papers.values()), _platform(servers, papers) as (supervisor, mock_url):
        _mark_all()
        for desk in _desks(papers):
            _rest(desk)
        at_rest = _wait_for_rest()
        stopwatch = Stopwatch(lambda: {**server_pids(servers.ports), **supervisor.pids})
        _engage()
        usage = stopwatch.read()
        first = Veto.objects.order_by("pk")[0]
        engaged_ms = milliseconds(first.engaged_at)
        seen = {code: _seen(mock_url, papers[code], engaged_ms) for code in VENUES}
        done = {veto.venue_id: veto.done_at for veto in Veto.objects.filter(done_at__isnull=False)}
    setting = f"{at_rest} orders rest, {RESTING} at each of {len(VENUES)} venues, one account each; limits OFF"
    last = max(one.last_ms for one in seen.values())
    left = sum(one.left for one in seen.values())
    rows = [
        Row("engage -> last of all cancels", Spread.of([last]), note=f"the mock's stamps; {left} open afterwards"),
        *(
            Row(f"{code}: last cancel", Spread.of([one.last_ms]), note=f"{one.requests} requests to cancel")
            for code, one in seen.items()
        ),
        *(
            Row(f"{code}: halt done", Spread.of([(at - first.engaged_at).total_seconds() * 1000]), note="twice empty")
            for code, at in done.items()
            if at is not None
        ),
    ]
    return [Section("kill switch over five venues", setting, rows, usage)]


@contextmanager
def _environment(papers: Iterable[PaperAccount]) -> Iterator[None]:
    """Let this process and all it starts know five venues, their keys, and no limits, while the block runs."""
    before, venues = dict(os.environ), settings.MOONDEV_VENUES
    os.environ |= {"MOONDEV_VENUES": ",".join(VENUES), "MOONDEV_RATE_LIMITS": "off", **paper_secrets(list(papers))}
    settings.MOONDEV_VENUES, settings.MOONDEV_RATE_LIMITS = tuple(VENUES), "off"
    settings.MOONDEV_HALT_FILE.unlink(missing_ok=True)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
        settings.MOONDEV_VENUES = venues


@contextmanager
def _platform(servers: Servers, papers: Mapping[str, PaperAccount]) -> Iterator[tuple[Supervisor, str]]:
    """Run the mock with five wires and the five veto workers, and nothing else, while the block runs."""
    connections.close_all()
    start_afresh(servers)
    mock_port, web = free_ports(2)
    url = f"http://localhost:{mock_port}"
    supervisor = Supervisor(environment=os.environ, folder=PROJECT, logs=RUN_FOLDER)
    try:
        command = f"-m apps.exchanges.mock --port {mock_port} --coins {','.join(COINS)} --limits off"
        supervisor.start([ProcessSpec("mock", [sys.executable, *command.split()])])
        wait_for_mock(url, timeout_s=READY_S, alive=lambda: None)
        for paper in papers.values():
            open_account(url, paper, process_clock())
        _seed(papers, url)
        workers = platform_processes(list(VENUES), Ports(mock_port, web))
        supervisor.start([spec for spec in workers if spec.name.startswith("vetoes-")])
        yield supervisor, url
    finally:
        supervisor.stop()
        connections.close_all()


@transaction.atomic
def _seed(papers: Mapping[str, PaperAccount], url: str) -> None:
    """Write the rows as the demo does, for one account at each venue."""
    clock = process_clock()
    for code, venue in VENUES.items():
        row = seed._venue(venue, url)
        instruments_refresh(row)
        portfolio, _ = Portfolio.objects.get_or_create(
            code=venue.portfolio, defaults={"currency": venue.currency, "environment": Environment.PAPER}
        )
        seed_limits(portfolio.code, actor="bench", now=clock.now())
        seed._activate(portfolio, [seed._account(papers[code], row, portfolio, clock)], clock)


def _desks(papers: Mapping[str, PaperAccount]) -> Iterator[Desk]:
    for code, paper in papers.items():
        rows = InstrumentRow.objects.filter(venue_id=code, symbol__in=[VENUES[code].symbol_of(coin) for coin in COINS])
        yield Desk(Account.objects.get(code=paper.code), list(rows), wake=lambda _: None)


def _mark_all() -> None:
    """Take every account's equity from its venue: the review opens nothing on an unknown one."""
    sessions = VenueSessions()
    for account in Account.objects.order_by("pk"):
        client = sessions.session(account.pk, Signer.Purpose.DIRECT).client
        equity_mark(account.pk, client.account_snapshot(), process_clock().now())


def _rest(desk: Desk) -> None:
    """Record orders far from the market and send them from this process."""
    venue = Venue.objects.get(pk=desk.account.venue_id)
    client = market_data_for(venue.to_config())
    market = Market({symbol: price.value for symbol, price in client.marks().items()})
    client.close()
    desk.record(RESTING, MAKER, market, known_facts([desk]), run="resting")
    Sender(process_clock(), VenueSessions(), worker_name()).send(desk.account.pk)


def _wait_for_rest() -> int:
    """Ask every venue until all orders rest: a chain says so only in a later block. Return how many there are."""
    sessions, clock, wanted = VenueSessions(), process_clock(), RESTING * len(VENUES)
    deadline = time.monotonic() + _REST_S
    while (at_rest := Order.objects.filter(status="open").count()) != wanted:
        if time.monotonic() > deadline:
            others = list(Order.objects.exclude(status="open").values_list("account__code", "status", "reason")[:3])
            raise BenchError(f"{at_rest} orders rest where {wanted} should; others are {others}")
        time.sleep(0.5)
        for account_id in Order.objects.exclude(status="open").values_list("account_id", flat=True).distinct():
            reconcile_account(account_id, sessions, clock)
    return at_rest


def _engage() -> None:
    command = [sys.executable, "manage.py", "kill_switch", "engage", "--reason", "bench"]
    subprocess.run(command, check=True, cwd=PROJECT, env=dict(os.environ), timeout=_STOP_S, capture_output=True)


def _seen(mock_url: str, paper: PaperAccount, engaged_ms: int) -> Seen:
    reply = requests.get(f"{mock_url}/admin/state", json={"venue": paper.venue_code}, timeout=30)
    reply.raise_for_status()
    state = cast("dict[str, Any]", reply.json())["accounts"][paper.address.lower()]
    cancels: Sequence[dict[str, int]] = [count for kind, count in state["actions"].items() if "cancel" in kind.lower()]
    if not cancels:
        raise BenchError(f"{paper.venue_code} has seen no cancel, only {sorted(state['actions'])}")
    last = max(count["last_accepted_ms"] or count["last_ms"] for count in cancels)
    return Seen(sum(count["received"] for count in cancels), float(last - engaged_ms), state["open_orders"])
