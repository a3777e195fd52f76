from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.events import FundingPaid
from apps.exchanges.mock.engine.funding import hourly_rate
from moondev.domain.clock import milliseconds

D = Decimal


@pytest.mark.parametrize(
    ("premium", "rate"),
    [(0.0, 0.0001 / 8), (0.0003, 0.0001 / 8), (0.001, 0.0005 / 8), (-0.001, -0.0005 / 8), (9.0, 0.04)],
)
def test_hourly_rate_follows_the_venues_formula(premium, rate):
    assert hourly_rate(premium) == pytest.approx(rate)


def test_longs_pay_shorts_every_full_hour_and_nothing_is_lost(desk):
    desk.give_position("ann", 10)
    desk.later(minutes=59)
    assert desk.of(FundingPaid) == []
    desk.later(minutes=1)
    ann, cat = (desk.exchange.account_state(who).funding for who in ("ann", "cat"))
    assert (ann, cat) == (D("0.0125"), D("-0.0125"))  # 10 x 100 x 0.00125 %
    [rate] = desk.exchange.funding_history("BTC", 0, None)
    assert rate.rate == D("0.0000125")
    assert rate.time_ms == milliseconds(desk.clock.now())


def test_keeps_each_payment_on_record(desk):
    desk.give_position("ann", 10)
    desk.later(hours=1)
    [payment] = desk.exchange.funding_payments("ann")
    assert (payment.coin, payment.paid, payment.position) == ("BTC", D("0.0125"), D(10))
    assert desk.exchange.funding_payments("ann", payment.time_ms + 1) == []
    assert desk.exchange.funding_payments("bob") == []


def test_pays_every_hour_that_was_slept_through(desk):
    desk.give_position("ann", 10)
    desk.later(hours=3)
    assert len(desk.exchange.funding_payments("ann")) == 3


def test_position_remembers_its_funding_until_it_closes(desk):
    desk.give_position("ann", 10)
    desk.later(hours=1)
    assert desk.exchange.account_state("ann").positions[0].cum_funding == D("0.0125")
    desk.give_position("ann", -10)
    desk.give_position("ann", 5)
    assert desk.exchange.account_state("ann").positions[0].cum_funding == 0


def test_rate_rises_with_a_book_above_the_oracle(desk):
    desk.place("bob", "buy", 1_000, "100.5")
    desk.place("cat", "sell", 1_000, "100.6")
    desk.later(seconds=10)
    context = desk.exchange.asset_context("BTC")
    assert context.premium > D("0.002")
    assert context.funding > D("0.0000125")
    assert (context.mid, context.impact_bid) == (D("100.55"), D("100.5"))
