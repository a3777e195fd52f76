"""What every limit allows, how much is used, and what would trip next: ``manage.py risk_report``."""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser

from apps.exchanges.market_data.cache import market_cache
from apps.risk.limits import LimitBook, read_limits
from apps.risk.models import Breaker, BreakerState, LimitKind, Metric
from apps.risk.report.book import Book
from apps.risk.report.headroom import Line, around, around_strategy, headroom
from apps.risk.report.read import read_books
from apps.risk.report.shocks import Bounds, first_to_trip, shocks
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock

UNKNOWN = "not known"


class Command(PromptCommand):
    """Ends with 1 when a limit is reached or an equity is not known, so that a monitor may call it."""

    help = "Show every limit, its use and headroom, the breakers, and what shocks would trip."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the format."""
        parser.add_argument("--json", action="store_true", help="print JSON instead of tables")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the report of every portfolio."""
        limits, books = read_limits(), read_books(process_clock().now(), market_cache())
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(book, limits) for book in books], default=str, indent=1))
        else:
            for book in books:
                self._print(book, limits)
            self._print_breakers()
        lines = [line for book in books for line in headroom(book, limits)]
        if any(line.unknown or (line.share is not None and line.share >= 1) for line in lines):
            raise SystemExit(1)

    def _print(self, book: Book, limits: LimitBook) -> None:
        equity = UNKNOWN if book.worth.equity is None else f"{book.worth.equity:,.2f} {book.currency}"
        self.stdout.write(f"\n{book.portfolio}: equity {equity}, gross exposure {book.gross:,.2f}")
        heads = f"  {'limit':<24}{'of':<26}{'used':>14}{'limit':>14}{'room':>14}{'full':>7}  set for"
        self.stdout.write(heads)
        for line in headroom(book, limits):
            figures = f"{_used(line):>14}{_number(line.limit):>14}{_number(line.room):>14}{_full(line):>7}"
            remark = f"{line.where} ({line.note})" if line.where and line.note else line.where or line.note
            self.stdout.write(f"  {line.kind:<24}{line.of[:25]:<26}{figures}  {remark}")
        bounds = bounds_of(book, limits)
        self.stdout.write("\n  what would happen")
        for outcome in shocks(book, bounds):
            trips = "; ".join(outcome.trips) or "nothing trips"
            self.stdout.write(f"  {outcome.shock:<52}{outcome.profit:>14,.2f}  {trips}")
        for first in first_to_trip(book, bounds):
            self.stdout.write(f"  the first to trip at {first.move:+.1%} in all prices: {first.what}")

    def _print_breakers(self) -> None:
        self.stdout.write("\nbreakers")
        for row in BreakerState.objects.select_related("breaker").order_by("breaker__code", "scope_kind", "scope_key"):
            reading = UNKNOWN if row.reading is None else _number(row.reading)
            scope = f"{row.scope_kind}:{row.scope_key}"
            threshold = _number(row.breaker.threshold)
            self.stdout.write(f"  {row.breaker.code:<22}{scope:<30}{row.mode:<10}{reading:>12} of {threshold}")


def bounds_of(book: Book, limits: LimitBook) -> Bounds:
    """Return what a shock to the book may reach: limits, and the tightest breaker on the day's loss."""
    day = Breaker.objects.filter(metric=Metric.DAY_LOSS, enabled=True).order_by("threshold").first()
    return Bounds(
        strategy_drawdown=lambda slug: limits.tightest(LimitKind.STRATEGY_DRAWDOWN, around_strategy(book, slug)),
        portfolio_drawdown=limits.tightest(LimitKind.PORTFOLIO_DRAWDOWN, around(book)),
        day_loss=None if day is None else day.threshold,
        leverage=limits.tightest(LimitKind.MAX_LEVERAGE, around(book)),
    )


def _as_json(book: Book, limits: LimitBook) -> dict[str, Any]:
    bounds = bounds_of(book, limits)
    return {
        "portfolio": book.portfolio, "currency": book.currency, "equity": book.worth.equity, "gross": book.gross,
        "limits": [{**asdict(line), "share": line.share, "room": line.room} for line in headroom(book, limits)],
        "shocks": [asdict(outcome) for outcome in shocks(book, bounds)],
        "first_to_trip": [asdict(first) for first in first_to_trip(book, bounds)],
    }  # fmt: skip


def _used(line: Line) -> str:
    if line.note:
        return "-"
    return UNKNOWN if line.used is None else _number(line.used)


def _full(line: Line) -> str:
    return "" if line.share is None else f"{line.share:.0%}"


def _number(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:,.4f}".rstrip("0").rstrip(".")
