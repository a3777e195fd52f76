"""What is going on, in numbers: read from the database, the broker and the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from django.db.models import Count, F, Q, Sum

from apps.exchanges.health.reports import venue_reports
from apps.exchanges.market_data.cache import process_redis
from apps.exchanges.models import EquityMark, Fill, Order, Position, Venue
from apps.strategies.models import Tick, TickStatus
from moondev.domain.errors import Connectivity
from moondev.domain.orders import NON_FINAL, OrderStatus

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """One open position, as the summary shows it. ``entry`` is the average price paid."""

    strategy: str
    instrument: str
    quantity: Decimal
    entry: Decimal


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Totals since the database was made. Money is in the portfolio's currency.

    ``orders`` counts what was approved, ``refused`` what the review refused; ``unrealised`` is the venue's figure of
    the latest equity marks.
    """

    ticks: int
    ticks_failed: int
    ticks_outstanding: int
    orders: int
    refused: int
    open_orders: int
    fills: int
    realised: Decimal
    fees: Decimal
    funding: Decimal
    unrealised: Decimal
    positions: tuple[Holding, ...] = field(default_factory=tuple)

    @property
    def profit(self) -> Decimal:
        """Return realised and unrealised profit with funding, after fees."""
        return self.realised + self.unrealised + self.funding - self.fees


def take_snapshot() -> Snapshot:
    """Read the totals: five statements, whatever has happened."""
    ticks = Tick.objects.aggregate(
        done=Count("id", filter=Q(status=TickStatus.DONE)),
        failed=Count("id", filter=Q(status=TickStatus.FAILED)),
        outstanding=Count("id", filter=Q(status__in=[TickStatus.DUE, TickStatus.RUNNING])),
    )
    orders = Order.objects.aggregate(
        all=Count("id"),
        refused=Count("id", filter=Q(status=OrderStatus.REFUSED)),
        open=Count("id", filter=Q(status__in=sorted(NON_FINAL))),
    )
    money = Position.objects.aggregate(
        realised=Sum("realised", default=ZERO), fees=Sum("fees", default=ZERO), funding=Sum("funding", default=ZERO)
    )
    return Snapshot(
        ticks=ticks["done"],
        ticks_failed=ticks["failed"],
        ticks_outstanding=ticks["outstanding"],
        orders=orders["all"] - orders["refused"],
        refused=orders["refused"],
        open_orders=orders["open"],
        fills=Fill.objects.count(),
        unrealised=_unrealised(),
        positions=_positions(),
        **money,
    )


def venue_states() -> dict[str, str]:
    """Return the state of every enabled venue; nothing while the cache is away."""
    codes = Venue.objects.filter(enabled=True).order_by("code").values_list("code", flat=True)
    try:
        return {name: report.state.value for name, report in venue_reports(process_redis(), list(codes)).items()}
    except Connectivity:
        return {}


def _unrealised() -> Decimal:
    """Return the sum of every account's latest mark at which ledger and venue held the same."""
    latest = EquityMark.objects.exclude(ledger_equity=None).order_by("account_id", "-taken_at").distinct("account_id")
    return sum((mark.unrealised for mark in latest), start=ZERO)


def _positions() -> tuple[Holding, ...]:
    rows = (
        Position.objects.exclude(quantity=0)
        .annotate(venue=F("instrument__venue_id"), symbol=F("instrument__symbol"))
        .order_by("strategy", "instrument_id")
        .values_list("strategy", "venue", "symbol", "quantity", "cost")
    )
    return tuple(
        Holding(strategy, f"{venue}:{symbol}", quantity, cost / quantity)
        for strategy, venue, symbol, quantity, cost in rows
    )


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Clock ticks of the whole machine since it started."""

    total: int
    stolen: int

    def steal_percent_since(self, earlier: CpuTimes) -> float:
        """Return the share of time that the hypervisor gave to others, in per cent."""
        elapsed = self.total - earlier.total
        return 100 * (self.stolen - earlier.stolen) / elapsed if elapsed > 0 else 0.0


def read_cpu_times() -> CpuTimes:
    """Read the kernel's counters (``man 5 proc``: user, nice, system, idle, iowait, irq, softirq, steal)."""
    first = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    numbers = [int(number) for number in first]
    return CpuTimes(sum(numbers), numbers[7] if len(numbers) > 7 else 0)


def as_json(snapshot: Snapshot) -> Mapping[str, object]:
    """Return the totals as plain JSON."""
    return {
        "ticks": snapshot.ticks,
        "ticks_failed": snapshot.ticks_failed,
        "orders": snapshot.orders,
        "fills": snapshot.fills,
        "refused": snapshot.refused,
        "open_orders": snapshot.open_orders,
        "realised_pnl": json_number(snapshot.realised),
        "unrealised_pnl": json_number(snapshot.unrealised),
        "fees": json_number(snapshot.fees),
        "funding": json_number(snapshot.funding),
    }


def json_number(amount: Decimal) -> int | float:
    """Return an amount as a JSON number: a whole one stays whole, so nothing is exactly 0 but 0."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)
