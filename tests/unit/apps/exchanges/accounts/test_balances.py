from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.accounts.assign import position_assign
from apps.exchanges.accounts.balances import account_adopt, equity_mark
from apps.exchanges.accounts.equity import account_books
from apps.exchanges.models import UNASSIGNED, AccountEvent, EquityMark, Fill, Position, PositionMove, Transfer
from apps.exchanges.orders.reconcile import fill_reports
from apps.exchanges.orders.services import reports_apply
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import TimeInForce
from moondev.domain.values import Side
from tests.support.order_world import World, assert_exposure_exact, make_world

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> World:
    return make_world()


def hear(world: World) -> None:
    reports = fill_reports(world.venue.trades, "stream")
    reports_apply(account_id=world.account.pk, reports=reports, now=world.clock.now())


def mark(world: World) -> EquityMark:
    return equity_mark(world.account.pk, world.venue.account_snapshot(), world.clock.now())


def test_a_mark_holds_both_equities_and_they_are_equal(world: World) -> None:
    world.rest("1.5", "101.3", tif=TimeInForce.IOC)
    hear(world)
    world.venue.mark = D("104.1")
    found = mark(world)
    assert found.ledger_equity == found.venue_equity
    assert found.unrealised == D("1.5") * (D("104.1") - D("101.3"))
    assert account_books(world.account.pk).fees > 0


def test_a_fill_on_its_way_is_nothing_to_compare(world: World) -> None:
    world.rest("1.5", tif=TimeInForce.IOC)
    assert mark(world).ledger_equity is None
    assert not AccountEvent.objects.exists()


def test_an_account_without_positions_is_worth_its_transfers(world: World) -> None:
    books = account_books(world.account.pk)
    assert (books.cash, dict(books.held)) == (100_000, {})
    assert mark(world).ledger_equity == 100_000


def test_a_difference_is_an_alarm_only_when_it_lasts(world: World) -> None:
    Transfer.objects.update(amount=D(99_999))
    for seconds in (0, 60, 60):
        world.clock.advance(timedelta(seconds=seconds))
        assert not AccountEvent.objects.exists()
        mark(world)
    world.clock.advance(timedelta(seconds=30))
    mark(world)
    assert AccountEvent.objects.get().kind == "equity_differs"


def test_a_difference_that_went_away_is_none(world: World) -> None:
    mark(world)
    world.clock.advance(timedelta(seconds=95))
    Transfer.objects.update(amount=D(99_999))
    mark(world)
    assert not AccountEvent.objects.exists()


def test_adopting_an_account_makes_the_books_equal_to_the_venue(world: World) -> None:
    Transfer.objects.all().delete()
    world.venue.trade("BTC", Side.BUY, D("0.7"), D(90))
    world.venue.mark = D(95)
    world.clock.advance(timedelta(seconds=5))
    snapshot = world.venue.account_snapshot()
    first = account_adopt(world.account.pk, snapshot, world.clock.now())
    assert account_adopt(world.account.pk, snapshot, world.clock.now()) == first
    position = Position.objects.get()
    assert (position.strategy, position.quantity, position.cost) == (UNASSIGNED, D("0.7"), D("66.5"))
    found = mark(world)
    assert found.ledger_equity == found.venue_equity
    hear(world)
    assert not Fill.objects.exists()
    assert_exposure_exact()


def test_refuses_to_adopt_an_account_with_books(world: World) -> None:
    with pytest.raises(InvalidValue, match="account"):
        account_adopt(world.account.pk, world.venue.account_snapshot(), world.clock.now())
    assert Transfer.objects.count() == 1


def assign(world: World, strategy: str = "turtle"):
    return position_assign(
        account_id=world.account.pk, instrument_id=world.btc.pk, strategy=strategy, actor="op", now=world.clock.now()
    )


def test_an_unowned_position_is_given_to_a_strategy_at_its_cost(world: World) -> None:
    world.venue.trade("BTC", Side.BUY, D(2), D(90))
    hear(world)
    before = account_books(world.account.pk)
    assert assign(world).quantity == 2
    assert {p.strategy: (p.quantity, p.cost) for p in Position.objects.all()} == {
        UNASSIGNED: (0, 0),
        "turtle": (2, 180),
    }
    assert account_books(world.account.pk) == before
    assert "assigned to turtle by op" in AccountEvent.objects.first().message
    kept = PositionMove.objects.values_list("giver", "taker", "quantity", "cost", "actor")
    assert list(kept) == [(UNASSIGNED, "turtle", 2, 180, "op")]
    assert_exposure_exact()


def test_refuses_to_assign_nothing_or_to_an_opposite_owner(world: World) -> None:
    with pytest.raises(InvalidValue, match="strategy"):
        assign(world)
    world.venue.trade("BTC", Side.BUY, D(2), D(90))
    hear(world)
    world.rest("1", tif=TimeInForce.IOC, side=Side.SELL)
    hear(world)
    with pytest.raises(InvalidValue, match="opposite"):
        assign(world)
    assert Position.objects.get(strategy=UNASSIGNED).quantity == 2
