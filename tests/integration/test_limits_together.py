"""Many workers at once, random orders, limits on every kind of scope: none is ever exceeded, and none starves.

What should be is worked out here from the orders themselves, by sums that share nothing with the program's.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.exchanges.locks import exposure_keys, lock_exposures, move_exposures
from apps.exchanges.models import Account, ExposureCounter, InstrumentRow, Order
from apps.risk.exposure import ReserveItem, reserve
from apps.risk.facts import load_facts
from apps.risk.models import Limit, LimitChange
from moondev.domain.decisions import RefusalCode
from moondev.domain.orders import NON_FINAL, OrderStatus
from moondev.domain.values import Side
from tests.integration.limits_world import (
    NOW,
    D,
    mark_equity,
    order_of,
    paper_account,
    run_threads,
    scope_of,
    three_instruments,
)

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

WORKERS, TURNS = 5, 5
STRATEGIES = ("turtle", "maker", "pop")
SCOPES = (
    ("everything", "*"), ("portfolio", "paper"), ("venue", "hyperliquid"), ("account", "paper-1"),
    ("account", "paper-2"), ("strategy", "turtle"), ("strategy", "maker"), ("asset", "BTC"), ("asset", "ETH"),
    ("instrument", "hyperliquid:SOL"),
)  # fmt: skip
KINDS = ("max_gross_exposure", "max_net_exposure", "max_open_orders", "orders_per_minute")
CODES = {
    RefusalCode.GROSS_EXPOSURE_EXCEEDED, RefusalCode.NET_EXPOSURE_EXCEEDED, RefusalCode.OPEN_ORDERS_EXCEEDED,
    RefusalCode.ORDER_RATE_EXCEEDED, RefusalCode.MARGIN_EXCEEDED,
}  # fmt: skip
LIMITS = st.dictionaries(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(SCOPES)), st.integers(3, 12), min_size=2, max_size=7
)


@dataclass(frozen=True)
class Asked:
    """One order as the sums here see it."""

    account: str
    strategy: str
    asset: str
    side: str
    amount: Decimal
    live: bool = True

    def lies_in(self, scope) -> bool:
        kind, key = scope
        mine = {"portfolio": "paper", "venue": "hyperliquid", "account": self.account, "strategy": self.strategy,
                "asset": self.asset, "instrument": f"hyperliquid:{self.asset}"}  # fmt: skip
        return kind == "everything" or mine[kind] == key


def figure(kind: str, orders: Iterable[Asked], side: str) -> Decimal:
    """Return what `orders` come to: thousands of money, or a number of orders."""
    orders = list(orders)
    live = [order for order in orders if order.live]
    match kind:
        case "max_gross_exposure":
            return sum((order.amount for order in live), D(0))
        case "max_net_exposure":
            return sum((order.amount for order in live if order.side == side), D(0))
        case "max_open_orders":
            return D(len(live))
        case _:
            return D(len(orders))


def broken(limits, orders: list[Asked], sides=("buy", "sell")) -> list[str]:
    """Return the limits that the orders together exceed."""
    return [
        f"{kind} of {scope}"
        for (kind, scope), value in limits.items()
        for side in sides
        if figure(kind, (order for order in orders if order.lies_in(scope)), side) > value * unit(kind)
    ]


def unit(kind: str) -> int:
    return 1_000 if kind.endswith("exposure") else 1


def stored() -> list[Asked]:
    rows = Order.objects.select_related("account", "instrument")
    return [
        Asked(row.account.code, row.strategy, row.instrument.asset, row.side, row.reserved, row.status in NON_FINAL)
        for row in rows
    ]


@pytest.fixture
def accounts(db) -> list[Account]:
    first = paper_account()
    second = Account.objects.create(
        code="paper-2", venue=first.venue, portfolio=first.portfolio, address="0x2", currency="USDC"
    )
    mark_equity(second, NOW)
    return [first, second]


class Worker:
    """One process' part: asks for orders under whatever limits hold now, and ends some of its own."""

    def __init__(self, seed: int, accounts, rows: dict[str, InstrumentRow], limits) -> None:
        self._chance, self._accounts, self._rows, self._limits = random.Random(seed), accounts, rows, limits
        self._mine: list[Order] = []
        self.wrong: list[str] = []

    def run(self) -> None:
        for _ in range(TURNS):
            if self._mine and self._chance.random() < 0.3:
                self._end(self._mine.pop())
            else:
                self._ask()

    def _ask(self) -> None:
        account, strategy = self._chance.choice(self._accounts), self._chance.choice(STRATEGIES)
        scope = scope_of(account, strategy)
        facts = load_facts([scope], NOW)
        picks = [self._pick() for _ in range(self._chance.choice([1, 1, 2, 4]))]
        orders = [order_of(self._rows[asset].to_domain(), str(size), side=side) for asset, side, size in picks]
        items = [
            ReserveItem(scope, order, self._rows[asset].to_domain())
            for order, (asset, _, _) in zip(orders, picks, strict=True)
        ]
        with transaction.atomic():
            done = reserve(items, facts)
            kept = {approved.request.client_order_id: amount for approved, amount in done.kept}
            for order, (asset, _, _) in zip(orders, picks, strict=True):
                if order.request.client_order_id in kept:
                    amount = kept[order.request.client_order_id]
                    self._mine.append(written(account, self._rows[asset], strategy, order.request, amount))
            self._judge(account.code, strategy, done, stored())

    def _pick(self) -> tuple[str, Side, Decimal]:
        asset, side = self._chance.choice(sorted(self._rows)), self._chance.choice(list(Side))
        return asset, side, D(self._chance.randint(1, 40)) / 10

    def _judge(self, account: str, strategy: str, done, after: list[Asked]) -> None:
        """Note a limit that is exceeded, and a refusal of what would have fitted; the portfolio is still locked."""
        self.wrong += broken(self._limits, after)
        for refused in done.refused:
            order = refused.request
            asked = Asked(account, strategy, order.instrument.partition(":")[2], order.side.value,
                          order.quantity.value * order.price.value)  # fmt: skip
            if refused.code not in CODES or not broken(self._limits, [*after, asked], (asked.side,)):
                self.wrong.append(f"needlessly refused: {refused}")

    def _end(self, order: Order) -> None:
        account = next(one for one in self._accounts if one.pk == order.account_id)
        keys = exposure_keys("paper", account.code, order.strategy, order.instrument.asset)
        with transaction.atomic():
            lock_exposures(keys)
            Order.objects.filter(pk=order.pk).update(status=OrderStatus.CANCELLED, reserved=0)
            move_exposures(dict.fromkeys(keys, -order.reserved))


def written(account, row: InstrumentRow, strategy: str, request, amount: Decimal) -> Order:
    return Order.objects.create(
        account=account, instrument=row, strategy=strategy, tick_id="t", client_order_id=uuid4(),
        side=request.side.value, order_type="limit", time_in_force="gtc", purpose="opening",
        quantity=request.quantity.value, price=request.price.value, status=OrderStatus.APPROVED, reserved=amount,
        valid_until=NOW, created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def begin_again(limits) -> None:
    Order.objects.all().delete()
    ExposureCounter.objects.all().delete()
    LimitChange.objects.all().delete()
    Limit.objects.all().delete()
    # Without these two nothing is ever reserved; they are too wide to matter here.
    wide = {("asset_share", ("portfolio", "paper")): 1, ("max_leverage", ("portfolio", "paper")): 5}
    Limit.objects.bulk_create(
        Limit(kind=kind, scope_kind=scope[0], scope_key=scope[1], value=value * unit(kind))
        for (kind, scope), value in {**limits, **wide}.items()
    )


@given(limits=LIMITS, seed=st.integers(0, 2**32))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_workers_never_exceed_a_limit_together_and_never_starve_it(accounts, limits, seed) -> None:
    rows = {row.asset: row for row in InstrumentRow.objects.all()} or three_instruments(accounts[0])
    begin_again(limits)
    workers = [Worker(seed + number, accounts, rows, limits) for number in range(WORKERS)]
    run_threads([worker.run for worker in workers])
    assert [fault for worker in workers for fault in worker.wrong] == []
    assert broken(limits, stored()) == []
    counters = ExposureCounter.objects.get(scope_kind="portfolio", scope_key="paper", asset="*")
    assert counters.used == sum((order.amount for order in stored() if order.live), D(0))
