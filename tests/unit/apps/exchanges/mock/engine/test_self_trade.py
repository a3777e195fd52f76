"""Whoever would trade with themselves does not: which order ends is the arriving order's choice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.api import CancelReason, Filled, OrderStatus, RejectCode, Resting, SelfTrade, Tif

D = Decimal
GONE = (OrderStatus.CANCELED, CancelReason.SELF_TRADE)


def end(desk, oid: int) -> tuple[object, object]:
    order = desk.exchange.order_by_oid("ann", oid)
    return order.status, order.reason


@pytest.mark.parametrize(
    ("rule", "maker_ends", "taker_ends"),
    [
        (SelfTrade.CANCEL_MAKER, True, False),
        (SelfTrade.CANCEL_TAKER, False, True),
        (SelfTrade.CANCEL_BOTH, True, True),
    ],
)
def test_ends_the_order_that_the_rule_names_and_trades_nothing(desk, rule, maker_ends, taker_ends):
    maker = desk.place("ann", "sell", 1, 100)
    taker = desk.place("ann", "buy", 2, 100, self_trade=rule)
    assert end(desk, maker.oid) == (GONE if maker_ends else (OrderStatus.OPEN, None))
    assert end(desk, taker.oid) == (GONE if taker_ends else (OrderStatus.OPEN, None))
    assert isinstance(taker, Filled if taker_ends else Resting)
    assert getattr(taker, "total_sz", D(0)) == 0
    assert desk.exchange.fills("ann") == []
    assert desk.exchange.trades("BTC") == []


def test_keeps_what_was_filled_before_its_own_order_stood_in_the_way(desk):
    desk.place("bob", "sell", 1, 99)
    mine = desk.place("ann", "sell", 1, 100)
    desk.place("bob", "sell", 1, 101)
    taker = desk.place("ann", "buy", 3, 101, self_trade=SelfTrade.CANCEL_TAKER)
    assert (taker.total_sz, taker.avg_px) == (D(1), D(99))
    assert end(desk, taker.oid) == GONE
    assert end(desk, mine.oid) == (OrderStatus.OPEN, None)
    assert desk.position("ann") == D(1)


def test_trades_with_itself_where_the_venue_allows_it(desk):
    desk.place("ann", "sell", 1, 100)
    taker = desk.place("ann", "buy", 1, 100, self_trade=SelfTrade.ALLOW)
    assert taker.total_sz == D(1)
    assert desk.position("ann") == 0
    assert [fill.is_buy for fill in desk.exchange.fills("ann")] == [False, True]
    assert desk.exchange.account_state("ann").positions == ()
    state = desk.exchange.account_state("ann")
    assert state.account_value == D(1_000_000) - state.fees


@pytest.mark.parametrize(
    ("rule", "filled"),
    [
        (SelfTrade.CANCEL_MAKER, True),
        (SelfTrade.CANCEL_TAKER, False),
        (SelfTrade.CANCEL_BOTH, False),
        (SelfTrade.ALLOW, True),
    ],
)
def test_all_or_nothing_counts_only_what_it_may_trade_with(desk, rule, filled):
    mine = desk.place("ann", "sell", 1, 100)
    desk.place("bob", "sell", 3, 101)
    answer = desk.place("ann", "buy", 3, 101, tif=Tif.FOK, self_trade=rule)
    if filled:
        assert answer.total_sz == D(3)
        return
    assert answer.code is RejectCode.FOK_NO_MATCH
    assert end(desk, mine.oid) == (OrderStatus.OPEN, None)
    assert desk.exchange.fills("ann") == []


def test_an_all_or_nothing_order_takes_all_or_leaves_the_book_as_it_was(desk):
    desk.place("bob", "sell", 2, 100)
    before = desk.exchange.book("BTC")
    assert desk.place("ann", "buy", 3, 100, tif=Tif.FOK).code is RejectCode.FOK_NO_MATCH
    assert desk.exchange.book("BTC").asks == before.asks
    assert desk.place("ann", "buy", 2, 100, tif=Tif.FOK).total_sz == D(2)
