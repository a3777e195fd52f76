"""Legs: all of them, or none."""

from datetime import timedelta

from apps.strategies.orchestrator.planner import SizedLegs, plan
from moondev.domain.orders import CancelOrder, OrderType, Purpose
from moondev.domain.values import Quantity, Side
from tests.unit.apps.strategies.orchestrator.toy_market import BTC, ETH, NOW, at, d, rules, sized, working


def legs():
    return SizedLegs((sized("0.1", fresh=False), sized("-1", fresh=False, instrument=ETH)), max_leg_gap_ms=500)


def planned(now, btc, eth):
    return plan([legs()], {BTC.key: btc, ETH.key: eth}, rules(), now)


def test_asks_for_all_legs_together():
    made = planned(NOW, at(), at(instrument=ETH, mid="3000"))
    assert {(o.instrument, o.side) for o in made.requests} == {(BTC.key, Side.BUY), (ETH.key, Side.SELL)}


def test_flattens_the_filled_leg_when_the_other_is_late():
    made = planned(NOW + timedelta(milliseconds=501), at("0.1"), at(instrument=ETH, mid="3000"))
    (close,) = made.requests
    assert (close.instrument, close.purpose, close.order_type) == (BTC.key, Purpose.REDUCING, OrderType.MARKET)
    assert close.quantity == Quantity(d("0.1"))
    assert "hyperliquid:ETH" in made.notes[0]


def test_cancels_the_late_leg():
    resting = working(Side.SELL, "1", "3100", instrument=ETH)
    made = planned(NOW + timedelta(milliseconds=501), at("0"), at("0", resting, instrument=ETH, mid="3000"))
    assert [type(request) for request in made.requests] == [CancelOrder]


def test_waits_within_the_gap():
    made = planned(NOW + timedelta(milliseconds=499), at("0.1"), at(instrument=ETH, mid="3000"))
    assert [o.instrument for o in made.requests] == [ETH.key]


def test_leaves_complete_legs_alone_for_ever():
    made = planned(NOW + timedelta(days=9), at("0.1"), at("-1", instrument=ETH, mid="3000"))
    assert made.requests == ()
