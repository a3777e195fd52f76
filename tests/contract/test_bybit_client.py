"""What is Bybit's own about its adapter, against the mock: acknowledgements, the limit per order, silence, worth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest

from apps.exchanges.history_ports import FundingHistory, TradeHistory
from apps.exchanges.ports import (
    BalanceBatch,
    Credentials,
    Environment,
    FundingBatch,
    MarginMode,
    PositionBatch,
    UnreadOrder,
    VenueConfig,
)
from apps.exchanges.throttling import Unlimited
from apps.exchanges.venues.bybit.client import BybitClient
from apps.exchanges.venues.bybit.config import endpoints
from apps.exchanges.venues.bybit.market_data import BybitMarketData
from apps.exchanges.venues.bybit.stream import user_stream
from apps.exchanges.venues.ccxt_generic.credentials import read_api_key
from moondev.domain.clock import LiveClock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import InvalidValue, RateLimited, VenueRejected
from moondev.domain.fills import FillKind
from moondev.domain.orders import OrderReport, OrderStatus, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Side
from tests.contract.bybit_world import ALICE, DEPOSIT, Trader, World, bybit_world
from tests.contract.suite.ears import Ears, running
from tests.contract.suite.orders import amendment, limit, market
from tests.contract.suite.waiting import until

pytestmark = pytest.mark.contract

KEY = "bybit:BTCUSDT"
NONCES = count(1)


def config(world: World) -> VenueConfig:
    return VenueConfig("bybit", "bybit", Environment.PAPER, world.rest_url, world.websocket_url)


@contextmanager
def client_of(world: World, trader: Trader = ALICE) -> Iterator[BybitClient]:
    credentials = Credentials(trader.address, f"{trader.key}:{trader.secret}")
    client = BybitClient(config(world), credentials, LiveClock(), Unlimited())
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def world() -> Iterator[World]:
    with bybit_world(limits=False) as running_world:
        yield running_world


@pytest.fixture
def client(world: World) -> Iterator[BybitClient]:
    with client_of(world) as client:
        yield client


def place(client: BybitClient, *orders: PlaceOrder) -> list[OrderReport]:
    approved = [RiskApproved(order) for order in orders]
    return client.place(approved, next(NONCES), LiveClock().now() + timedelta(seconds=5))


# --- acknowledgements ---------------------------------------------------------------------------------------------


def test_an_acknowledgement_is_looked_up_so_that_a_filled_order_is_never_called_open(client: BybitClient) -> None:
    rests, takes, late = (
        limit(KEY),
        market(KEY, Side.BUY),
        limit(KEY, at=50_200, tif=TimeInForce.POST_ONLY),
    )
    first, second, third = place(client, rests, takes, late)
    assert (first.status, second.status, third.status) == (
        OrderStatus.OPEN,
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
    )
    assert second.filled_quantity is not None
    assert second.filled_quantity.value == Decimal("0.01")
    assert third.reason == "EC_PostOnlyWillTakeLiquidity"
    (alone,) = place(client, market(KEY, Side.SELL))
    assert alone.status is OrderStatus.FILLED


def test_without_a_look_an_order_has_an_id_and_no_status(world: World, client: BybitClient) -> None:
    client.instruments()
    world.fault("error_5xx", action="realtime")
    for orders in ((limit(KEY),), (limit(KEY), limit(KEY, at=48_000))):
        for report in place(client, *orders):
            assert report.status is None
            assert report.venue_order_id
    world.heal()
    assert len(client.open_orders()) == 3


def test_an_amendment_that_changes_nothing_has_been_carried_out(client: BybitClient) -> None:
    order = limit(KEY)
    place(client, order)
    until_at = LiveClock().now() + timedelta(seconds=5)
    for _ in range(2):
        (report,) = client.amend([amendment(order, 48_000, "0.02")], next(NONCES), until_at)
        assert report.status is OrderStatus.OPEN
    changes = [amendment(order, 47_000), amendment(limit(KEY), 47_000)]
    done, unknown = client.amend(changes, next(NONCES), until_at)
    assert (done.status, unknown.status) == (OrderStatus.OPEN, None)
    assert "110001" in unknown.reason


def test_a_name_that_is_taken_leaves_the_first_order_to_be_asked_for(client: BybitClient) -> None:
    order = limit(KEY)
    place(client, order)
    (again,) = place(client, order)
    assert again.status is None
    assert "110072" in again.reason
    report = client.order_status(order.client_order_id)
    assert report is not None
    assert report.status is OrderStatus.OPEN


def test_beyond_the_second_s_limit_a_batch_ends_order_by_order() -> None:
    with bybit_world() as world, client_of(world) as client:
        client.instruments()
        statuses: list[OrderStatus | None] = []
        # Ten a second: of two batches of eight in one second, the second has six that are not looked at.
        for start in range(0, 80, 8):
            if OrderStatus.EXPIRED in statuses:
                break
            with suppress(RateLimited):
                statuses += [
                    one.status for one in place(client, *[limit(KEY, at=45_000 + start + n) for n in range(8)])
                ]
        assert set(statuses) == {OrderStatus.OPEN, OrderStatus.EXPIRED}
        assert len(client.open_orders()) == statuses.count(OrderStatus.OPEN)


def test_a_request_nobody_may_make_is_refused_as_a_whole(world: World) -> None:
    stranger = Trader("alice", ALICE.key, "another-secret")
    with client_of(world, stranger) as client:
        with pytest.raises(VenueRejected) as caught:
            place(client, limit(KEY))
        assert caught.value.code == "10004"
    assert world.mock.call(lambda exchange: exchange.open_orders("alice")) == []


@pytest.mark.parametrize("skew_ms", [60_000, -60_000])
def test_a_clock_that_is_off_costs_one_request(world: World, client: BybitClient, skew_ms: int) -> None:
    client.instruments()
    world.fault("clock_skew_ms", value=skew_ms)
    with pytest.raises(VenueRejected, match="10002"):
        place(client, limit(KEY))
    assert world.mock.call(lambda exchange: exchange.open_orders("alice")) == []
    (report,) = place(client, limit(KEY))
    assert report.status is OrderStatus.OPEN


# --- cancels ------------------------------------------------------------------------------------------------------


def test_what_cannot_be_named_keeps_no_other_from_being_cancelled(client: BybitClient) -> None:
    order = limit(KEY)
    place(client, order)
    (live,) = client.live_orders()
    nameless = UnreadOrder("", "", None, reduce_only=False)
    unknown = UnreadOrder("BTCUSDT", "no-such-id", None, reduce_only=False)
    reports = client.cancel_resting([nameless, live, unknown], next(NONCES))
    assert [report.status for report in reports] == [None, OrderStatus.CANCELLED, None]
    assert reports[0].reason.startswith("not sent")
    assert client.open_orders() == []


# --- worth, funding, history --------------------------------------------------------------------------------------


def test_equity_and_cash_are_exact_while_the_mark_moves(world: World, client: BybitClient) -> None:
    place(client, market(KEY, Side.BUY, "0.03"))
    place(client, market("bybit:ETHUSDT", Side.SELL, "0.5", worst=2_900))
    cash = client.account_snapshot().cash
    for mark in ("50123.4", "49000.1", "61234.5"):
        world.admin("mark", coin="BTC", price=mark)
        account = client.account_snapshot()
        assert account.cash == cash
        engine = world.mock.call(lambda exchange: exchange.account_state("alice"))
        assert account.equity.value == engine.account_value
        assert account.cash.value == engine.cash


def test_funding_has_one_name_whether_it_is_heard_or_asked_for(world: World, client: BybitClient) -> None:
    since, ears = LiveClock().now() - timedelta(seconds=5), Ears()
    place(client, market(KEY, Side.SELL, "0.03"))
    key = read_api_key(f"{ALICE.key}:{ALICE.secret}")
    with running(user_stream(endpoints(config(world)), key, ears, LiveClock())):
        ears.connected()
        world.mock.call(lambda exchange: exchange.pay_funding())
        (heard,) = ears.first(FundingBatch).payments
        assert ears.first(PositionBatch).positions[0].quantity.value == Decimal("-0.03")
        wallet = ears.first(BalanceBatch).balances[0].wallet
    (asked,) = client.funding(since)
    assert (asked.payment_id, asked.amount, asked.rate, asked.position) == (
        heard.payment_id,
        heard.amount,
        heard.rate,
        heard.position,
    )
    # Shorts are paid while the rate is above zero.
    assert asked.amount.value > 0
    assert asked.rate > 0
    (fill,) = client.fills(since)
    assert wallet == DEPOSIT - fill.fee.value + asked.amount.value


def test_past_rates_and_trades_are_told_as_far_as_the_venue_has_them(world: World) -> None:
    reader = BybitMarketData(config(world), LiveClock(), Unlimited())
    assert isinstance(reader, FundingHistory)
    assert isinstance(reader, TradeHistory)
    start = LiveClock().now() - timedelta(seconds=5)
    world.admin("trade", coin="BTC", side="buy", price="50010", size="0.01")
    world.mock.call(lambda exchange: exchange.pay_funding())
    end = LiveClock().now() + timedelta(seconds=5)
    (tick,) = reader.trades("BTCUSDT", start, end)
    assert (tick.price, tick.side) == (50_010.0, Side.BUY)
    (rate,) = reader.funding_history("BTCUSDT", start, end)
    assert rate.rate > 0

    reader.close()


def test_a_liquidation_is_booked_as_one_and_the_cash_is_right(world: World) -> None:
    carl = Trader("carl", "carl-key", "carl-secret")
    world.admin("accounts", address="carl", deposit="1000", api_key=carl.key, api_secret=carl.secret)
    world.mock.call(lambda exchange: exchange.update_leverage("carl", "BTC", 100, is_cross=True))
    since = LiveClock().now() - timedelta(seconds=5)
    with client_of(world, carl) as client:
        place(client, market(KEY, Side.BUY, "1.5"))
        world.admin("mark", coin="BTC", price="49600")
        opened, closed = client.fills(since)
        assert (opened.kind, closed.kind) == (FillKind.ORDER, FillKind.LIQUIDATION)
        assert closed.client_order_id is None
        paid = sum(one.side.sign * one.quantity.value * one.price.value + one.fee.value for one in (opened, closed))
        account = client.account_snapshot()
        assert account.positions == ()
        assert account.cash.value == Decimal(1000) - paid


# --- settings and silence -----------------------------------------------------------------------------------------


def test_isolated_margin_is_refused_because_it_would_be_the_whole_account_s(client: BybitClient) -> None:
    with pytest.raises(InvalidValue, match="whole account"):
        client.set_leverage(KEY, 3, MarginMode.ISOLATED, next(NONCES))


def test_the_user_stream_is_the_connection_whose_loss_cancels(world: World, client: BybitClient) -> None:
    """wire.md 0.13: bound to the private connection, and only while that is subscribed to it."""
    place(client, limit(KEY))
    world.ccxt().privatePostV5OrderDisconnectedCancelAll({"product": "DERIVATIVES", "timeWindow": 3})
    key, ears = read_api_key(f"{ALICE.key}:{ALICE.secret}"), Ears()
    with running(user_stream(endpoints(config(world)), key, ears, LiveClock())):
        ears.connected()
        silent = world.mock.server.wires["bybit"].venue.silence_windows  # type: ignore[attr-defined]
        assert silent == {"alice": 3}
        assert len(client.open_orders()) == 1
    cut = time.monotonic()
    until(_nothing_open(client), "everything cancelled")
    assert time.monotonic() - cut > 1


def _nothing_open(client: BybitClient) -> Callable[[], bool]:
    return lambda: client.open_orders() == []


def test_protective_orders_reduce_only(client: BybitClient) -> None:
    place(client, market(KEY, Side.BUY))
    (report,) = place(client, market(KEY, Side.SELL, "0.03", purpose=Purpose.REDUCING))
    assert report.status in {OrderStatus.FILLED, OrderStatus.CANCELLED}
    assert client.account_snapshot().positions == ()
