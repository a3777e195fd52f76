"""The venue's side: what the record does to orders of ours, and what orders of ours may not do to the record."""

from decimal import Decimal

import pytest

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.quoting.floor import Purse
from apps.strategies.backtest.quoting.told import Fill, Fills, Refused, Update
from moondev.domain.fills import Liquidity
from moondev.domain.orders import OrderStatus, OrderType, Purpose, TimeInForce
from moondev.domain.values import Side
from tests.unit.apps.strategies.backtest.quoting.tape_world import (
    amend,
    ask,
    at,
    bid,
    bought,
    cancel,
    fills,
    floor_of,
    order,
    play,
    sold,
)

BUY, SELL = Side.BUY, Side.SELL
IOC, GTC = TimeInForce.IOC, TimeInForce.GTC
LAST = bid(1_000, 990, 1)  # a tape has to end somewhere


def told(floor, kind):
    return [one for one in floor.told if isinstance(one, kind)]


def test_a_resting_order_fills_when_its_turn_has_come_and_in_parts():
    floor = floor_of([sold(10, 1000, 6), sold(11, 1000, 6), sold(12, 1000, 2), LAST])
    floor.receive(order(1, BUY, 1000, 5), at(5))  # behind 10 lots
    assert play(floor, 100) == [(11, 1, 1000, 2), (12, 1, 1000, 2)]
    assert floor.orders
    assert next(iter(floor.orders.values())).remaining == 1


def test_whole_fills_are_the_optimists_rule():
    floor = floor_of([sold(10, 1000, 6), sold(11, 1000, 6), LAST], fills=Fills.WHOLE)
    floor.receive(order(1, BUY, 1000, 5), at(5))
    assert play(floor, 100) == [(11, 1, 1000, 5)]


def test_a_trade_beyond_the_price_fills_what_is_left():
    floor = floor_of([sold(10, 999, 1), bought(20, 1002, 1), LAST])
    floor.receive(order(1, BUY, 1000, 500), at(5))
    floor.receive(order(2, SELL, 1001, 7), at(5))
    assert play(floor, 100) == [(10, 1, 1000, 500), (20, 2, 1001, 7)]


def test_somebody_who_offers_at_our_price_meets_us():
    floor = floor_of([bid(9, 1000, 0), ask(10, 1000, 3), ask(20, 1000, 0), bid(21, 1003, 1), LAST])
    floor.receive(order(1, BUY, 1000, 4), at(5))
    floor.receive(order(2, SELL, 1002, 4), at(5))
    assert play(floor, 100) == [(10, 1, 1000, 4), (21, 2, 1002, 4)]


def test_a_price_that_is_only_touched_by_the_other_sides_quotes_elsewhere_does_nothing():
    floor = floor_of([ask(10, 1001, 3), sold(11, 1001, 3), bought(12, 1000, 3), LAST])
    floor.receive(order(1, BUY, 1000, 4), at(5))
    assert play(floor, 100) == []


def test_what_a_trade_brings_is_given_out_once_oldest_first():
    floor = floor_of([sold(10, 1000, 14), LAST])
    floor.receive(order(1, BUY, 1000, 3), at(5))
    floor.receive(order(2, BUY, 1000, 3), at(6))
    assert play(floor, 100) == [(10, 1, 1000, 3), (10, 2, 1000, 1)]


def test_whoever_of_ours_stood_before_us_and_left_no_longer_does():
    floor = floor_of([sold(10, 1000, 14), LAST])
    floor.receive(order(1, BUY, 1000, 3), at(5))
    floor.receive(order(2, BUY, 1000, 5), at(6))
    floor.receive(cancel(1), at(7))
    assert play(floor, 100) == [(10, 2, 1000, 4)]


def test_an_order_that_crosses_takes_the_recorded_levels_best_first_and_pays_for_it():
    floor = floor_of([LAST], costs=Costs(maker_bps=2, taker_bps=5))
    floor.receive(order(1, BUY, 1002, 25, how=IOC), at(5))
    done = told(floor, Fill)
    assert [(one.price, one.quantity) for one in done] == [
        (Decimal("100.1"), Decimal("0.010")),
        (Decimal("100.2"), Decimal("0.015")),
    ]
    assert all(one.liquidity is Liquidity.TAKER for one in done)
    assert float(sum(one.fee for one in done)) == pytest.approx(0.0005 * (1.001 + 1.503), abs=2e-6)


def test_what_was_taken_is_gone_until_the_record_speaks_of_the_level():
    floor = floor_of([ask(50, 1001, 8), LAST])
    floor.receive(order(1, BUY, 1001, 7, how=IOC), at(5))
    floor.receive(order(2, BUY, 1001, 7, how=IOC), at(6))
    floor.receive(order(3, BUY, 1001, 7, how=IOC), at(7))
    assert fills(floor) == [(5, 1, 1001, 7), (6, 2, 1001, 3)]
    play(floor, 60)
    floor.receive(order(4, BUY, 1001, 9, how=IOC), at(60))
    assert fills(floor) == [(60, 4, 1001, 8)]


def test_a_limit_order_takes_what_crosses_and_rests_with_what_is_left():
    floor = floor_of([sold(10, 1001, 2), LAST])
    floor.receive(order(1, BUY, 1001, 15, how=GTC), at(5))
    assert fills(floor) == [(5, 1, 1001, 10)]
    assert play(floor, 100) == [(10, 1, 1001, 2)]


def test_a_post_only_order_that_would_cross_is_refused_and_nothing_is_kept_of_it():
    floor = floor_of([sold(10, 999, 50), LAST])
    floor.receive(order(1, BUY, 1001, 1), at(5))
    (refused,) = told(floor, Refused)
    assert refused.placing
    assert "bad_alo_price" in refused.reason
    assert play(floor, 100) == []
    assert not floor.orders


def test_an_amended_order_goes_to_the_back_unless_it_only_shrinks():
    rows = [sold(20, 1000, 11), LAST]
    shrunk, moved = floor_of(rows), floor_of(rows)
    for floor in (shrunk, moved):
        floor.receive(order(1, BUY, 1000, 5), at(5))
    shrunk.receive(amend(1, 1000, 2), at(10))
    moved.receive(amend(1, 999, 5), at(10))
    moved.receive(amend(1, 1000, 5), at(11))
    assert play(shrunk, 100) == play(moved, 100) == [(20, 1, 1000, 1)]
    grown = floor_of([bid(8, 1000, 30), *rows])
    grown.receive(order(1, BUY, 1000, 5), at(5))
    play(grown, 10)
    grown.receive(amend(1, 1000, 6), at(10))
    assert play(grown, 100) == []


def test_a_cancelled_order_is_left_alone_and_a_cancel_too_late_is_refused():
    floor = floor_of([sold(20, 999, 50), LAST])
    floor.receive(order(1, BUY, 1000, 5), at(5))
    floor.receive(cancel(1), at(10))
    assert [one.status for one in told(floor, Update)] == [OrderStatus.OPEN, OrderStatus.CANCELLED]
    assert play(floor, 100) == []
    floor.receive(cancel(1), at(110))
    (refused,) = told(floor, Refused)
    assert not refused.placing


def test_a_stop_waits_for_the_last_trade_and_meets_the_book_as_it_is_then():
    rows = [sold(10, 1000, 1), bid(15, 1000, 0), bid(15, 999, 2), sold(20, 998, 1), sold(30, 995, 1), LAST]
    floor = floor_of(rows)
    floor.receive(order(1, BUY, 1001, 5, how=IOC), at(5))
    fills(floor)
    stop = order(2, SELL, 950, 5, kind=OrderType.STOP, how=GTC, trigger=998, purpose=Purpose.PROTECTIVE)
    floor.receive(stop, at(6))
    assert play(floor, 100) == [(20, 2, 999, 2), (20, 2, 998, 3)]


def test_a_reduce_only_order_never_opens_and_ends_with_the_position():
    floor = floor_of([bought(10, 1003, 50), LAST])
    floor.receive(order(1, SELL, 1001, 5, purpose=Purpose.REDUCING), at(5))
    assert "reduce_only" in told(floor, Refused)[0].reason
    floor.receive(order(2, BUY, 1001, 2, how=IOC), at(6))
    fills(floor)
    floor.receive(order(3, SELL, 1002, 5, purpose=Purpose.REDUCING), at(7))
    assert play(floor, 100) == [(10, 3, 1002, 2)]


def test_the_venue_asks_for_margin():
    floor = floor_of([LAST], purse=Purse(Decimal(10), Decimal(2)))
    floor.receive(order(1, BUY, 1000, 150), at(5))
    floor.receive(order(2, BUY, 1000, 250), at(6))
    assert [one.reason.partition(":")[0] for one in told(floor, Refused)] == ["insufficient_margin"]
    assert len(floor.orders) == 1


def test_an_order_id_is_used_once_and_what_the_engine_does_not_do_is_said():
    floor = floor_of([LAST])
    floor.receive(order(1, BUY, 1000, 1), at(5))
    floor.receive(order(1, BUY, 999, 1), at(6))
    floor.receive(amend(9, 1000, 1), at(7))
    assert [one.placing for one in told(floor, Refused)] == [True, False]
    assert len(floor.orders) == 1


def test_rows_that_concern_nobody_are_passed_over():
    floor = floor_of([ask(ms, 1003, ms) for ms in range(10, 900)] + [LAST])
    floor.receive(order(1, BUY, 998, 5), at(5))
    assert floor.next_row(at(1_000)) is None
