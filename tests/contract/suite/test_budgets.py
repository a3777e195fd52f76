"""Every venue's client pays before it sends, and leaves what cancels need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import pytest
import redis

from apps.exchanges import registry
from apps.exchanges.adapters import Tools
from apps.exchanges.execution.throttle.alone import Alone
from apps.exchanges.execution.throttle.purse import Purse, Spender
from apps.exchanges.execution.throttle.shared import SharedThrottle
from apps.exchanges.ports import CancelOrder, ExecutionClient
from apps.exchanges.throttling import Lane, Throttle, Unlimited
from moondev.domain.clock import LiveClock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import RateLimited
from moondev.domain.orders import OrderStatus, PlaceOrder, Purpose
from moondev.domain.values import Side
from tests.contract.suite.orders import limit, market
from tests.contract.suite.scene import Trader, VenueScene, soon
from tests.contract.suite.waiting import until


class Recording(Unlimited):
    """Lets everything pass and remembers what it was asked for."""

    def __init__(self) -> None:
        self.spent: list[tuple[Mapping[str, int], Lane]] = []

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
        self.spent.append((dict(cost), lane))


class Away:
    """A Redis that does not answer."""

    def execute_command(self, *_: object) -> object:
        raise redis.ConnectionError("connection refused")


@contextmanager
def client_with(throttle: Throttle, trader: Trader) -> Iterator[ExecutionClient]:
    """Open another client of the trader's account, as a process that has just started would."""
    adapter = registry.adapter_of(trader.config.protocol)
    tools = Tools(LiveClock(), throttle, trader.numbers)
    with closing(adapter.execution_client(trader.config, trader.account.credentials, tools)) as client:
        yield client


def place(client: ExecutionClient, trader: Trader, order: PlaceOrder) -> OrderStatus | None:
    trader.instruments[order.client_order_id] = order.instrument
    (report,) = client.place([RiskApproved(order)], trader.nonce, soon())
    return trader.settled(report).status


def cancel(client: ExecutionClient, trader: Trader, order: PlaceOrder) -> None:
    client.cancel([CancelOrder(order.client_order_id, order.instrument, "test")], trader.nonce)


def test_every_request_is_paid_for_and_cancels_from_what_is_kept_for_them(scene: VenueScene, trader: Trader) -> None:
    throttle, order = Recording(), limit(scene.key())
    names = {budget.name for budget in registry.adapter_of(scene.config.protocol).budgets}
    with client_with(throttle, trader) as client:
        assert place(client, trader, order) is OrderStatus.OPEN
        placing = list(throttle.spent)
        throttle.spent.clear()
        cancel(client, trader, order)
    assert {lane for cost, lane in placing if any(cost.values())} >= {Lane.ORDINARY}
    # Some venues let cancel for nothing; none lets cancels compete with orders.
    assert {lane for _, lane in throttle.spent} <= {Lane.RESERVED}
    for cost, _ in (*placing, *throttle.spent):
        assert set(cost) <= names


def test_with_redis_gone_openings_stay_and_cancels_and_exits_leave(scene: VenueScene, trader: Trader) -> None:
    """Also from a process that has just started and knows nothing of the venue yet."""
    resting = limit(scene.key())
    trader.place(market(scene.key(), Side.BUY), resting)
    until(trader.engine_positions, "a position")
    budgets = {budget.name: budget for budget in registry.adapter_of(scene.config.protocol).budgets}
    purse = Purse(Spender("suite", "here", trader.account.address, "signer"), budgets, LiveClock())
    with client_with(SharedThrottle(Away(), purse, Alone()), trader) as client:  # type: ignore[arg-type]
        before = trader.requests
        with pytest.raises(RateLimited, match="Redis is away"):
            place(client, trader, limit(scene.key()))
        assert trader.requests == before
        cancel(client, trader, resting)
        trader.known(resting.client_order_id, OrderStatus.CANCELLED)
        exit_ = market(scene.key(), Side.SELL, purpose=Purpose.REDUCING)
        client.place([RiskApproved(exit_)], trader.nonce, soon())
        until(lambda: not trader.engine_positions(), "no position")
