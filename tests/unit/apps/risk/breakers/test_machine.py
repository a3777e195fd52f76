"""A breaker trips on what was seen twice, comes back in steps, and does nothing on silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.risk.breakers.machine import Condition, Mode, Rule, advance, reset

NOW = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
D = Decimal
LATENCY = Rule(D(500), 10 * MINUTE, automatic=True, cumulative=False)
LOSS = Rule(D("0.05"), 30 * MINUTE, automatic=True, cumulative=True)
DRAWDOWN = Rule(D("0.15"), 60 * MINUTE, automatic=False, cumulative=True)
CLOSED = Condition(Mode.CLOSED, NOW)


def after(rule, *readings, start=CLOSED, step=MINUTE, at=NOW):
    condition = start
    for number, reading in enumerate(readings):
        condition = advance(condition, None if reading is None else D(str(reading)), rule, at + number * step)
    return condition


def test_it_trips_at_the_second_reading_at_the_threshold_and_not_at_one():
    assert after(LATENCY, 500).mode is Mode.CLOSED
    assert after(LATENCY, 500, 499, 500).mode is Mode.CLOSED
    tripped = after(LATENCY, 500, 600)
    assert (tripped.mode, tripped.worst, tripped.since) == (Mode.OPEN, D(600), NOW + MINUTE)


def test_silence_neither_trips_nor_recovers():
    assert after(LATENCY, 500, None).seen == 1
    assert after(LATENCY, 500, None, 500).mode is Mode.OPEN
    tripped = after(LATENCY, 500, 500)
    assert after(LATENCY, *[None] * 100, start=tripped) == tripped


def test_it_goes_half_open_after_its_cool_down_and_closes_after_another():
    tripped = after(LATENCY, 500, 500)
    assert after(LATENCY, 100, start=tripped, at=tripped.since + 9 * MINUTE).mode is Mode.OPEN
    half = after(LATENCY, 100, start=tripped, at=tripped.since + 10 * MINUTE)
    assert half.mode is Mode.HALF_OPEN
    assert after(LATENCY, 100, start=half, at=half.since + 9 * MINUTE).mode is Mode.HALF_OPEN
    assert after(LATENCY, 100, start=half, at=half.since + 10 * MINUTE).mode is Mode.CLOSED


def test_it_stays_open_while_the_trouble_lasts_and_falls_back_from_half_open_at_the_second_reading():
    tripped = after(LATENCY, 500, 500)
    assert after(LATENCY, 500, start=tripped, at=tripped.since + 100 * MINUTE).mode is Mode.OPEN
    half = after(LATENCY, 100, start=tripped, at=tripped.since + 10 * MINUTE)
    assert after(LATENCY, 500, 499, 500, start=half, at=half.since + MINUTE).mode is Mode.HALF_OPEN
    assert after(LATENCY, 500, 500, start=half, at=half.since + MINUTE).mode is Mode.OPEN


def test_what_is_read_off_our_own_orders_is_tried_again_when_it_has_fallen_silent():
    rule = replace(LATENCY, of_own_orders=True)
    tripped = after(rule, 500, None, 500)
    assert after(rule, None, start=tripped, at=tripped.since + 9 * MINUTE).mode is Mode.OPEN
    half = after(rule, None, start=tripped, at=tripped.since + 10 * MINUTE)
    assert half.mode is Mode.HALF_OPEN
    assert after(rule, None, start=half, at=half.since + 10 * MINUTE).mode is Mode.CLOSED
    manual = replace(rule, automatic=False)
    assert after(manual, None, start=tripped, at=tripped.since + timedelta(days=9)).mode is Mode.OPEN


def test_a_loss_that_stands_still_lets_trading_go_on_and_one_that_grows_does_not():
    tripped = after(LOSS, 0.06, 0.06)
    half = after(LOSS, 0.06, start=tripped, at=tripped.since + 30 * MINUTE)
    assert (half.mode, half.accepted) == (Mode.HALF_OPEN, D("0.06"))
    assert after(LOSS, 0.065, start=half, at=half.since + MINUTE).mode is Mode.HALF_OPEN
    assert after(LOSS, 0.066, 0.066, start=half, at=half.since + MINUTE).mode is Mode.OPEN
    closed = after(LOSS, 0.06, start=half, at=half.since + 30 * MINUTE)
    assert after(LOSS, 0.065, 0.065, start=closed).mode is Mode.CLOSED
    assert after(LOSS, 0.067, 0.067, start=closed).mode is Mode.OPEN


def test_a_new_day_accepts_nothing_of_the_last():
    closed = Condition(Mode.CLOSED, NOW, accepted=D("0.06"))
    assert after(LOSS, 0.01, 0.05, 0.05, start=closed).mode is Mode.OPEN


def test_a_manual_breaker_waits_for_a_person_who_lets_it_trade_at_a_part_of_the_size():
    tripped = after(DRAWDOWN, 0.2, 0.2)
    assert after(DRAWDOWN, 0.01, start=tripped, at=NOW + timedelta(days=9)).mode is Mode.OPEN
    half = reset(tripped, NOW + timedelta(days=9))
    assert (half.mode, half.accepted, half.acknowledged) == (Mode.HALF_OPEN, D("0.2"), True)
    assert reset(CLOSED, NOW) == CLOSED


def test_what_a_person_has_looked_at_trips_nothing_while_it_still_stands_in_its_window():
    rule = Rule(D(1), 120 * MINUTE, automatic=False, cumulative=False)
    half = reset(after(rule, 1, 1), NOW + MINUTE)
    assert after(rule, 1, 1, 1, start=half).mode is Mode.HALF_OPEN
    assert after(rule, 2, 2, start=half).mode is Mode.OPEN


READINGS = st.lists(st.one_of(st.none(), st.decimals(0, 1, places=3)), max_size=60)


@given(READINGS, st.booleans(), st.booleans())
def test_whatever_is_read_modes_follow_each_other_in_order_and_opening_needs_the_threshold(
    readings, automatic, cumulative
):
    rule = Rule(D("0.5"), 3 * MINUTE, automatic=automatic, cumulative=cumulative)
    allowed = {
        Mode.CLOSED: {Mode.CLOSED, Mode.OPEN},
        Mode.OPEN: {Mode.OPEN, Mode.HALF_OPEN} if automatic else {Mode.OPEN},
        Mode.HALF_OPEN: {Mode.HALF_OPEN, Mode.OPEN, Mode.CLOSED},
    }
    condition, at = CLOSED, NOW
    for reading in readings:
        at += MINUTE
        following = advance(condition, reading, rule, at)
        assert following.mode in allowed[condition.mode]
        if following.mode is not condition.mode:
            assert following.since == at
        if following.mode is Mode.OPEN and condition.mode is not Mode.OPEN:
            assert reading is not None
            assert reading >= rule.threshold
        condition = following


@pytest.mark.parametrize("mode", list(Mode))
def test_what_is_not_known_changes_nothing(mode):
    condition = Condition(mode, NOW, seen=1, worst=D("0.3"), accepted=D("0.2"))
    assert advance(condition, None, LOSS, NOW + timedelta(days=1)) == condition
