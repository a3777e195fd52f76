"""Conditional orders: which mark fires which."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.mock.wire.binance.algos import CANCELED, Algo, AlgoBook
from apps.exchanges.mock.wire.binance.words import TRAILING


def algo(kind: str, *, is_buy: bool, trigger: int = 100, **more: object) -> Algo:
    fields = {"algo_id": 1, "client_id": "mine", "account": "a", "coin": "BTC", "time_in_force": "GTC"}
    money = {"quantity": Decimal(1), "price": Decimal(0), "trigger": Decimal(trigger)}
    rest = {"reduce_only": False, "close_position": False, "working_type": "MARK_PRICE"}
    times = {"created_ms": 0, "updated_ms": 0}
    return Algo(**{**fields, **money, **rest, **times, "order_type": kind, "is_buy": is_buy, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "is_buy", "fires", "waits"),
    [
        ("STOP_MARKET", False, 100, 101),
        ("STOP", False, 99, 101),
        ("STOP_MARKET", True, 100, 99),
        ("TAKE_PROFIT_MARKET", False, 100, 99),
        ("TAKE_PROFIT", True, 100, 101),
    ],
)
def test_stops_and_profits_fire_in_their_own_direction(kind: str, is_buy: bool, fires: int, waits: int) -> None:
    order = algo(kind, is_buy=is_buy)
    assert not order.fires(Decimal(waits))
    assert order.fires(Decimal(fires))


def test_a_trailing_order_follows_the_best_price_back() -> None:
    sells = algo(TRAILING, is_buy=False, trigger=0, callback=Decimal(10))
    assert [sells.fires(Decimal(mark)) for mark in (100, 91, 120, 109, 108)] == [False, False, False, False, True]
    buys = algo(TRAILING, is_buy=True, trigger=0, callback=Decimal(10))
    assert [buys.fires(Decimal(mark)) for mark in (100, 109, 80, 87, 88)] == [False, False, False, False, True]


def test_a_trailing_order_waits_for_its_activation() -> None:
    sells = algo(TRAILING, is_buy=False, trigger=0, callback=Decimal(10), activate=Decimal(110))
    assert [sells.fires(Decimal(mark)) for mark in (100, 80, 110, 99)] == [False, False, False, True]


def test_an_order_is_found_by_either_name_and_by_what_it_became() -> None:
    book = AlgoBook(0)
    order = algo("STOP_MARKET", is_buy=False, algo_id=book.next_id())
    book.add(order)
    assert book.find("a", order.algo_id, None) is book.find("a", None, "mine") is order
    assert book.find("b", order.algo_id, None) is None
    assert book.waiting("a", "BTC") == [order]
    assert book.fired("BTC", Decimal(99)) == [order]
    book.became(order, 77)
    assert book.of_order(77) is order
    book.end(order, CANCELED, 5)
    assert book.waiting("a") == []
    assert (order.status, order.updated_ms) == (CANCELED, 5)
    assert list(book.history("a", "BTC")) == [order]
