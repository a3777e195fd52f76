"""A thousand orders a second through rows, broker, signing, venue, fills and ledger; and nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from threading import Timer
from typing import Any

from django.db.models import Count, F, Max, Min, Sum

from apps.exchanges.models import Account, Fill, Order, Position
from apps.exchanges.orders.reconcile import reconcile_account
from apps.monitor.demo.report import Comparison, compare
from moondev.domain.clock import process_clock
from moondev.domain.errors import RateLimited
from moondev.domain.orders import FINAL
from tests.bench.figures import Spread
from tests.bench.load import BATCH
from tests.bench.orders import Desk, known_facts
from tests.bench.plan import WorldPlan
from tests.bench.results import Row, Section
from tests.bench.servers import PROJECT, BenchError, Servers
from tests.bench.world import World, world_of

RATE = 1_000.0
ACCOUNTS = 4
COINS = 8
DRAIN_S = 240.0
_COMPARISONS = 8
# By then the venue's allowance for one question more is there again.
_BUCKET_REFILLS_S = 10.0
# A load that cannot keep its pace takes longer; more than this many times as long is a hang.
_PATIENCE = 6


@dataclass(frozen=True, slots=True)
class Audit:
    """What became of the orders. Everything but `statuses` and `fills` must be zero or empty."""

    statuses: dict[str, int]
    fills: int
    not_final: int
    misfilled: int
    fills_missing: int
    volume_difference: Decimal
    positions_differ: list[str]
    ledger_minus_venue: list[Decimal]

    @property
    def nothing_lost(self) -> bool:
        """Return whether every order ended, every fill is booked once, and ledger and venue agree exactly."""
        return not (
            self.not_final
            or self.misfilled
            or self.fills_missing
            or self.volume_difference
            or self.positions_differ
            or any(self.ledger_minus_venue)
        )


def run(servers: Servers, seconds: float, *, limits: bool) -> list[Section]:
    """Put the load on for `seconds`, let it drain, and audit."""
    plan = WorldPlan(accounts=ACCOUNTS, coins=COINS, limits=limits, trades=2.0)
    with world_of(plan, servers) as world:
        _make_ready(world)
        with _loading(world, seconds) as process:
            stopwatch, began = world.stopwatch(), process_clock().now()
            load = _go(process)
            backlog, usage = world.live_orders(), stopwatch.read()
            drained_s = _drain(world)
            drained = stopwatch.read()
        samples = _latencies()
        # What polls the venue would use up the allowance that the audit's own questions need.
        world.supervisor.stop([name for name in world.supervisor.pids if name != "mock"])
        audit = _audit(world)
        rate, span = _achieved()
    facts = {
        "load": load,
        "achieved_per_second": rate,
        "seconds_first_row_to_last_acknowledgement": span,
        "backlog_at_end": backlog,
        "drained_after_s": drained_s,
        "began": began,
        "audit": {name: getattr(audit, name) for name in Audit.__dataclass_fields__},
        "nothing_lost": audit.nothing_lost,
    }
    done = sum(audit.statuses.values())
    rows = [
        Row("row -> acknowledged", Spread.of(samples), usage, drained.cpu_ms_per(done), _rate_note(load, rate)),
        Row("after the load", Spread.of([]), note=f"backlog {backlog} orders, drained after {drained_s:.1f} s"),
        Row("audit", Spread.of([]), note=_audit_note(audit), facts=facts),
    ]
    name = "limited" if limits else "sustained"
    setting = f"{RATE:.0f} IOC orders/s offered for {seconds:.0f} s in batches of {BATCH}; {plan.setting}"
    return [Section(name, setting, rows, usage)]


def _make_ready(world: World) -> None:
    """Wait until exposure can be judged: the guard has to have seen the strategies."""
    desks = [Desk(account, []) for account in world.accounts]
    known_facts(desks)
    world.wait(
        "equity of every strategy",
        lambda: all(
            f.strategy_equity is not None and f.account_equity is not None for f in known_facts(desks).values()
        ),
    )


@contextmanager
def _loading(world: World, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Start the load's process, ready to go; end it with the block."""
    command = [sys.executable, "-m", "tests.bench.load", "--rate", str(RATE), "--seconds", str(seconds)]
    command += ["--mock-url", world.mock_url]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, text=True)
    # A load that hangs must not hang the benchmark.
    watchdog = Timer(seconds * _PATIENCE + 120, process.kill)
    watchdog.start()
    try:
        _said(process)
        world.helpers["load"] = process.pid
        yield process
    finally:
        watchdog.cancel()
        world.helpers.pop("load", None)
        process.kill()
        process.communicate()


def _said(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise BenchError(f"the load ended with code {process.wait()}")
    return line


def _go(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Let the load begin; return what it says at its end."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    said: dict[str, Any] = json.loads(_said(process))
    return said


def _drain(world: World) -> float:
    """Wait until every order is final, at most DRAIN_S; return the seconds it took."""
    began = time.monotonic()
    while world.live_orders() and time.monotonic() - began < DRAIN_S:
        time.sleep(0.2)
    return time.monotonic() - began


def _latencies() -> list[float]:
    pairs = Order.objects.filter(acknowledged_at__isnull=False).values_list("created_at", "acknowledged_at")
    return [(acknowledged - created).total_seconds() * 1000 for created, acknowledged in pairs.iterator(5_000)]


def _achieved() -> tuple[float, float]:
    """Return acknowledged orders per second, from the first row to the last acknowledgement, and that span."""
    heard = Order.objects.filter(acknowledged_at__isnull=False).aggregate(
        count=Count("id"), first=Min("created_at"), last=Max("acknowledged_at")
    )
    if not heard["count"]:
        return 0.0, 0.0
    span = (heard["last"] - heard["first"]).total_seconds()
    return heard["count"] / span, span


def _audit(world: World) -> Audit:
    """Compare our books with the venue's, account by account."""
    comparisons = [_compare(account) for account in world.accounts]
    state = world.mock_state()
    statuses = dict(Order.objects.values_list("status").annotate(count=Count("id")))
    # The mock has opened the accounts of the floor as well; they have not traded.
    accounts = [(account, state["accounts"][account.address]) for account in world.accounts]
    volume = Fill.objects.aggregate(total=Sum(F("price") * F("quantity"), default=Decimal(0)))["total"]
    return Audit(
        statuses=statuses,
        fills=Fill.objects.count(),
        not_final=sum(count for status, count in statuses.items() if status not in FINAL),
        misfilled=_misfilled(),
        fills_missing=state["totals"]["fills"] - Fill.objects.count(),
        volume_difference=sum((Decimal(theirs["volume"]) for _, theirs in accounts), Decimal(0)) - volume,
        positions_differ=[account.code for account, theirs in accounts if _held(account.pk) != _exact(theirs)],
        ledger_minus_venue=[comparison.difference for comparison in comparisons],
    )


def _compare(account: Account) -> Comparison:
    """Reconcile and compare; again when funding came in between, or when the venue asks us to wait."""
    found: Comparison | None = None
    for _ in range(_COMPARISONS):
        try:
            reconcile_account(account.pk)
            found = compare(account)
        except RateLimited:
            time.sleep(_BUCKET_REFILLS_S)
            continue
        if found.difference == 0:
            return found
        time.sleep(1.0)
    if found is None:
        raise BenchError(f"the venue's limits let nobody ask for account {account.code}")
    return found


def _misfilled() -> int:
    """Return how many orders have not exactly the sum of their fills, or not what the venue says is filled."""
    summed = Order.objects.annotate(booked=Sum("fills__quantity", default=Decimal(0)))
    wrong = summed.exclude(filled_quantity=F("booked")).count()
    return wrong + Order.objects.filter(status="filled").exclude(filled_quantity=F("quantity")).count()


def _held(account_id: int) -> dict[str, Decimal]:
    rows = Position.objects.filter(account_id=account_id).values_list("instrument__symbol")
    return {symbol: total for symbol, total in rows.annotate(total=Sum("quantity")) if total}


def _exact(theirs: dict[str, Any]) -> dict[str, Decimal]:
    return {coin: Decimal(size) for coin, size in theirs["positions"].items() if Decimal(size)}


def _rate_note(load: dict[str, Any], rate: float) -> str:
    return (
        f"{rate:.0f} orders/s achieved (first row to last acknowledgement), {load['approved']} of {load['asked']} "
        f"approved in {load['seconds']:.1f} s"
    )


def _audit_note(audit: Audit) -> str:
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(audit.statuses.items()))
    verdict = "nothing lost" if audit.nothing_lost else "LOST OR DIFFERENT"
    return f"{verdict}: {statuses}; {audit.fills} fills, ledger - venue {_total(audit.ledger_minus_venue):f}"


def _total(amounts: Sequence[Decimal]) -> Decimal:
    return sum((abs(amount) for amount in amounts), Decimal(0)).normalize()
