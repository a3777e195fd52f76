"""The review as a whole: order of answers, sums within a batch, and checks that break."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.exchanges.models import TradingMode
from apps.risk import review as review_module
from apps.risk.checks import CHECKS
from apps.risk.checks.candidate import Check
from apps.risk.review import review
from moondev.domain.decisions import RefusalCode
from moondev.domain.orders import AmendOrder, CancelOrder, OrderStatus, Purpose
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price, Quantity, Side

D = Decimal
KEY = "hyperliquid:BTC"


def codes(reviewed) -> list[RefusalCode]:
    return [refused.code for refused in reviewed.refused]


def test_approves_an_ordinary_order(place, market, facts) -> None:
    order = place()
    reviewed = review([order], market(), facts)
    assert [approved.request for approved in reviewed.approved] == [order]
    assert reviewed.refused == []


def test_cancels_pass_while_everything_is_halted(place, market, facts) -> None:
    halted = replace(facts, modes={("everything", "*"): TradingMode.HALTED})
    cancel = CancelOrder(place().client_order_id, KEY, "stale")
    reviewed = review([place(), cancel, place(Side.SELL)], market(), halted)
    assert reviewed.cancels == [cancel]
    assert reviewed.approved == []
    assert codes(reviewed) == [RefusalCode.TRADING_HALTED] * 2


def test_refuses_an_instrument_it_does_not_know(place, market, facts) -> None:
    reviewed = review([place(instrument="hyperliquid:DOGE")], market(), facts)
    assert codes(reviewed) == [RefusalCode.INSTRUMENT_UNKNOWN]
    assert reviewed.approved == []


def test_each_order_is_judged_with_those_before_it_in_mind(place, market, facts) -> None:
    orders = [place(quantity="0.1"), place(quantity="0.09"), place(quantity="0.02"), place(quantity="0.01")]
    reviewed = review(orders, market(), facts)
    assert [approved.request for approved in reviewed.approved] == [orders[0], orders[1], orders[3]]
    assert codes(reviewed) == [RefusalCode.ASSET_EXPOSURE_EXCEEDED]


def test_holdings_and_working_orders_count_before_the_first_request(place, working, market, facts) -> None:
    busy = market(held="0.1", working=[working(quantity="0.09")])
    assert codes(review([place(quantity="0.02")], busy, facts)) == [RefusalCode.ASSET_EXPOSURE_EXCEEDED]
    assert codes(review([place(quantity="0.01")], busy, facts)) == []


@pytest.mark.parametrize("mid", [None, float("nan"), float("inf"), 0.0, -1.0])
def test_a_mid_that_is_no_price_refuses_openings_and_lets_exits_pass(place, market, facts, mid) -> None:
    blind = market(held="0.1", mids={KEY: mid})
    assert codes(review([place()], blind, facts)) == [RefusalCode.DATA_MISSING]
    exit_order = place(Side.SELL, purpose=Purpose.REDUCING)
    assert len(review([exit_order], blind, facts).approved) == 1


def test_a_numpy_mid_is_a_price(place, market, facts) -> None:
    assert len(review([place()], market(mids={KEY: np.float64(100_000)}), facts).approved) == 1


def test_missing_everything_never_refuses_an_exit(place, market, facts) -> None:
    ignorant = replace(
        facts,
        limits=type(facts.limits)({}),
        portfolio_equity=None,
        strategy_equity=None,
        account_equity=None,
        portfolio_drawdown=None,
        strategy_drawdown=None,
    )
    blind = market(held="0.1", mids={}, ages={})
    exit_order = place(Side.SELL, purpose=Purpose.REDUCING)
    reviewed = review([exit_order, place()], blind, ignorant)
    assert [approved.request for approved in reviewed.approved] == [exit_order]
    assert len(reviewed.refused) == 1


def test_a_check_that_raises_refuses_openings_and_lets_exits_pass(place, market, facts, monkeypatch, caplog) -> None:
    def broken(candidate):
        raise ZeroDivisionError("no mid")

    check = Check(name="broken", codes={}, find=broken, binds_reducing=True)
    monkeypatch.setattr(review_module, "CHECKS", (check, *CHECKS))
    exit_order = place(Side.SELL, purpose=Purpose.REDUCING)
    reviewed = review([place(), exit_order], market(held="0.1"), facts)
    assert [approved.request for approved in reviewed.approved] == [exit_order]
    assert codes(reviewed) == [RefusalCode.CHECK_FAILED]
    assert "ZeroDivisionError" in str(reviewed.refused[0].value)
    assert "broken" in caplog.text


def test_amends_are_held_to_the_order_they_change(working, market, facts) -> None:
    resting = working(quantity="0.1", price="99000")
    amend = AmendOrder(resting.client_order_id, KEY, Quantity(D("0.1")), Price(D(99_500)), Quantity(D(0)))
    assert [a.request for a in review([amend], market(working=[resting]), facts).approved] == [amend]
    larger = replace(amend, remaining=Quantity(D("0.2")))
    reviewed = review([larger], market(working=[resting]), facts)
    assert reviewed.approved == []
    assert codes(reviewed) == [RefusalCode.QUANTITY_EXCEEDS_MAXIMUM]


def test_refuses_to_amend_an_order_that_is_not_working(working, market, facts) -> None:
    amend = AmendOrder(working().client_order_id, KEY, Quantity(D("0.1")), Price(D(99_500)), Quantity(D(0)))
    reviewed = review([amend], market(), facts)
    assert reviewed.approved == []
    assert codes(reviewed) == [RefusalCode.ORDER_UNKNOWN]


def test_halted_scope_refuses_amends(working, market, facts) -> None:
    resting = working()
    amend = AmendOrder(resting.client_order_id, KEY, Quantity(D("0.1")), Price(D(99_500)), Quantity(D(0)))
    halted = replace(facts, modes={**facts.modes, ("strategy", "turtle"): TradingMode.HALTED})
    assert codes(review([amend], market(working=[resting]), halted)) == [RefusalCode.TRADING_HALTED]


def test_refuses_to_open_against_an_own_resting_order(place, working, market, facts) -> None:
    ask = working(Side.SELL, price="100000", quantity="0.01")
    reviewed = review([place(price="100000", quantity="0.01")], market(working=[ask]), facts)
    assert reviewed.approved == []
    assert codes(reviewed) == [RefusalCode.SELF_TRADE]


@pytest.mark.parametrize("how", ["in this batch", "already asked"])
def test_an_order_on_its_way_out_is_no_counterparty(place, working, market, facts, how) -> None:
    status = OrderStatus.CANCELLING if how == "already asked" else OrderStatus.OPEN
    ask = working(Side.SELL, price="100000", quantity="0.01", status=status)
    cancels = [CancelOrder(ask.client_order_id, KEY, "flip")] if how == "in this batch" else []
    reviewed = review([*cancels, place(price="100000", quantity="0.01")], market(working=[ask]), facts)
    assert len(reviewed.approved) == 1


def test_an_order_on_its_way_out_still_counts_as_exposure(place, working, market, facts) -> None:
    bid = working(quantity="0.2")
    requests = [CancelOrder(bid.client_order_id, KEY, "stale"), place(quantity="0.01")]
    assert codes(review(requests, market(working=[bid]), facts)) == [RefusalCode.ASSET_EXPOSURE_EXCEEDED]


def test_two_orders_of_one_batch_may_not_meet_each_other(place, market, facts) -> None:
    first, second = place(Side.SELL, quantity="0.01"), place(Side.BUY, quantity="0.01")
    reviewed = review([first, second], market(), facts)
    assert [a.request for a in reviewed.approved] == [first]
    assert codes(reviewed) == [RefusalCode.SELF_TRADE]


def test_reducing_mode_lets_only_the_reducing_part_of_a_reversal_pass(place, market, facts) -> None:
    reducing = replace(facts, modes={**facts.modes, ("everything", "*"): TradingMode.REDUCING})
    reviewed = review([place(Side.SELL, quantity="0.15")], market(held="0.1"), reducing)
    assert [(a.request.quantity.value, a.request.purpose) for a in reviewed.approved] == [(D("0.1"), Purpose.REDUCING)]
    assert codes(reviewed) == [RefusalCode.TRADING_REDUCING]


AMOUNTS = st.integers(min_value=1, max_value=400).map(lambda lots: D(lots) / 1000)
SIGNED = st.integers(min_value=-200, max_value=200).map(lambda lots: D(lots) / 1000)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=SIGNED,
    other=SIGNED,
    orders=st.lists(st.tuples(st.sampled_from(Side), AMOUNTS, st.sampled_from(Purpose)), max_size=12),
)
def test_whatever_is_asked_approved_exits_shrink_and_exposure_stays_in_bounds(
    place, market, facts, held, other, orders
) -> None:
    requests = [place(side, str(quantity), purpose=purpose) for side, quantity, purpose in orders]
    book = market(holdings={KEY: Holding(held, held * 100_000)}, account_net={KEY: held + other})
    reviewed = review(requests, book, facts)
    placed = [a.request for a in reviewed.approved]
    exits = [order for order in placed if order.purpose is Purpose.REDUCING]
    assert sum((o.quantity.value for o in exits), D(0)) <= min(abs(held), abs(held + other))
    assert all(o.side.sign * held < 0 and o.side.sign * (held + other) < 0 for o in exits)
    opened = sum((o.quantity.value * o.price.value for o in placed if o.purpose is Purpose.OPENING), D(0))
    if opened:
        assert abs(held) * 100_000 + opened <= D("0.1") * facts.portfolio_equity
    asked = sum((o.quantity.value for o in requests), D(0))
    answered = sum((o.quantity.value for o in placed), D(0)) + sum(
        (r.request.quantity.value for r in reviewed.refused), D(0)
    )
    assert answered == asked
    assert len({o.client_order_id for o in placed}) == len(placed)


def test_the_review_of_fifty_orders_costs_less_than_a_millisecond_each(place, market, facts, limits_with) -> None:
    wide = replace(facts, limits=limits_with(asset_share=D(1)))
    orders = [place(quantity="0.001", price=str(99_000 - lot)) for lot in range(50)]
    started = time.process_time()
    reviewed = review(orders, market(ages={KEY: timedelta(0)}), wide)
    cpu_ms = (time.process_time() - started) * 1000 / len(orders)
    sys.stdout.write(f"review: {cpu_ms:.3f} ms CPU per order in a batch of {len(orders)}\n")
    assert len(reviewed.approved) == len(orders)
    assert cpu_ms < 10, "ten times the budget: something is badly wrong"
