"""What the portfolio truth costs, and how soon a fill at the venue stands in it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import connections

from apps.exchanges.accounts.balances import equity_mark
from apps.exchanges.models import Account, Fill, InstrumentRow, Portfolio, Position, Transfer, Venue
from apps.exchanges.venue_types import AccountSnapshot, PositionSnapshot
from apps.risk.guard import marks_of
from apps.risk.models import Allocation, ConversionRate
from apps.risk.portfolio.keeper import TruthKeeper
from apps.risk.portfolio.truth import read_truth
from moondev.domain.clock import milliseconds, process_clock
from moondev.domain.values import Money, Price, SignedQuantity
from tests.bench.figures import Spread
from tests.bench.orders import TAKER, Desk, Market, known_facts
from tests.bench.plan import WorldPlan
from tests.bench.results import Row, Section
from tests.bench.servers import BenchError, Servers, start_afresh
from tests.bench.world import World, world_of

VENUES, POSITIONS, PASSES = 5, 100, 40
FILLS = 25
LONGEST_S = 10.0
_POLL_S = 0.005
PLAN = WorldPlan(accounts=2, coins=4)
D = Decimal


def run(servers: Servers) -> list[Section]:
    """Mark a large portfolio in this process, then follow fills through the whole platform."""
    connections.close_all()
    start_afresh(servers)
    marked = _marked()
    with world_of(PLAN, servers) as world:
        stopwatch = world.stopwatch()
        seen = _followed(world)
        usage = stopwatch.read()
    fills = [
        Row("fill at the mock -> position in our books", Spread.of([ours for ours, _ in seen]), usage),
        Row(
            "fill at the mock -> figure in the truth", Spread.of([theirs for _, theirs in seen]), note="wanted: < 1000"
        ),
    ]
    return [
        Section("portfolio truth", f"{VENUES * POSITIONS} positions, {VENUES} venues, two currencies", marked),
        Section("portfolio truth, live", f"{len(seen)} fills one after the other; {PLAN.setting}", fills, usage),
    ]


def _marked() -> list[Row]:
    """Return what one pass of the guard takes to mark, and then to write the truth, once its answers are there."""
    accounts, heard = _book()
    keeper, marks_ms, truth_ms = TruthKeeper(), list[float](), list[float]()
    marks_cpu = truth_cpu = 0.0
    for _ in range(PASSES):
        now, started, cpu = process_clock().now(), time.perf_counter(), time.process_time()
        for account in accounts:
            equity_mark(account.pk, heard[account.pk], now)
        marks = marks_of(accounts, heard, now)
        marked, half = time.perf_counter(), time.process_time()
        keeper.write(accounts, heard, now)
        truth_ms.append((time.perf_counter() - marked) * 1000)
        marks_ms.append((marked - started) * 1000)
        marks_cpu += (half - cpu) * 1000
        truth_cpu += (time.process_time() - half) * 1000
    if read_truth(process_clock().now()).total.equity is None or not marks:
        raise BenchError("the equity that was marked is not known")
    return [
        Row(
            "equity mark",
            Spread.of(marks_ms),
            cpu_ms=marks_cpu / PASSES,
            note="accounts, portfolio and 50 strategies, high-water marks; wanted: 50",
        ),
        Row("truth written", Spread.of(truth_ms), cpu_ms=truth_cpu / PASSES, note="all figures, one statement"),
    ]


def _book() -> tuple[list[Account], Mapping[int, AccountSnapshot]]:
    """Write five accounts of a hundred positions each, of fifty strategies, and say what the venues say of them."""
    now = process_clock().now()
    portfolio = Portfolio.objects.create(code="large", currency="USDC", environment="paper")
    ConversionRate.objects.create(
        base="USDC", quote="USDT", rate=D("0.9998"), at=now, max_age_seconds=86_400, reason="benchmark"
    )
    heard = {}
    for number in range(VENUES):
        currency = "USDC" if number % 2 else "USDT"
        venue = Venue.objects.create(
            code=f"venue{number}",
            protocol="hyperliquid",
            environment="paper",
            rest_url="http://x",
            websocket_url="ws://x",
        )
        account = Account.objects.create(
            code=f"large-{number}", venue=venue, portfolio=portfolio, address=f"0x{number}", currency=currency
        )
        Transfer.objects.create(account=account, amount=1_000_000, at=now, reference="opening")
        heard[account.pk] = _filled(account, currency)
    return list(Account.objects.select_related("venue", "portfolio").order_by("pk")), heard


def _filled(account: Account, currency: str) -> AccountSnapshot:
    now = process_clock().now()
    rows = InstrumentRow.objects.bulk_create(
        InstrumentRow(
            venue=account.venue, symbol=f"C{n}", asset=f"C{n}", quote=currency, tick=D("0.01"), lot=D("0.001")
        )
        for n in range(POSITIONS)
    )
    strategies = [f"{account.code}-s{n}" for n in range(10)]
    Allocation.objects.bulk_create(
        Allocation(strategy=name, account=account, capital=100_000, updated_at=now) for name in strategies
    )
    Position.objects.bulk_create(
        Position(
            account=account, strategy=strategies[n % 10], instrument=row, quantity=D(n + 1), cost=D(100 * (n + 1)),
            realised=D(n), fees=D("1.5"), funding=D("-0.25"), slippage=D("0.1"), updated_at=now,
        )
        for n, row in enumerate(rows)
    )  # fmt: skip
    positions = tuple(_position(f"C{n}", D(n + 1), currency) for n in range(POSITIONS))
    money = Money(D(1_000_000), currency)
    return AccountSnapshot(money, money, Money(D(50_000), currency), positions, now, now)


def _position(symbol: str, quantity: Decimal, currency: str) -> PositionSnapshot:
    mark = D("101.37")
    worth = Money(quantity * mark, currency)
    return PositionSnapshot(symbol, SignedQuantity(quantity), None, Price(mark), worth, Money(D(0), currency), 1)


def _followed(world: World) -> list[tuple[float, float]]:
    """Return for each of some fills the ms from its own time to our books, and to the first truth that has it."""
    desks = [Desk(account, list(world.instruments.values())) for account in world.accounts]
    known_facts(desks)
    world.wait("equity of every strategy", lambda: all(f.strategy_equity for f in known_facts(desks).values()))
    return [_one(world, desks, number) for number in range(FILLS)]


def _one(world: World, desks: Sequence[Desk], number: int) -> tuple[float, float]:
    """Trade once and wait until the strategy's fees in the truth are those of all its fills."""
    desk = desks[number % len(desks)]
    before = Fill.objects.filter(strategy=desk.scope.strategy).count()
    desk.record(1, TAKER, Market.read(world.mock_url), known_facts(desks), run=f"truth-{number}")
    world.wait("a fill", lambda: Fill.objects.filter(strategy=desk.scope.strategy).count() > before, LONGEST_S)
    fills = list(Fill.objects.filter(strategy=desk.scope.strategy).order_by("-pk"))
    paid, filled_at = sum((fill.fee for fill in fills), D(0)), milliseconds(fills[0].time_exchange)
    booked = milliseconds(Position.objects.filter(strategy=desk.scope.strategy).latest("updated_at").updated_at)
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        figures = read_truth(process_clock().now()).strategies.get(desk.scope.strategy)
        if figures is not None and figures.fees == paid:
            return booked - filled_at, milliseconds(process_clock().now()) - filled_at
        time.sleep(_POLL_S)
    raise BenchError(f"a fill did not reach the truth within {LONGEST_S:.0f} s")
