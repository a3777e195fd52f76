"""The kill switch while thousands of orders wait to be sent."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Q

from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.models import Order, OrderEvent, TradingMode, Veto
from apps.risk import vetoes
from moondev.domain.clock import milliseconds, process_clock
from moondev.domain.orders import NON_FINAL
from tests.bench.figures import Spread
from tests.bench.orders import MAKER, Desk, Market, known_facts
from tests.bench.plan import WorldPlan
from tests.bench.results import Row, Section
from tests.bench.servers import BenchError, Servers
from tests.bench.world import World, world_of

PLAN = WorldPlan(accounts=4, coins=8)
RESTING = 200
BATCH = 50
_DONE_S = 300.0
_ORDERS_WORKER = "orders-hyperliquid"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Milliseconds after the moment at which the halt was engaged; None: it did not happen."""

    committed: float
    first_cancel: float | None
    first_written: float | None
    last_cancel: float | None
    last_refused: float | None
    last_order_at_venue: float | None
    done: float | None


def run(servers: Servers, queued: int) -> list[Section]:
    """Rest some orders, queue `queued` more, let the sender begin, engage."""
    with world_of(PLAN, servers) as world:
        desks = [Desk(account, list(world.instruments.values())) for account in world.accounts]
        known_facts(desks)
        world.wait("equity of every strategy", lambda: equity_known(desks))
        record(world, desks, RESTING, "resting")
        world.wait("resting orders", lambda: at_rest() == RESTING)
        with stopped(world.supervisor.pids[_ORDERS_WORKER]):
            record(world, desks, queued, "queued")
        world.wait("the sender to begin on the queue", lambda: at_rest() > RESTING)
        stopwatch, waiting = world.stopwatch(), unsent()
        engaged_at = process_clock().now()
        vetoes.engage(
            scope=EVERYTHING, mode=TradingMode.HALTED, flatten=False, reason="benchmark", actor="bench", now=engaged_at
        )
        committed = process_clock().now()
        world.wait("the halt to be done", _halt_is_done, _DONE_S)
        time.sleep(1.0)
        world.wait("every order to be final", lambda: not world.live_orders(), _DONE_S)
        usage = stopwatch.read()
        state = world.mock_state()
    outcome = _outcome(engaged_at, committed, state)
    counts = _counts()
    setting = f"{queued} opening orders queued ({waiting} not sent at the moment of the halt), {RESTING} resting before"
    at_venue = sum(account["open_orders"] for account in state["accounts"].values())
    rows = [
        _row("engage committed", outcome.committed, "SQL rows, Redis key, halt file"),
        _row("engage -> first cancel acknowledged", outcome.first_cancel, "by the venue"),
        _row("engage -> first end written down", outcome.first_written, "by the user stream or the halt"),
        _row("engage -> last order reached the venue", outcome.last_order_at_venue, "the mock's own stamp; none later"),
        _row("engage -> last opening order refused", outcome.last_refused, counts),
        _row(
            "engage -> last end written down",
            outcome.last_cancel,
            f"{at_venue} open at the venue afterwards",
        ),
        _row("engage -> halt done", outcome.done, "the venue twice answered: nothing open"),
    ]
    return [Section("kill switch", f"{setting}; {PLAN.setting}", rows, usage)]


def record(world: World, desks: Sequence[Desk], count: int, run: str) -> None:
    """Record `count` resting orders, in batches by turns over the desks."""
    market, facts = Market.read(world.mock_url), known_facts(desks)
    for number in range(count // BATCH):
        approved = desks[number % len(desks)].record(BATCH, MAKER, market, facts, run=run)
        if approved < BATCH:
            raise BenchError(f"{BATCH - approved} of {BATCH} orders were refused: a limit binds, so nothing is queued")


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Hold a process still while the block runs, so that the queue builds up."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def equity_known(desks: Sequence[Desk]) -> bool:
    """Return whether the review would know every equity it needs."""
    return all(facts.strategy_equity is not None and facts.account_equity for facts in known_facts(desks).values())


def at_rest() -> int:
    """Return how many orders rest at the venue."""
    return Order.objects.filter(status="open").count()


def unsent() -> int:
    """Return how many orders wait to be sent."""
    return Order.objects.filter(status="approved").count()


def _halt_is_done() -> bool:
    return Veto.objects.exists() and not Veto.objects.filter(done_at__isnull=True).exists()


def _outcome(engaged_at: datetime, committed: datetime, state: dict[str, Any]) -> Outcome:
    def since(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - engaged_at).total_seconds() * 1000

    cancelled = OrderEvent.objects.filter(at__gte=engaged_at, status_to="cancelled", order__venue_order_id__gt="")
    cancels = cancelled.aggregate(first=Min("at"), last=Max("at"))
    refused = Order.objects.filter(venue_order_id="", status__in=["cancelled", "expired", "rejected"])
    placed = [account["actions"].get("order", {}).get("last_accepted_ms", 0) for account in state["accounts"].values()]
    done = Veto.objects.aggregate(last=Max("done_at"))["last"]
    return Outcome(
        committed=since(committed) or 0.0,
        first_cancel=since(Veto.objects.aggregate(first=Min("first_cancel_at"))["first"]),
        first_written=since(cancels["first"]),
        last_cancel=since(cancels["last"]),
        last_refused=since(refused.aggregate(last=Max("closed_at"))["last"]),
        last_order_at_venue=max(placed) - milliseconds(engaged_at) if any(placed) else None,
        done=since(done),
    )


def _counts() -> str:
    found = Order.objects.aggregate(
        all=Count("id"),
        refused=Count("id", filter=Q(venue_order_id="", status="cancelled")),
        sent=Count("id", filter=~Q(venue_order_id="")),
        live=Count("id", filter=Q(status__in=sorted(NON_FINAL))),
    )
    return f"{found['refused']} never sent and cancelled, {found['sent']} sent, {found['live']} left alive"


def _row(name: str, value: float | None, note: str) -> Row:
    return Row(name, Spread.of([] if value is None else [value]), note=note)
