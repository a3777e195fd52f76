"""Positions and balances that a stream tells are held against the books, never booked."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.models import Fill, Position
from apps.exchanges.orders.hints import ASKED_SECONDS, Hints
from apps.exchanges.orders.reconcile import reconcile_account
from apps.exchanges.ports import BalanceBatch, BalanceNews, PositionBatch, PositionNews
from moondev.domain.orders import TimeInForce
from moondev.domain.values import SignedQuantity
from tests.support.order_world import World, make_world

pytestmark = pytest.mark.django_db


class Desk:
    """A world with hints and the wake-ups they published."""

    def __init__(self) -> None:
        self.world: World = make_world()
        self.woken: list[tuple[str, str]] = []
        self.hints = Hints("hyperliquid", self.world.clock, lambda task, venue: self.woken.append((task, venue)))

    def tell(self, *positions: tuple[str, str], snapshot: bool = False) -> None:
        now = self.world.clock.now()
        news = tuple(PositionNews(symbol, SignedQuantity(Decimal(size)), now, now) for symbol, size in positions)
        self.hints.note(self.world.account.pk, [PositionBatch(news, snapshot)])

    def buy(self, size: str) -> None:
        self.world.rest(size, tif=TimeInForce.IOC)
        reconcile_account(self.world.account.pk, self.world.sessions, self.world.clock)

    def look_after(self, seconds: float) -> list[tuple[str, str]]:
        self.world.clock.advance(timedelta(seconds=seconds))
        self.woken.clear()
        self.hints.look()
        return list(self.woken)


RECONCILE = [("exchanges.orders_reconcile", "hyperliquid")]
MARK = [("exchanges.equity_mark", "hyperliquid")]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_position_that_stays_different_makes_us_ask_the_venue(desk: Desk) -> None:
    desk.tell(("BTC", "1"))
    assert desk.look_after(0.5) == []
    assert desk.look_after(2) == RECONCILE
    assert not Fill.objects.exists()
    assert not Position.objects.exists()


def test_the_venue_is_not_asked_again_at_every_look(desk: Desk) -> None:
    desk.tell(("BTC", "1"))
    assert desk.look_after(3) == RECONCILE
    assert desk.look_after(1) == []
    assert desk.look_after(ASKED_SECONDS) == RECONCILE


def test_a_position_that_our_fills_add_up_to_is_no_news(desk: Desk) -> None:
    desk.tell(("BTC", "1"))
    desk.buy("1")
    assert desk.look_after(3) == []
    assert desk.look_after(60) == []


def test_a_snapshot_forgets_what_was_told_before(desk: Desk) -> None:
    desk.tell(("BTC", "1"))
    desk.tell(snapshot=True)
    assert desk.look_after(3) == []


def test_a_closed_position_that_we_still_hold_is_a_difference(desk: Desk) -> None:
    desk.buy("1")
    desk.tell(("BTC", "0"))
    assert desk.look_after(3) == RECONCILE


def test_a_snapshot_without_a_position_that_we_hold_is_a_difference(desk: Desk) -> None:
    desk.buy("1")
    desk.tell(snapshot=True)
    assert desk.look_after(3) == RECONCILE


def test_a_balance_that_moved_has_accounts_marked_at_most_once_a_second(desk: Desk) -> None:
    now = desk.world.clock.now()
    balance = BalanceBatch((BalanceNews("USDC", Decimal(5), now, now),))
    desk.hints.note(desk.world.account.pk, [balance, balance])
    assert desk.look_after(0) == MARK
    desk.hints.note(desk.world.account.pk, [balance])
    assert desk.look_after(0.2) == []
    assert desk.look_after(1) == MARK
    assert desk.look_after(1) == []
