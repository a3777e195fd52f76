"""Hyperliquid's client pays for every request before it sends it, and tells what the venue says about its budgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import eth_account
import pytest
import requests

from apps.exchanges.mock.threaded import ThreadedMock
from apps.exchanges.ports import Credentials, Environment, MarginMode, VenueConfig
from apps.exchanges.throttling import EarnedBudget, Lane, Unlimited
from apps.exchanges.venues.hyperliquid.adapter import ADAPTER
from apps.exchanges.venues.hyperliquid.client import HyperliquidClient
from apps.exchanges.venues.hyperliquid.limits import REQUESTS, WEIGHT
from apps.exchanges.venues.hyperliquid.market_data import HyperliquidMarketData
from moondev.domain.clock import FixedClock, LiveClock, milliseconds
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import RateLimited
from moondev.domain.orders import CancelOrder, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side

pytestmark = pytest.mark.contract

KEY = "0x" + "11" * 32
ACCOUNT = eth_account.Account.from_key(KEY).address
BTC = "hyperliquid:BTC"
NONCES = count(milliseconds(LiveClock().now()))


class Ledger(Unlimited):
    """Writes down everything; refuses what is not `allowed`."""

    def __init__(self) -> None:
        self.spent: list[tuple[dict[str, int], Lane]] = []
        self.told: list[object] = []
        self.allowed = True

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
        if not self.allowed:
            raise RateLimited("budget spent", 1.0)
        self.spent.append((dict(cost), lane))

    def charge(self, cost: Mapping[str, int]) -> None:
        self.told.append(("charge", dict(cost)))

    def heard(self, used: Mapping[str, int]) -> None:
        self.told.append(("heard", dict(used)))

    def granted(self, name: str, units: int) -> None:
        self.told.append(("granted", name, units))

    def rest(self, seconds: float, reason: str) -> None:
        self.told.append(("rest", seconds, reason))

    def take(self) -> list[tuple[dict[str, int], Lane]]:
        spent, self.spent = self.spent, []
        return spent


class Scene:
    def __init__(self, mock: ThreadedMock) -> None:
        self.mock, self.books = mock, Ledger()
        self.clock = FixedClock(LiveClock().now())
        base = mock.hyperliquid_url
        self.config = VenueConfig(
            "hyperliquid", "hyperliquid", Environment.PAPER, base, base.replace("http", "ws") + "/ws"
        )
        self.client = HyperliquidClient(self.config, Credentials(ACCOUNT, KEY), self.clock, self.books)
        self.client.instruments()
        self.books.take()

    def admin(self, path: str, /, **body: object) -> dict[str, Any]:
        answer = requests.post(f"{self.mock.url}/admin/{path}", json=body, timeout=5)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def place(self, *orders: PlaceOrder) -> list[Any]:
        approved = [RiskApproved(order) for order in orders]
        return self.client.place(approved, next(NONCES), self.clock.now() + timedelta(seconds=60))

    def actions(self) -> dict[str, Any]:
        state = requests.get(f"{self.mock.url}/admin/state", timeout=5).json()
        return dict(state["accounts"][ACCOUNT.lower()]["actions"])


@pytest.fixture
def scene(serve_mock: Callable[..., ThreadedMock]) -> Scene:
    return Scene(serve_mock())


def order(price: str = "40000", *, purpose: Purpose = Purpose.OPENING, side: Side = Side.BUY) -> PlaceOrder:
    return PlaceOrder(
        client_order_id=uuid4(),
        instrument=BTC,
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=Quantity(Decimal("0.01")),
        price=Price(Decimal(price)),
        purpose=purpose,
        signal_id="s",
        leg="l",
    )


def cancel(name: UUID) -> CancelOrder:
    return CancelOrder(name, BTC, "test")


def test_a_batch_costs_its_orders_and_one_weight_per_forty(scene: Scene) -> None:
    orders = [order(str(40_000 + number)) for number in range(45)]
    scene.place(*orders)
    assert scene.books.take() == [({WEIGHT: 2, REQUESTS: 45}, Lane.ORDINARY)]
    cancels = [cancel(one.client_order_id) for one in orders]
    scene.client.cancel(cancels, next(NONCES))
    *lists, (cost, lane) = scene.books.take()
    assert (cost, lane) == ({WEIGHT: 2, REQUESTS: 45}, Lane.RESERVED)
    assert {lane for _, lane in lists} <= {Lane.RESERVED}, "a list that a cancel needs may use what is kept for it"


def test_what_only_reduces_and_what_settles_may_use_what_is_kept(scene: Scene) -> None:
    scene.place(order(purpose=Purpose.REDUCING))
    scene.client.order_status(uuid4())
    scene.client.live_orders()
    scene.client.fills(scene.clock.now())
    scene.client.schedule_cancel(None, next(NONCES))
    scene.client.set_leverage(BTC, 5, MarginMode.CROSS, next(NONCES))
    assert scene.books.take() == [
        ({WEIGHT: 1, REQUESTS: 1}, Lane.RESERVED),
        ({WEIGHT: 2}, Lane.RESERVED),
        ({WEIGHT: 20}, Lane.RESERVED),
        ({WEIGHT: 20}, Lane.RESERVED),
        ({WEIGHT: 1, REQUESTS: 1}, Lane.RESERVED),
        ({WEIGHT: 1, REQUESTS: 1}, Lane.ORDINARY),
    ]


def test_rows_are_paid_for_when_they_are_counted(scene: Scene) -> None:
    reader = HyperliquidMarketData(scene.config, scene.clock, scene.books)
    for _ in range(25):
        scene.admin("trade", coin="BTC", side="buy", price="50010", size="0.01")
    scene.place(*[order("50010") for _ in range(40)])
    scene.books.take()
    reader.book("BTC")
    scene.client.fills(scene.clock.now() - timedelta(hours=1))
    assert scene.books.take() == [({WEIGHT: 2}, Lane.ORDINARY), ({WEIGHT: 20}, Lane.RESERVED)]
    assert ("charge", {WEIGHT: 2}) in scene.books.told


def test_what_is_not_in_the_budget_is_not_sent(scene: Scene) -> None:
    before = scene.actions()
    scene.books.allowed = False
    for attempt in (
        lambda: scene.place(order()),
        lambda: scene.client.cancel([cancel(uuid4())], next(NONCES)),
        lambda: scene.client.set_leverage(BTC, 5, MarginMode.CROSS, next(NONCES)),
        scene.client.live_orders,
    ):
        with pytest.raises(RateLimited, match="budget spent"):
            attempt()
    assert scene.actions() == before


def test_a_429_lets_every_process_rest(scene: Scene) -> None:
    scene.admin("faults", venue="hl", kind="rate_limit", count=1)
    with pytest.raises(RateLimited, match="429"):
        scene.place(order())
    [(word, seconds, reason)] = [told for told in scene.books.told if isinstance(told, tuple) and told[0] == "rest"]
    assert (word, seconds) == ("rest", 10.0)
    assert "429" in reason
    assert scene.client.open_orders() == []


def test_the_venues_own_count_is_fed_back_now_and_then_and_after_a_refusal(scene: Scene) -> None:
    scene.place(order(), order("41000"))
    scene.client.account_snapshot()
    assert scene.books.told == [("granted", REQUESTS, 10_000), ("heard", {REQUESTS: 2})]
    scene.client.account_snapshot()
    assert len(scene.books.told) == 2, "not again so soon"
    scene.clock.advance(timedelta(minutes=11))
    scene.client.account_snapshot()
    assert len(scene.books.told) == 4
    scene.admin("faults", venue="hl", kind="reject", action="scheduleCancel", value="Too many cumulative requests sent")
    with pytest.raises(RateLimited):
        scene.client.schedule_cancel(None, next(NONCES))
    scene.client.account_snapshot()
    assert len(scene.books.told) == 6, "the venue said that our count is wrong"


def test_a_snapshot_does_not_fail_for_want_of_the_count(scene: Scene) -> None:
    scene.admin("faults", venue="hl", kind="error_5xx", action="userRateLimit")
    assert scene.client.account_snapshot().equity.value == 100_000
    assert scene.books.told == []


def test_declares_every_budget_it_spends() -> None:
    assert {budget.name for budget in ADAPTER.budgets} == {WEIGHT, REQUESTS}
    [earned] = [budget for budget in ADAPTER.budgets if isinstance(budget, EarnedBudget)]
    assert (earned.initial, earned.overdraft, earned.trickle_seconds) == (10_000, 100_000, 10.0)
