from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import (
    CancelReason,
    Filled,
    OrderStatus,
    RejectCode,
    Rejected,
    Resting,
    Tif,
)
from apps.exchanges.mock.engine.events import TradePrinted, UserFill

D = Decimal


def test_rests_a_limit_order_that_does_not_cross(desk):
    answer = desk.place("ann", "buy", 1, 99)
    assert isinstance(answer, Resting)
    assert [(level.price, level.size) for level in desk.exchange.book("BTC").bids] == [(D(99), D(1))]


def test_trades_at_the_resting_price_not_at_the_incoming_one(desk):
    desk.place("ann", "sell", 1, 100)
    answer = desk.place("bob", "buy", 1, 105)
    assert answer == Filled(answer.oid, None, D(1), D(100))


def test_takes_the_best_price_first_and_averages(desk):
    desk.place("ann", "sell", 1, 101)
    desk.place("cat", "sell", 1, 100)
    answer = desk.place("bob", "buy", 2, 101)
    assert answer.avg_px == D("100.5")
    assert [event.trade.price for event in desk.of(TradePrinted)] == [D(100), D(101)]


def test_serves_the_oldest_order_at_a_price_first(desk):
    first = desk.place("ann", "sell", 1, 100)
    second = desk.place("cat", "sell", 1, 100)
    desk.ioc("bob", "buy", "1.5", 100)
    assert desk.exchange.order_by_oid("ann", first.oid).status is OrderStatus.FILLED
    assert desk.exchange.order_by_oid("cat", second.oid).remaining == D("0.5")


def test_keeps_the_place_in_the_queue_after_a_partial_fill(desk):
    first = desk.place("ann", "sell", 2, 100)
    desk.ioc("bob", "buy", 1, 100)
    desk.place("cat", "sell", 1, 100)
    desk.ioc("bob", "buy", 1, 100)
    assert desk.exchange.order_by_oid("ann", first.oid).status is OrderStatus.FILLED
    assert len(desk.exchange.open_orders("cat")) == 1


def test_rests_the_remainder_of_a_limit_order(desk):
    desk.place("ann", "sell", 1, 100)
    answer = desk.place("bob", "buy", 3, 100)
    assert isinstance(answer, Resting)
    order = desk.exchange.order_by_oid("bob", answer.oid)
    assert (order.remaining, order.filled) == (D(2), D(1))
    assert desk.exchange.book("BTC").asks == ()


def test_cancels_the_remainder_of_an_immediate_order(desk):
    desk.place("ann", "sell", 1, 100)
    answer = desk.ioc("bob", "buy", 3, 100)
    assert (answer.total_sz, answer.avg_px) == (D(1), D(100))
    order = desk.exchange.order_by_oid("bob", answer.oid)
    assert (order.status, order.reason) == (OrderStatus.CANCELED, CancelReason.IMMEDIATE_REMAINDER)
    assert desk.exchange.open_orders("bob") == []


def test_refuses_an_immediate_order_that_meets_nothing(desk):
    desk.place("ann", "sell", 1, 101)
    answer = desk.ioc("bob", "buy", 1, 100)
    assert (type(answer), answer.code) == (Rejected, RejectCode.IOC_NO_MATCH)
    assert desk.exchange.fills("bob") == []
    assert desk.exchange.book("BTC").bids == ()


def test_names_missing_liquidity_for_a_frontend_market_order(desk):
    answer = desk.place("bob", "buy", 1, 100, tif=Tif.FRONTEND_MARKET)
    assert answer.code is RejectCode.NO_LIQUIDITY


def test_refuses_a_post_only_order_that_would_cross_and_names_the_quotes(desk):
    desk.place("ann", "buy", 1, 99)
    desk.place("ann", "sell", 1, 101)
    answer = desk.place("bob", "buy", 1, 101, tif=Tif.ALO)
    assert (answer.code, answer.best_bid, answer.best_ask) == (RejectCode.BAD_ALO_PRICE, D(99), D(101))
    assert desk.of(UserFill) == []
    assert desk.exchange.open_orders("bob") == []


def test_rests_a_post_only_order_that_does_not_cross(desk):
    desk.place("ann", "sell", 1, 101)
    assert isinstance(desk.place("bob", "buy", 1, 100, tif=Tif.ALO), Resting)


def test_expires_the_resting_order_of_the_same_owner_instead_of_trading(desk):
    own = desk.place("bob", "sell", 1, 100)
    desk.place("ann", "sell", 1, 100)
    answer = desk.place("bob", "buy", 1, 100)
    assert isinstance(answer, Filled)
    order = desk.exchange.order_by_oid("bob", own.oid)
    assert (order.status, order.reason) == (OrderStatus.CANCELED, CancelReason.SELF_TRADE)
    assert [(f.is_buy, f.crossed) for f in desk.exchange.fills("bob")] == [(True, True)]


def test_gives_both_sides_of_a_trade_one_trade_id(desk):
    desk.place("ann", "sell", 1, 100)
    desk.ioc("bob", "buy", 1, 100)
    [maker], [taker] = desk.exchange.fills("ann"), desk.exchange.fills("bob")
    assert maker.tid == taker.tid == desk.exchange.trades("BTC")[0].tid
    assert (maker.crossed, taker.crossed) == (False, True)


def test_shows_the_book_to_the_depth_asked_for(desk):
    for price in (95, 96, 97):
        desk.place("ann", "buy", 1, price)
    assert [level.price for level in desk.exchange.book("BTC", 2).bids] == [D(97), D(96)]
    assert len(desk.exchange.book("BTC", None).bids) == 3


def test_counts_the_orders_of_a_level(desk):
    desk.place("ann", "buy", 1, 95)
    desk.place("bob", "buy", "0.5", 95)
    [level] = desk.exchange.book("BTC").bids
    assert (level.size, level.orders) == (D("1.5"), 2)


def test_takes_a_cancelled_order_off_its_level_and_leaves_the_others(desk):
    first = desk.place("ann", "buy", 1, 95)
    desk.place("bob", "buy", "0.5", 95)
    desk.exchange.cancel("ann", "BTC", first.oid)
    [level] = desk.exchange.book("BTC").bids
    assert (level.size, level.orders) == (D("0.5"), 1)
