"""From a breach to a veto that its worker has taken, while thousands of orders wait to be sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, QuerySet

from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.models import Account, Portfolio, ScopeKind, TradingMode, Veto
from apps.exchanges.models.venues import Environment
from apps.risk import vetoes
from apps.risk.guard import ACTOR, CONFIRMATIONS
from apps.risk.models import HighWaterMark
from apps.risk.scope import ScopeId
from apps.risk.services import seed_limits
from moondev.domain.clock import process_clock
from tests.bench.figures import Spread
from tests.bench.kill_switch import equity_known, record, stopped, unsent
from tests.bench.orders import Desk, known_facts
from tests.bench.plan import WorldPlan
from tests.bench.results import Row, Section
from tests.bench.servers import Servers
from tests.bench.world import World, world_of

PLAN = WorldPlan(accounts=5, coins=8)
DECISIONS, GROUP, BREACHES = 100, 50, 2
# A portfolio of its own, so that stopping it leaves the queue of the others alone.
PROBE = "probe"
# 27 % below the peak: beyond the portfolio's limit of 25 %, and not yet what stops everything.
_FALLEN_TO = Decimal("0.73")
_POLL_S = 0.001


@dataclass(frozen=True, slots=True)
class Stop:
    """Milliseconds of one stop: until it was decided, and from then until its worker had taken it."""

    decided: float
    taken: float


@dataclass(slots=True)
class Queue:
    """Orders that wait while we measure: filled up before each group of samples, and being sent during it."""

    world: World
    desks: Sequence[Desk]
    length: int
    least: int

    def fill(self) -> None:
        """Add what is missing, once: the sender works meanwhile, and a busy machine may never catch up with it."""
        record(self.world, self.desks, self.length - unsent(), "queued")

    def measured(self, samples: int, sample: Callable[[], Stop]) -> list[Stop]:
        """Take so many samples with the queue full before the first."""
        self.fill()
        found = [sample() for _ in range(samples)]
        self.least = min(self.least, unsent())
        return found


def run(servers: Servers, queued: int) -> list[Section]:
    """Queue orders, let the senders work on them, and meanwhile decide and breach again and again."""
    with world_of(PLAN, servers) as world:
        probe = world.accounts[-1]
        _set_apart(probe)
        desks = [Desk(account, list(world.instruments.values())) for account in world.accounts[:-1]]
        known_facts(desks)
        world.wait("equity of every strategy", lambda: equity_known(desks))
        world.wait("a mark of the portfolio", lambda: _marks().exists())
        queue, share = Queue(world, desks, queued, queued), min(1.0, queued / 20_000)
        # Before the first order the sender is idle: held still in the middle of a transaction it would keep its locks.
        with stopped(world.supervisor.pids["orders-hyperliquid"]):
            queue.fill()
        stopwatch = world.stopwatch()
        groups = [queue.measured(GROUP, lambda: _decide(world, probe)) for _ in range(round(DECISIONS * share / GROUP))]
        decisions = [stop for group in groups for stop in group]
        breaches = [stop for _ in range(round(BREACHES * share)) for stop in queue.measured(1, lambda: _breach(world))]
        usage = stopwatch.read()
    setting = f"{queued} opening orders queued and being sent, never fewer than {queue.least}; {PLAN.setting}"
    looks = f"the guard looks once a second and wants to see it {CONFIRMATIONS} times: 1 to 2 s of this are on purpose"
    rows = [
        _row("decided -> taken by the veto worker", [stop.taken for stop in decisions], "by hand; target p99 < 250 ms"),
        _row("breach in the data -> decided", [stop.decided for stop in breaches], looks),
        _row("decided -> taken, by risk_guard", [stop.taken for stop in breaches], "the same target"),
        _row("breach in the data -> taken", [stop.decided + stop.taken for stop in breaches], "what a loss waits for"),
    ]
    return [Section("breach", setting, rows, usage)]


def _set_apart(account: Account) -> None:
    """Give one account a portfolio of its own, with the usual limits, ready to trade."""
    now = process_clock().now()
    portfolio = Portfolio.objects.create(code=PROBE, currency="USDC", environment=Environment.PAPER)
    Account.objects.filter(pk=account.pk).update(portfolio=portfolio)
    seed_limits(PROBE, actor="bench", now=now)
    trading_state_set(
        scope_kind=ScopeKind.PORTFOLIO, scope_key=PROBE, mode=TradingMode.ACTIVE, reason="bench", actor="bench", now=now
    )


def _decide(world: World, account: Account) -> Stop:
    """Halt the account without orders as a person or a breaker does, see it taken, and release it."""
    scope = (ScopeKind.ACCOUNT.value, account.code)
    began = process_clock().now()
    engaged = vetoes.engage(
        scope=scope, mode=TradingMode.HALTED, flatten=False, reason="bench", actor="bench", now=began
    )
    stop = Stop(0.0, _taken(world, engaged.veto_ids[0], began))
    _release(world, scope)
    return stop


def _breach(world: World) -> Stop:
    """Write a loss into what the guard reads, wait until it has stopped the portfolio, and release it."""
    scope = (ScopeKind.PORTFOLIO.value, PROBE)
    # The guard must have seen the portfolio whole once, or what it saw before the release counts as the first sight.
    at = process_clock().now()
    world.wait("the guard to see no breach", lambda: _marks().filter(marked_at__gt=at).exists())
    before = Veto.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    began = process_clock().now()
    _marks().update(peak=F("equity") / _FALLEN_TO)
    found = Veto.objects.filter(pk__gt=before, scope_kind=scope[0], scope_key=scope[1], actor__startswith=ACTOR)
    _poll(world, "the guard to stop the portfolio", found.exists)
    veto = found.order_by("pk")[0]
    stop = Stop(_ms(began, veto.engaged_at), _taken(world, veto.pk, veto.engaged_at))
    _release(world, scope)
    return stop


def _taken(world: World, veto_id: int, decided: datetime) -> float:
    """Return the milliseconds from the decision until a worker holds the veto's lease."""
    _poll(world, "a worker to take the veto", lambda: _is_taken(veto_id))
    return _ms(decided, process_clock().now())


def _is_taken(veto_id: int) -> bool:
    worker, done_at = Veto.objects.values_list("worker", "done_at").get(pk=veto_id)
    return bool(worker) or done_at is not None


def _release(world: World, scope: ScopeId) -> None:
    world.wait("the halt to be done", lambda: not vetoes.open_vetoes(scope))
    vetoes.release(scope=scope, reason="bench", actor="bench", now=process_clock().now())


def _poll(world: World, what: str, done: Callable[[], bool]) -> None:
    """Wait as `world.wait` does, but look a thousand times a second: what is measured is short."""
    deadline = time.monotonic() + 30.0
    while not done():
        if time.monotonic() > deadline:
            world.wait(what, lambda: False, timeout_s=0.0)
        time.sleep(_POLL_S)


def _marks() -> QuerySet[HighWaterMark]:
    return HighWaterMark.objects.filter(scope_kind=ScopeKind.PORTFOLIO, scope_key=PROBE)


def _ms(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() * 1000


def _row(name: str, samples: Sequence[float], note: str) -> Row:
    return Row(name, Spread.of(samples), note=note)
