"""What is Binance's own, beyond the shared suite: two services for orders, listen keys, windows, budgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from apps.exchanges.adapters import Tools
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.ports import Connected, Disconnected, MarginMode, OrderBatch, UnreadOrder
from apps.exchanges.throttling import Lane, Unlimited
from apps.exchanges.venues.binance.client import BinanceClient
from apps.exchanges.venues.binance.market_data import BinanceMarketData
from apps.exchanges.venues.binance.user_stream import user_stream
from moondev.domain.clock import LiveClock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity, NotSent, RateLimited, VenueRejected
from moondev.domain.fills import FillKind, FillReport
from moondev.domain.orders import CancelOrder, OrderStatus, OrderType, PlaceOrder
from moondev.domain.values import Side
from tests.contract.suite.ears import Ears, running
from tests.contract.suite.orders import limit, market, price, protection, size
from tests.contract.suite.scene import Trader, VenueScene, served, soon
from tests.contract.suite.venues.binance import VENUE
from tests.contract.suite.waiting import until

pytestmark = pytest.mark.contract


class Purse(Unlimited):
    """Lets everything pass, and writes down what was paid, heard and ordered to rest."""

    def __init__(self) -> None:
        self.paid: list[tuple[dict[str, int], Lane]] = []
        self.used: dict[str, int] = {}
        self.rests: list[float] = []

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
        self.paid.append((dict(cost), lane))

    def heard(self, used: Mapping[str, int]) -> None:
        self.used.update(used)

    def rest(self, seconds: float, reason: str) -> None:
        self.rests.append(seconds)

    def take(self) -> list[tuple[dict[str, int], Lane]]:
        taken, self.paid = self.paid, []
        return taken


@pytest.fixture(scope="module")
def scene() -> Iterator[VenueScene]:
    with served(VENUE) as scene:
        yield scene


@pytest.fixture
def trader(scene: VenueScene) -> Iterator[Trader]:
    with scene.trader() as trader:
        yield trader
    scene.heal()


def another_process(trader: Trader, purse: Purse | None = None) -> BinanceClient:
    """Return a client of the same account that remembers nothing."""
    tools = Tools(LiveClock(), purse or Purse())
    return BinanceClient(trader.config, trader.account.credentials, tools)


def cancel_of(order: PlaceOrder) -> CancelOrder:
    return CancelOrder(order.client_order_id, order.instrument, "test")


def test_a_mixed_batch_is_told_in_its_own_order(scene: VenueScene, trader: Trader) -> None:
    trader.place(market(scene.key(), Side.BUY, "0.02"))
    stop, rests = protection(scene.key(), OrderType.STOP), limit(scene.key())
    profit, tiny = protection(scene.key(), OrderType.TAKE_PROFIT), limit(scene.key(), quantity="0.001")
    before = trader.requests
    reports = trader.send(stop, rests, profit, tiny)
    # One request for the ordinary ones, one each for the others.
    assert trader.requests == before + 3
    names = [order.client_order_id for order in (stop, rests, profit, tiny)]
    assert [report.client_order_id for report in reports] == names
    assert [report.status for report in reports] == [OrderStatus.OPEN] * 3 + [OrderStatus.REJECTED]
    assert "-4164" in reports[3].reason
    # The venue's id of a conditional order is another kind of id: it comes when the order is released.
    assert [report.venue_order_id is None for report in reports] == [True, False, True, True]
    listed = {one.client_order_id: one for one in trader.client.open_orders()}
    assert set(listed) == set(names[:3])
    assert listed[names[0]].venue_order_id.startswith("algo:")


def test_a_later_request_that_fails_is_told_of_its_own_orders(scene: VenueScene, trader: Trader) -> None:
    trader.place(market(scene.key(), Side.BUY, "0.02"))
    path = {"path": "/fapi/v1/algoOrder", "count": 1}
    for fault, expected in (("accept_then_drop", OrderStatus.UNKNOWN), ("rate_limit", OrderStatus.REJECTED)):
        rests, stop = limit(scene.key()), protection(scene.key(), OrderType.STOP)
        profit = protection(scene.key(), OrderType.TAKE_PROFIT)
        scene.fault(fault, **path)
        reports = trader.send(stop, profit, rests)
        # The first conditional order failed, so the second was not sent.
        assert [report.status for report in reports] == [expected, OrderStatus.REJECTED, OrderStatus.OPEN]
        assert "not sent" in reports[1].reason
        known = trader.client.order_status(stop.client_order_id, stop.instrument)
        assert (known is not None) is (expected is OrderStatus.UNKNOWN)
        assert trader.client.order_status(profit.client_order_id, profit.instrument) is None
    scene.fault("drop_before", **path)
    with pytest.raises(Connectivity):
        trader.send(protection(scene.key(), OrderType.STOP), protection(scene.key(), OrderType.TAKE_PROFIT))


def test_any_process_finds_and_cancels_an_order_at_whichever_service_holds_it(
    scene: VenueScene, trader: Trader
) -> None:
    trader.place(market(scene.key(), Side.BUY, "0.02"))
    stop, rests, never = protection(scene.key(), OrderType.STOP), limit(scene.key()), limit(scene.key())
    trader.place(stop, rests)
    other = another_process(trader)
    assert other.order_status(stop.client_order_id, stop.instrument)
    reports = other.cancel([cancel_of(order) for order in (stop, never, rests)], 1)
    assert [report.client_order_id for report in reports] == [order.client_order_id for order in (stop, never, rests)]
    assert [report.status for report in reports] == [OrderStatus.CANCELLED, None, OrderStatus.CANCELLED]
    assert "-2011" in reports[1].reason
    assert all(report.filled_quantity is not None for report in (reports[0], reports[2]))
    assert other.live_orders() == []
    other.close()


def test_a_cancel_that_fails_after_others_went_through_leaves_only_itself_open(
    scene: VenueScene, trader: Trader
) -> None:
    trader.place(market(scene.key(), Side.BUY))
    rests, stop = limit(scene.key()), protection(scene.key(), OrderType.STOP)
    trader.place(rests, stop)
    scene.fault("rate_limit", path="/fapi/v1/algoOrder", count=1)
    reports = trader.cancel(stop, rests)
    assert [report.status for report in reports] == [None, OrderStatus.CANCELLED]
    assert trader.known(stop.client_order_id).status is OrderStatus.OPEN
    scene.fault("rate_limit", path="/fapi/v1/algoOrder", count=1)
    with pytest.raises(RateLimited):
        trader.cancel(stop)


def test_a_released_order_is_cancelled_and_told_as_the_ordinary_one_it_became(
    scene: VenueScene, trader: Trader
) -> None:
    trader.place(market(scene.key(), Side.BUY))
    order = protection(scene.key(), OrderType.TAKE_PROFIT_LIMIT)
    trader.place(order)
    (waiting,) = trader.client.live_orders()
    with scene.mark_at(55_100):
        until(lambda: not trader.client.live_orders()[0].venue_order_id.startswith("algo:"), "released")
    known = trader.known(order.client_order_id, OrderStatus.OPEN)
    assert known.venue_order_id == trader.client.live_orders()[0].venue_order_id
    # Whoever still holds the old name learns that it is gone, not that the order is.
    (stale,) = trader.client.cancel_resting([waiting], 1)
    assert (stale.status, "-2011" in stale.reason) == (None, True)
    (report,) = trader.cancel(order)
    assert report.status is OrderStatus.CANCELLED
    assert trader.known(order.client_order_id, OrderStatus.CANCELLED)


def test_strangers_are_cancelled_by_the_venue_s_id_and_the_nameless_keep_nobody_waiting(
    scene: VenueScene, trader: Trader
) -> None:
    trader.place(market(scene.key(), Side.BUY, "0.02"))
    orders = [limit(scene.key()), limit(scene.key("ETH"), at=2_900, quantity="0.1")]
    trader.place(*orders, protection(scene.key(), OrderType.STOP))
    live = [replace(order, client_order_id=None) for order in trader.client.live_orders() if hasattr(order, "price")]
    nameless = UnreadOrder("BTCUSDT", "", None, reduce_only=False)
    reports = trader.client.cancel_resting([live[0], nameless, *live[1:]], 1)
    assert [report.status for report in reports] == [OrderStatus.CANCELLED, None, *[OrderStatus.CANCELLED] * 2]
    assert reports[0].venue_order_id == live[0].venue_order_id
    assert trader.client.live_orders() == []


def test_a_name_that_is_taken_settles_nothing(scene: VenueScene, trader: Trader) -> None:
    """-4116: the order of that name lives; whoever took this for a refusal would bury it."""
    order = limit(scene.key())
    trader.place(order)
    (again,) = trader.send(order)
    assert (again.status, "-4116" in again.reason) == (None, True)
    assert trader.known(order.client_order_id).status is OrderStatus.OPEN


def test_an_ended_order_is_found_with_what_it_filled(scene: VenueScene, trader: Trader) -> None:
    order = limit(scene.key(), at=49_995, quantity="0.02")
    trader.place(order)
    scene.trade("sell", "49995", "0.01")
    trader.cancel(order)
    report = trader.known(order.client_order_id, OrderStatus.CANCELLED)
    assert report.filled_quantity == size("0.01")


def test_what_is_delayed_beyond_its_window_is_refused_and_not_carried_out(scene: VenueScene, trader: Trader) -> None:
    trader.place(market(scene.key(), Side.BUY))
    order = limit(scene.key())
    scene.fault("latency_ms", value=400, count=1, action="order")
    with pytest.raises(VenueRejected, match="-1021"):
        trader.client.place([RiskApproved(order)], 1, LiveClock().now() + timedelta(milliseconds=150))
    assert trader.client.order_status(order.client_order_id, order.instrument) is None
    assert [one for one in trader.orders_held if one.status.value == "open"] == []
    late = limit(scene.key())
    before = trader.requests
    with pytest.raises(NotSent):
        trader.client.place([RiskApproved(late)], 1, LiveClock().now())
    assert trader.requests == before


@pytest.mark.parametrize("skew_ms", [-10_000, 90_000])
def test_a_clock_that_differs_costs_one_refusal_and_no_order_twice(
    scene: VenueScene, trader: Trader, skew_ms: int
) -> None:
    trader.place(market(scene.key(), Side.BUY))
    client = another_process(trader)
    client.instruments()
    scene.fault("clock_skew_ms", value=skew_ms)
    first, second = limit(scene.key()), limit(scene.key())
    with pytest.raises(VenueRejected, match="-1021"):
        client.place([RiskApproved(first)], 1, soon())
    (report,) = client.place([RiskApproved(second)], 1, soon())
    assert report.status is OrderStatus.OPEN
    assert [order.client_order_id for order in client.open_orders()] == [second.client_order_id]
    client.close()


def test_requests_are_paid_for_in_the_right_lane(scene: VenueScene, trader: Trader) -> None:
    trader.place(market(scene.key(), Side.BUY, "0.02"))
    purse = Purse()
    client = another_process(trader, purse)
    client.instruments()
    purse.take()

    def paid(*orders: PlaceOrder) -> list[tuple[dict[str, int], Lane]]:
        client.place([RiskApproved(order) for order in orders], 1, soon())
        return purse.take()

    one, ten = {"orders_10s": 1, "orders_1m": 1}, {"weight": 5, "orders_10s": 5, "orders_1m": 1}
    opening, closing = limit(scene.key()), limit(scene.key(), Side.SELL, 51_000)
    reducing = replace(closing, purpose=protection(scene.key(), OrderType.STOP).purpose)
    assert paid(opening) == [(one, Lane.ORDINARY)]
    assert paid(reducing) == [(one, Lane.RESERVED)]
    assert paid(limit(scene.key()), limit(scene.key())) == [(ten, Lane.ORDINARY)]
    assert paid(protection(scene.key(), OrderType.STOP)) == [(one, Lane.RESERVED)]
    client.cancel([cancel_of(opening)], 1)
    client.order_status(opening.client_order_id, opening.instrument)
    client.live_orders()
    assert purse.take() == [
        ({"weight": 1}, Lane.RESERVED),
        ({"weight": 1}, Lane.RESERVED),
        ({"weight": 40}, Lane.RESERVED),
        ({"weight": 40}, Lane.RESERVED),
    ]
    client.close()


def test_a_budget_that_is_spent_lets_nothing_out(scene: VenueScene, trader: Trader) -> None:
    trader.place(market(scene.key(), Side.BUY))

    class Empty(Purse):
        def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
            if "orders_10s" in cost:
                raise RateLimited("spent", 1.0)

    client = another_process(trader, Empty())
    before = trader.requests
    with pytest.raises(RateLimited):
        client.place([RiskApproved(limit(scene.key()))], 1, soon())
    assert trader.requests == before
    client.close()


def test_a_ban_is_obeyed_by_everybody(scene: VenueScene, trader: Trader) -> None:
    purse = Purse()
    client = another_process(trader, purse)
    client.instruments()
    for kind, least in (("rate_limit", 1.0), ("ban", 100.0)):
        scene.fault(kind, count=1, action="order")
        with pytest.raises(RateLimited) as caught:
            client.place([RiskApproved(limit(scene.key()))], 1, soon())
        assert caught.value.retry_after_seconds >= least
        assert purse.rests[-1] == caught.value.retry_after_seconds
    assert trader.orders_held == []
    client.close()


def test_the_venue_s_own_counts_come_back_with_the_answers() -> None:
    with served(replace(VENUE, wire={"limits": True})) as scene, scene.trader() as trader:
        purse = Purse()
        client = another_process(trader, purse)
        client.account_snapshot()
        client.place([RiskApproved(limit(scene.key()))], 1, soon())
        assert purse.used["weight"] >= 6
        assert (purse.used["orders_10s"], purse.used["orders_1m"]) == (1, 1)
        client.close()


def test_fills_of_every_symbol_are_found_by_who_knows_none(scene: VenueScene, trader: Trader) -> None:
    since = LiveClock().now() - timedelta(seconds=5)
    trader.place(market(scene.key(), Side.BUY))
    trader.place(market(scene.key(), Side.SELL))
    eth = market(scene.key("ETH"), Side.BUY, "0.1", worst=3_050)
    trader.place(eth)
    client = another_process(trader)
    assert [fill.symbol for fill in client.fills(since)] == ["BTCUSDT", "BTCUSDT", "ETHUSDT"]
    client.close()


def test_funding_is_told_with_the_position_it_was_paid_on(scene: VenueScene, trader: Trader) -> None:
    since = LiveClock().now() - timedelta(seconds=5)
    trader.place(market(scene.key(), Side.SELL, "0.037"))
    scene.engine(lambda engine: engine.pay_funding())
    (payment,) = until(lambda: trader.client.funding(since) or None, "the payment")
    assert payment.position.value == Decimal("-0.037")
    assert payment.rate > 0
    assert payment.amount.value > 0


def test_the_countdown_cancels_the_symbols_with_orders(scene: VenueScene, trader: Trader) -> None:
    orders = [limit(scene.key()), limit(scene.key("ETH"), at=2_900, quantity="0.1")]
    trader.place(*orders)
    # A process that sent none of them asks first.
    client = another_process(trader)
    before = trader.requests
    client.schedule_cancel(LiveClock().now() + timedelta(seconds=60), 1)
    client.schedule_cancel(None, 1)
    assert trader.requests == before + 4
    client.schedule_cancel(LiveClock().now() + timedelta(milliseconds=100), 1)
    until(lambda: client.live_orders() == [], "everything cancelled")
    client.close()


def test_isolated_margin_is_set_apart_and_counted_all_the_same(scene: VenueScene, trader: Trader) -> None:
    trader.client.set_leverage(scene.key(), 5, MarginMode.ISOLATED, 1)
    trader.client.set_leverage(scene.key(), 5, MarginMode.ISOLATED, 1)
    trader.place(market(scene.key(), Side.BUY))
    account = trader.client.account_snapshot()
    engine = scene.engine(lambda engine: engine.account_state(trader.account.address))
    assert account.equity.value == engine.account_value
    (position,) = account.positions
    assert position.leverage == 5
    with pytest.raises(VenueRejected, match="-4048"):
        trader.client.set_leverage(scene.key(), 5, MarginMode.CROSS, 1)


def test_history_is_read_by_whoever_downloads_it(scene: VenueScene) -> None:
    client = BinanceMarketData(scene.config, Tools(LiveClock()))
    start = LiveClock().now() - timedelta(seconds=2)
    for number in range(3):
        scene.trade("buy", "50010", f"0.01{number}")
    scene.engine(lambda engine: engine.pay_funding())
    trades = client.trades("BTCUSDT", start, LiveClock().now() + timedelta(seconds=5))
    assert [(trade.side, trade.size) for trade in trades[-3:]] == [
        (Side.BUY, 0.01),
        (Side.BUY, 0.011),
        (Side.BUY, 0.012),
    ]
    assert client.trades("BTCUSDT", start, start) == []
    (rate,) = client.funding_history("BTCUSDT", start, LiveClock().now() + timedelta(seconds=5))[-1:]
    assert rate.rate != 0
    client.close()


def test_a_key_that_runs_out_is_replaced_and_the_stream_hears_on(scene: VenueScene, trader: Trader) -> None:
    """The venue stays connected and silent when a listen key expires; the stream must not take that for calm."""
    ears = Ears()
    with running(user_stream(trader.config, trader.account.credentials, ears, Tools(LiveClock()))) as stream:
        ears.connected()

        def expire(_: Exchange) -> None:
            keys = scene.mock.server.wires["binance"].venue.listen_keys  # type: ignore[attr-defined]
            keys._by_account[trader.account.address].until_ms = 0

        scene.engine(expire)
        again = ears.connected(times=2)
        assert again.silent_since is not None
        assert [event.reason for event in ears.of(Disconnected)] == ["the listen key expired"]
        order = limit(scene.key())
        trader.place(order)
        ears.first(OrderBatch, lambda batch: batch.reports[0].client_order_id == order.client_order_id)
        assert stream.unreadable == 0


def test_a_key_the_venue_has_forgotten_is_noticed_when_it_is_kept(scene: VenueScene, trader: Trader) -> None:
    class Hurried(LiveClock):
        """A clock whose half hours are short."""

        def wall_seconds(self, run_seconds: float) -> float:
            return run_seconds / 100_000

    ears = Ears()
    with running(user_stream(trader.config, trader.account.credentials, ears, Tools(Hurried()))):
        ears.connected()

        def forget(_: Exchange) -> None:
            scene.mock.server.wires["binance"].venue.listen_keys.close(trader.account.address)  # type: ignore[attr-defined]

        scene.engine(forget)
        ears.connected(times=2)
        (gone,) = ears.of(Disconnected)
        assert "listen key is gone" in gone.reason
        order = limit(scene.key())
        trader.place(order)
        ears.first(OrderBatch, lambda batch: batch.reports[0].client_order_id == order.client_order_id)
    assert len(ears.of(Connected)) == 2


def test_a_released_order_is_heard_under_its_new_id(scene: VenueScene, trader: Trader) -> None:
    ears = Ears()
    trader.place(market(scene.key(), Side.BUY))
    with running(trader.user_stream(ears)):
        ears.connected()
        order = protection(scene.key(), OrderType.STOP)
        trader.place(order)
        with scene.mark_at(44_900):
            ears.until(lambda: OrderStatus.FILLED in [r.status for r in _reports(ears, order)], "filled")
            # The algo service and the order's own events are two tellers: either may be heard first.
            ears.until(lambda: any(report.triggered for report in _reports(ears, order)), "released")
        released = [report for report in _reports(ears, order) if report.triggered]
        filled = [report for report in _reports(ears, order) if report.status is OrderStatus.FILLED]
        assert {report.venue_order_id for report in released} == {filled[0].venue_order_id}
        assert filled[0].fills[0].price == price(49_990)


def test_an_unknown_order_is_unknown_without_its_instrument_too(trader: Trader) -> None:
    assert trader.client.order_status(uuid4()) is None


def _reports(ears: Ears, order: PlaceOrder) -> list[Any]:
    found = [report for batch in ears.of(OrderBatch) for report in batch.reports]
    return [report for report in found if report.client_order_id == order.client_order_id]


def test_a_liquidation_is_heard_as_one_and_found_afterwards(scene: VenueScene) -> None:
    since = LiveClock().now() - timedelta(seconds=5)
    with scene.trader(deposit="1000") as trader:
        trader.client.set_leverage(scene.key(), 50, MarginMode.CROSS, 1)
        ears = Ears()
        with running(trader.user_stream(ears)) as stream:
            ears.connected()
            trader.place(market(scene.key(), Side.BUY, "0.5"))
            with scene.mark_at(48_000):
                until(lambda: trader.client.account_snapshot().positions == (), "liquidated")
            ears.until(lambda: any(fill.kind is FillKind.LIQUIDATION for fill in _fills(ears)), "the liquidation")
            assert stream.unreadable == 0
            assert sum(fill.side.sign * fill.quantity.value for fill in _fills(ears)) == 0
        asked = trader.client.fills(since)
        assert {fill.venue_trade_id for fill in asked} == {fill.venue_trade_id for fill in _fills(ears)}


def _fills(ears: Ears) -> list[FillReport]:
    return [fill for batch in ears.of(OrderBatch) for report in batch.reports for fill in report.fills]
