"""Amending in place and fill-or-kill: what keeps its place, what loses it, and what changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.api import (
    InstrumentSpec,
    NewOrder,
    OrderStatus,
    RejectCode,
    Rejected,
    Resting,
    Tif,
    TpSl,
    Trigger,
)
from apps.exchanges.mock.engine.exchange import Exchange
from moondev.domain.clock import FixedClock

D = Decimal
ALICE, BOB = "alice", "bob"


@pytest.fixture
def exchange() -> Exchange:
    spec = InstrumentSpec("BTC", 0, 3, 20, sig_figs=20, min_notional=D(5), tick=D("0.1"), quote="USDT")
    made = Exchange([spec], FixedClock(datetime(2026, 1, 5, tzinfo=UTC)), {"BTC": D(50_000)})
    for who in (ALICE, BOB):
        made.open_account(who, D(1_000_000))
    return made


def bid(exchange: Exchange, who: str, price: str, size: str = "1", **more) -> int:
    (ack,) = exchange.place(who, [NewOrder("BTC", True, D(size), D(price), **more)])
    assert isinstance(ack, Resting)
    return ack.oid


def queue(exchange: Exchange) -> list[tuple[Decimal, Decimal]]:
    return [(level.price, level.size) for level in exchange.book("BTC").bids]


def test_a_price_off_the_tick_is_refused_and_nothing_rests(exchange) -> None:
    (ack,) = exchange.place(ALICE, [NewOrder("BTC", True, D(1), D("49999.95"))])
    assert isinstance(ack, Rejected)
    assert ack.code is RejectCode.TICK
    assert queue(exchange) == []


def test_an_order_keeps_its_id_when_it_is_moved(exchange) -> None:
    oid = bid(exchange, ALICE, "49000")
    assert exchange.amend(ALICE, oid, price=D(49_100)) == Resting(oid, None)
    assert queue(exchange) == [(D(49_100), D(1))]
    assert exchange.order_by_oid(ALICE, oid).status is OrderStatus.OPEN


def test_what_only_shrinks_keeps_its_place_in_the_queue(exchange) -> None:
    first, _ = bid(exchange, ALICE, "49000"), bid(exchange, BOB, "49000")
    exchange.amend(ALICE, first, remaining=D("0.5"))
    exchange.print_trade("BTC", D("0.5"), D(49_000), is_buy=False)
    assert exchange.order_by_oid(ALICE, first).status is OrderStatus.FILLED


def test_what_grows_goes_to_the_end_of_the_queue(exchange) -> None:
    first, second = bid(exchange, ALICE, "49000"), bid(exchange, BOB, "49000")
    exchange.amend(ALICE, first, remaining=D(2))
    exchange.print_trade("BTC", D(1), D(49_000), is_buy=False)
    assert exchange.order_by_oid(BOB, second).status is OrderStatus.FILLED
    assert exchange.order_by_oid(ALICE, first).remaining == D(2)


def test_an_amendment_that_crosses_trades(exchange) -> None:
    exchange.place(BOB, [NewOrder("BTC", False, D(1), D(50_000))])
    oid = bid(exchange, ALICE, "49000")
    exchange.amend(ALICE, oid, price=D(50_000))
    assert exchange.order_by_oid(ALICE, oid).status is OrderStatus.FILLED


def test_a_refused_amendment_leaves_the_order_as_it_was(exchange) -> None:
    exchange.place(BOB, [NewOrder("BTC", False, D(1), D(50_000))])
    oid = bid(exchange, ALICE, "49000", tif=Tif.ALO)
    answer = exchange.amend(ALICE, oid, price=D(50_000))
    assert isinstance(answer, Rejected)
    assert answer.code is RejectCode.BAD_ALO_PRICE
    assert queue(exchange) == [(D(49_000), D(1))]
    assert exchange.amend(ALICE, oid, remaining=D(10_000_000)).code is RejectCode.INSUFFICIENT_MARGIN
    assert queue(exchange) == [(D(49_000), D(1))]


def test_a_trigger_is_moved_and_fires_at_its_new_price(exchange) -> None:
    bid_oid = bid(exchange, BOB, "49000", "5")
    exchange.place(ALICE, [NewOrder("BTC", True, D(1), D(50_000), tif=Tif.GTC)])
    exchange.place(BOB, [NewOrder("BTC", False, D(1), D(50_000))])
    stop = Trigger(is_market=True, trigger_px=D(48_000), tpsl=TpSl.SL)
    (ack,) = exchange.place(ALICE, [NewOrder("BTC", False, D(1), D(47_000), reduce_only=True, trigger=stop)])
    exchange.amend(ALICE, ack.oid, trigger_px=D(49_500))
    exchange.set_mark("BTC", D(49_600))
    assert exchange.order_by_oid(ALICE, ack.oid).status is OrderStatus.OPEN
    exchange.set_mark("BTC", D(49_400))
    assert exchange.order_by_oid(ALICE, ack.oid).status is OrderStatus.FILLED
    assert exchange.order_by_oid(BOB, bid_oid).remaining == D(4)


def test_an_order_that_ended_cannot_be_amended(exchange) -> None:
    oid = bid(exchange, ALICE, "49000")
    exchange.cancel(ALICE, "BTC", oid)
    assert exchange.amend(ALICE, oid, price=D(48_000)).code is RejectCode.UNKNOWN_ORDER


@pytest.mark.parametrize(("size", "filled"), [("1.5", True), ("2", True), ("2.001", False)])
def test_fill_or_kill_takes_all_or_nothing(exchange, size, filled) -> None:
    for price in ("50000", "50001"):
        exchange.place(BOB, [NewOrder("BTC", False, D(1), D(price))])
    (ack,) = exchange.place(ALICE, [NewOrder("BTC", True, D(size), D(50_001), tif=Tif.FOK)])
    assert isinstance(ack, Rejected) is not filled
    assert bool(exchange.fills(ALICE)) is filled
    assert exchange.open_orders(ALICE) == []


def test_cancel_all_ends_what_it_names_and_leaves_the_rest(exchange) -> None:
    oid = bid(exchange, ALICE, "49000")
    other = bid(exchange, BOB, "49000")
    assert exchange.cancel_all(ALICE, "BTC") == [oid]
    assert exchange.cancel_all(ALICE) == []
    assert [order.oid for order in exchange.open_orders(BOB)] == [other]
