"""Orders as ticks record them: reserved, written and announced in one transaction per batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import cast

import requests
from django.db import transaction

from apps.exchanges.models import Account, InstrumentRow
from apps.exchanges.orders.services import OrderEntry, orders_record, wake_accounts
from apps.risk.exposure import ReserveItem, reserve
from apps.risk.facts import RiskFacts, load_facts
from apps.risk.scope import StrategyScope
from moondev.domain.clock import process_clock
from moondev.domain.decisions import RiskApproved
from moondev.domain.instruments import Instrument, Rounding
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce, client_order_id
from moondev.domain.values import Quantity, Side

# A little above the venue's least, so that thousands of them move nothing.
_DOLLARS = Decimal(11)
_ABOVE_LEAST = Decimal("1.05")
_CAPITAL = Decimal(5_000_000)


@dataclass(frozen=True, slots=True)
class Style:
    """What kind of order: its time in force, and how far beyond (positive) or before the middle its limit lies."""

    time_in_force: TimeInForce
    reach: Decimal
    valid: timedelta


# Takes what is there, and is never a resting order.
TAKER = Style(TimeInForce.IOC, Decimal("0.004"), timedelta(seconds=60))
# Rests far from the market and does not trade.
MAKER = Style(TimeInForce.POST_ONLY, Decimal("-0.03"), timedelta(minutes=10))


@dataclass(frozen=True, slots=True)
class Market:
    """The middle of every book, from the venue, at one moment."""

    mids: Mapping[str, Decimal]

    @classmethod
    def read(cls, mock_url: str) -> Market:
        """Ask the venue."""
        reply = requests.post(f"{mock_url}/hl/info", json={"type": "allMids"}, timeout=10)
        reply.raise_for_status()
        return cls({coin: Decimal(text) for coin, text in cast("dict[str, str]", reply.json()).items()})

    def newer(self, mock_url: str) -> Market:
        """Ask again; keep what is known when the venue's limits let nobody ask."""
        try:
            return Market.read(mock_url)
        except requests.HTTPError:
            return self


class Desk:
    """Records batches of orders for one account, as its one strategy."""

    def __init__(
        self,
        account: Account,
        instruments: Sequence[InstrumentRow],
        wake: Callable[[Iterable[int]], None] = wake_accounts,
    ) -> None:
        """Trade these instruments in turn, buying and selling by turns so that the position stays near zero.

        Senders are woken by `wake`.
        """
        self.account, self._wake = account, wake
        self._instruments = [(row, row.to_domain()) for row in instruments]
        self.scope = StrategyScope(
            strategy=f"load-{account.code}",
            account_id=account.pk,
            account=account.code,
            portfolio=account.portfolio_id,
            venue=account.venue_id,
            currency=account.currency,
            capital=_CAPITAL,
            leverage=Decimal(1),
        )
        self._batches = 0

    def record(self, count: int, style: Style, market: Market, facts: Mapping[str, RiskFacts], *, run: str) -> int:
        """Reserve, write and announce `count` orders in one transaction; return how many were approved."""
        now = process_clock().now()
        tick_id = f"{run}-{self.account.code}-{self._batches}"
        self._batches += 1
        drafts = [self._draft(number, tick_id, style, market) for number in range(count)]
        items = [ReserveItem(self.scope, RiskApproved(order), rules) for order, _, rules in drafts]
        row_ids = {order.client_order_id: row.pk for order, row, _ in drafts}
        with transaction.atomic():
            reserved = reserve(items, facts)
            entries = [
                self._entry(approved, amount, row_ids[approved.request.client_order_id], tick_id, now + style.valid)
                for approved, amount in reserved.kept
            ]
            recorded = orders_record(entries=entries, commands=[], now=now)
            self._wake(recorded.account_ids_with_work)
        return len(entries)

    def _draft(
        self, number: int, tick_id: str, style: Style, market: Market
    ) -> tuple[PlaceOrder, InstrumentRow, Instrument]:
        row, rules = self._instruments[(self._batches + number // 2) % len(self._instruments)]
        side = Side.BUY if number % 2 == 0 else Side.SELL
        limit = market.mids[rules.symbol] * (1 + side.sign * style.reach)
        price = rules.price_grid.rounded(limit, Rounding.NEAREST)
        lot = rules.lot.value
        least = min(price.value, market.mids[rules.symbol])
        dollars = max(_DOLLARS, rules.min_notional.value * _ABOVE_LEAST)
        quantity = Quantity((dollars / least / lot).to_integral_value(ROUND_CEILING) * lot)
        leg = str(number)
        order = PlaceOrder(
            client_order_id(self.scope.strategy, tick_id, leg), rules.key, side, OrderType.LIMIT, style.time_in_force,
            quantity, price, Purpose.OPENING, "load", leg,
        )  # fmt: skip
        return order, row, rules

    def _entry(
        self, approved: RiskApproved[PlaceOrder], amount: Decimal, row_id: int, tick_id: str, until: datetime
    ) -> OrderEntry:
        return OrderEntry(approved, self.account.pk, row_id, self.scope.strategy, tick_id, amount, until)


def known_facts(desks: Sequence[Desk]) -> dict[str, RiskFacts]:
    """Return the facts of every desk's strategy."""
    return load_facts([desk.scope for desk in desks], process_clock().now())
