from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.accounts.funding import funding_apply, shares
from apps.exchanges.models import UNASSIGNED, FundingPayment, FundingShare, Position
from apps.exchanges.orders.reconcile import fill_reports
from apps.exchanges.orders.services import reports_apply
from apps.exchanges.ports import FundingPayment as Payment
from moondev.domain.orders import TimeInForce
from moondev.domain.values import Money, Side, SignedQuantity
from tests.support.order_world import World, assert_books, make_world

D = Decimal
amounts = st.decimals(-1000, 1000, places=6)
sizes = st.decimals(-50, 50, places=5)


def test_one_owner_gets_everything() -> None:
    assert shares(D("-0.123457"), D("0.3"), {"turtle": D("0.3")}) == {"turtle": D("-0.123457")}


def test_owners_share_by_size_and_the_dust_belongs_to_nobody() -> None:
    parts = shares(D(1), D(3), {"a": D(1), "b": D(2)})
    assert parts["a"] == D("0.333333333333")
    assert sum(parts.values()) == 1
    assert parts[UNASSIGNED] < D("1e-11")


def test_opposite_owners_pay_each_other() -> None:
    assert shares(D("0.6"), D("0.6"), {"long": D(1), "short": D("-0.4")}) == {"long": D(1), "short": D("-0.4")}


def test_what_nobody_held_belongs_to_nobody() -> None:
    assert shares(D(5), D(2), {"a": D(0)}) == {UNASSIGNED: D(5)}
    assert shares(D(5), D(0), {"a": D(1)}) == {UNASSIGNED: D(5)}


@given(amounts, sizes, st.dictionaries(st.sampled_from("abcd"), sizes))
def test_the_shares_always_add_up(amount: Decimal, position: Decimal, held: dict) -> None:
    assert sum(shares(amount, position, held).values(), start=D(0)) == amount


@pytest.fixture
def world() -> World:
    return make_world()


def filled(world: World, quantity: str, **kwargs) -> None:
    world.rest(quantity, tif=TimeInForce.IOC, **kwargs)
    reports = fill_reports(world.venue.trades, "stream")
    reports_apply(account_id=world.account.pk, reports=reports, now=world.clock.now())


def paid(world: World, amount: str, position: str, symbol: str = "BTC") -> Payment:
    now = world.clock.now()
    return Payment(symbol, Money(D(amount), "USDC"), D("0.0001"), SignedQuantity(D(position)), now, now)


def held(world: World) -> dict[str, Decimal]:
    return {p.strategy: p.funding for p in Position.objects.all()}


@pytest.mark.django_db
def test_goes_to_those_who_held_it_when_it_was_paid_not_to_those_who_do_now(world: World) -> None:
    filled(world, "1")
    world.clock.advance(timedelta(seconds=10))
    payment = paid(world, "-0.5", "1")
    world.clock.advance(timedelta(seconds=10))
    filled(world, "1", side=Side.SELL)
    filled(world, "2", strategy="maker")
    assert funding_apply(account_id=world.account.pk, payments=[payment], now=world.clock.now()).payments == 1
    assert held(world) == {"turtle": D("-0.5"), "maker": 0}
    assert_books()


@pytest.mark.django_db
def test_is_booked_once_however_often_it_is_heard(world: World) -> None:
    filled(world, "1")
    world.clock.advance(timedelta(seconds=1))
    payment = paid(world, "0.25", "1")
    for _ in range(2):
        funding_apply(account_id=world.account.pk, payments=[payment, payment], now=world.clock.now())
    assert FundingPayment.objects.count() == 1
    assert held(world) == {"turtle": D("0.25")}
    assert list(FundingShare.objects.values_list("strategy", "amount")) == [("turtle", D("0.25"))]


@pytest.mark.django_db
def test_from_before_the_books_began_is_not_booked(world: World) -> None:
    payment = paid(world, "0.25", "1")
    before = Payment(payment.symbol, payment.amount, payment.rate, payment.position,
                     payment.time_exchange - timedelta(hours=1), payment.time_received)  # fmt: skip
    assert funding_apply(account_id=world.account.pk, payments=[before], now=world.clock.now()).payments == 0
    assert funding_apply(account_id=world.account.pk, payments=[], now=world.clock.now()).payments == 0
