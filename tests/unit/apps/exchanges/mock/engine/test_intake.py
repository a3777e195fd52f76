from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.api import OrderStatus, RejectCode, Rejected, Resting, UnknownAccount
from apps.exchanges.mock.engine.events import OrderUpdated
from apps.exchanges.mock.engine.exchange import EngineConfig

D = Decimal


def nothing_happened(desk) -> bool:
    book = desk.exchange.book("BTC")
    return not (book.bids or book.asks or desk.exchange.open_orders("ann") or desk.exchange.fills("ann"))


@pytest.mark.parametrize(
    ("size", "price", "code"),
    [
        ("0", "100", RejectCode.ZERO_SIZE),
        ("-1", "100", RejectCode.INVALID_SIZE),
        ("1.000001", "100", RejectCode.INVALID_SIZE),
        ("NaN", "100", RejectCode.INVALID_SIZE),
        ("1", "100.01", RejectCode.TICK),
        ("1", "0", RejectCode.TICK),
        ("1", "NaN", RejectCode.TICK),
        ("0.09", "100", RejectCode.MIN_NOTIONAL),
        ("1", "181", RejectCode.PRICE_TOO_FAR),
        ("1", "19", RejectCode.PRICE_TOO_FAR),
        ("1000000", "100", RejectCode.INSUFFICIENT_MARGIN),
    ],
)
def test_refuses_a_malformed_order_and_rests_nothing(desk, size, price, code):
    answer = desk.place("ann", "buy", size, price)
    assert (type(answer), answer.code) == (Rejected, code)
    assert nothing_happened(desk)


def test_accepts_the_least_notional_exactly(desk):
    assert isinstance(desk.place("ann", "buy", "0.1", 100), Resting)


def test_refuses_an_unknown_coin(desk):
    assert desk.place("ann", "buy", 1, 100, coin="NOPE").code is RejectCode.UNKNOWN_COIN
    assert nothing_happened(desk)


def test_refuses_an_address_without_an_account(desk):
    with pytest.raises(UnknownAccount, match="0xdead"):
        desk.place("0xdead", "buy", 1, 100)


def test_finds_an_account_whatever_the_case_of_its_address(desk):
    assert isinstance(desk.place("ANN", "buy", 1, 99), Resting)


def test_refuses_a_client_id_that_is_live_and_takes_it_again_once_free(desk):
    first = desk.place("ann", "buy", 1, 99, cloid="0x1")
    assert desk.place("ann", "buy", 1, 98, cloid="0x1").code is RejectCode.DUPLICATE_CLOID
    assert desk.exchange.order_by_cloid("ann", "0x1").oid == first.oid
    assert len(desk.exchange.open_orders("ann")) == 1
    desk.exchange.cancel_by_cloid("ann", "BTC", "0x1")
    second = desk.place("ann", "buy", 1, 98, cloid="0x1")
    assert desk.exchange.order_by_cloid("ann", "0x1").oid == second.oid


def test_keeps_client_ids_of_different_accounts_apart(desk):
    desk.place("ann", "buy", 1, 99, cloid="0x1")
    assert isinstance(desk.place("bob", "buy", 1, 99, cloid="0x1"), Resting)


def test_refuses_more_open_orders_than_allowed(desk_with):
    desk = desk_with(EngineConfig(max_open_orders=2))
    for price in (97, 98):
        desk.place("ann", "buy", 1, price)
    assert desk.place("ann", "buy", 1, 99).code is RejectCode.TOO_MANY_OPEN_ORDERS
    assert len(desk.exchange.open_orders("ann")) == 2


def test_keeps_a_refused_order_on_record_with_its_reason(desk):
    answer = desk.ioc("ann", "buy", 1, 100, cloid="0x9")
    order = desk.exchange.order_by_cloid("ann", "0x9")
    assert (order.oid, order.status, order.reason) == (answer.oid, OrderStatus.REJECTED, RejectCode.IOC_NO_MATCH)
    assert [event.order.status for event in desk.of(OrderUpdated)] == [OrderStatus.REJECTED]


def test_goes_on_with_a_batch_after_a_refused_order(desk):
    orders = [desk.order("buy", 1, 99), desk.order("buy", 1, "99.99"), desk.order("buy", 1, 98)]
    answers = desk.exchange.place("ann", orders)
    assert [type(answer) for answer in answers] == [Resting, Rejected, Resting]


def test_counts_resting_orders_against_the_margin(desk):
    # 1,000,000 at 20x carries 20,000,000; BTC at 100 that is 200,000 coins.
    assert isinstance(desk.place("ann", "buy", 150_000, 100), Resting)
    assert desk.place("ann", "buy", 60_000, 100).code is RejectCode.INSUFFICIENT_MARGIN
    assert isinstance(desk.place("ann", "sell", 150_000, 101), Resting)
    state = desk.exchange.account_state("ann")
    assert (state.margin_used, state.order_margin, state.withdrawable) == (D(0), D(750_000), D(250_000))


def test_frees_the_margin_of_a_cancelled_order(desk):
    order = desk.place("ann", "buy", 150_000, 100)
    desk.exchange.cancel("ann", "BTC", order.oid)
    assert desk.exchange.account_state("ann").order_margin == 0
    assert isinstance(desk.place("ann", "buy", 190_000, 100), Resting)


def test_forgets_the_oldest_orders_beyond_the_bound(desk_with):
    desk = desk_with(EngineConfig(kept_orders=2))
    oids = [desk.ioc("ann", "buy", 1, 100, cloid=f"0x{n}").oid for n in range(3)]
    assert desk.exchange.order_by_oid("ann", oids[0]) is None
    assert desk.exchange.order_by_cloid("ann", "0x0") is None
    assert [order.oid for order in desk.exchange.order_history("ann")] == [oids[2], oids[1]]


def test_lets_an_account_without_spare_margin_reduce_by_a_plain_order(desk):
    desk.give_position("ann", 190_000)
    desk.exchange.set_mark("BTC", D("99.5"))
    assert desk.place("ann", "buy", 1, 99).code is RejectCode.INSUFFICIENT_MARGIN
    assert isinstance(desk.place("ann", "sell", 100_000, 101), Resting)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_either_side_of_the_book_ties_up_margin(desk, side):
    desk.place("ann", side, 1_000, 100)
    assert desk.exchange.account_state("ann").order_margin == D(5_000)
