"""Redis is emptied, or gone: nothing is doubled, limits still hold, halts still hold."""

from decimal import Decimal

import pytest
import redis

from apps.exchanges.execution.nudges import HALTS_KEY
from apps.exchanges.models import Order, ScopeKind, TradingMode
from apps.risk import vetoes
from apps.risk.models import LimitKind
from apps.risk.services import limit_set
from apps.strategies.models import StrategyEvent
from moondev.domain.clock import process_clock
from moondev.domain.orders import OrderStatus
from tests.chaos.ticking import Ticking

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
# Of the portfolio's equity; the strategy quotes a hundredth of it on either side.
TINY_SHARE = Decimal("0.005")


@pytest.fixture
def cache(platform):
    with redis.Redis.from_url(platform.environment["REDIS_URL"], socket_timeout=5) as client:
        yield client


def halt(trader):
    """Halt the account through every voice that can be reached; return which could not."""
    return vetoes.engage(
        scope=(ScopeKind.ACCOUNT.value, trader.account.code),
        mode=TradingMode.HALTED,
        flatten=False,
        reason="test",
        actor="test",
        now=process_clock().now(),
    ).unreached


def assert_sends_nothing(trader):
    """An order that was approved before the halt, and slipped past everything but the gate, does not leave."""
    order, taker = trader.record(trader.bid(), trader.taker())
    trader.wait_status(order, OrderStatus.CANCELLED)
    trader.wait_status(taker, OrderStatus.CANCELLED)
    assert not trader.mock.orders(trader.address)
    trader.finish()


def test_redis_emptied_while_orders_flow_doubles_nothing(trader, cache):
    for _ in range(8):
        trader.record(trader.bid(), trader.taker())
        cache.flushdb()
    trader.settle()
    assert len(trader.mock.orders(trader.address)) == 16
    trader.finish()


def test_redis_down_while_orders_flow_doubles_nothing_and_sends_all(servers, trader):
    with servers.stopped("redis"):
        for _ in range(4):
            trader.record(trader.bid(), trader.taker())
        trader.settle()
        assert len(trader.mock.orders(trader.address)) == 8
    trader.finish()


def test_limits_hold_after_redis_was_emptied(trader, cache):
    strategy = Ticking(trader, "quotes")
    strategy.tick()
    strategy.ended()
    assert trader.orders().filter(status=OrderStatus.REFUSED).count() == 0
    trader.cancel(list(trader.orders()))
    trader.settle()
    taken = trader.mock.orders(trader.address)
    limit_set(
        kind=LimitKind.ASSET_SHARE,
        scope_kind=ScopeKind.PORTFOLIO,
        scope_key=trader.account.portfolio_id,
        value=TINY_SHARE,
        actor="test",
        now=process_clock().now(),
    )
    cache.flushdb()
    strategy.tick()
    assert (strategy.ended().placed, strategy.ended().refused) == (0, 2)
    refused = trader.orders().filter(status=OrderStatus.REFUSED)
    assert set(refused.values_list("refusal_code", flat=True)) == {"ASSET_EXPOSURE_EXCEEDED"}
    assert trader.mock.orders(trader.address) == taken
    trader.finish()


def test_without_redis_a_tick_opens_nothing_and_says_why(servers, new_trader):
    trader = new_trader()
    strategy = Ticking(trader)
    strategy.wants(0.05)
    with servers.stopped("redis"):
        strategy.tick(fresh_market=False)
        assert strategy.ended().status == "failed"
    assert StrategyEvent.objects.get(strategy=trader.strategy, kind="no_market_data").message
    assert not Order.objects.filter(account=trader.account).exists()
    assert not trader.mock.orders(trader.address)


def test_a_halt_outlives_redis_being_emptied(trader, cache):
    assert not halt(trader)
    assert cache.hexists(HALTS_KEY, f"account:{trader.account.code}")
    cache.flushdb()
    assert_sends_nothing(trader)


def test_a_halt_engaged_without_redis_holds(servers, trader):
    with servers.stopped("redis"):
        assert halt(trader) == ("Redis",)
        assert_sends_nothing(trader)
    (order,) = trader.record(trader.bid())
    trader.wait_status(order, OrderStatus.CANCELLED)
    assert not trader.mock.orders(trader.address)
