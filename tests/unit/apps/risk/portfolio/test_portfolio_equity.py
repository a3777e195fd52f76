"""What a portfolio's drawdown is while accounts come and go and money is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.exchanges.accounts.balances import ADOPTION
from apps.exchanges.models import Account, EquityMark, Portfolio, Transfer, Venue
from apps.risk.models import HighWaterMark
from apps.risk.portfolio.drawdown import marks_update
from apps.risk.portfolio.portfolio_equity import observe_portfolios

pytestmark = pytest.mark.django_db
D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
SCOPE = ("portfolio", "paper")


class World:
    """A portfolio whose accounts are worth what the test says."""

    def __init__(self) -> None:
        self.now = NOW
        self.portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
        self.venue = Venue.objects.create(
            code="v", protocol="hyperliquid", environment="paper", rest_url="http://x", websocket_url="ws://x"
        )

    def account(self, code: str, deposit: int | None = 100) -> Account:
        made = Account.objects.create(
            code=code, venue=self.venue, portfolio=self.portfolio, address=code, currency="USDC"
        )
        if deposit is not None:
            self.transfer(made, deposit, ADOPTION)
        return made

    def transfer(self, account: Account, amount: int, reference: str = "t1") -> None:
        Transfer.objects.create(account=account, amount=amount, at=self.now, reference=reference)

    def see(self, account: Account, equity: int, ledger: int | None = -1) -> None:
        """Mark an account; its books agree unless the test says otherwise."""
        EquityMark.objects.create(
            account=account,
            taken_at=self.now,
            venue_equity=equity,
            ledger_equity=equity if ledger == -1 else ledger,
            unrealised=0,
            margin_used=0,
        )

    def drawdown(self) -> Decimal | None:
        """Return the portfolio's drawdown by a pass of the guard now; None when it is not known."""
        self.now += timedelta(seconds=1)
        mark = marks_update(observe_portfolios(["paper"], self.now), self.now).get(SCOPE)
        return None if mark is None or mark.drawdown is None else round(mark.drawdown, 9)

    def enable(self, account: Account, *, enabled: bool) -> None:
        Account.objects.filter(pk=account.pk).update(enabled=enabled)


@pytest.fixture
def world() -> World:
    return World()


def peak() -> Decimal:
    return HighWaterMark.objects.get().peak


def test_disabling_an_account_that_earned_is_no_loss(world) -> None:
    a, b = world.account("a"), world.account("b")
    world.see(a, 150)
    world.see(b, 100)
    assert world.drawdown() == 0
    world.enable(a, enabled=False)
    assert world.drawdown() == 0
    assert peak() == 100


def test_disabling_an_account_that_lost_hides_no_loss(world) -> None:
    a, b = world.account("a"), world.account("b")
    for account in (a, b):
        world.see(account, 100)
    world.drawdown()
    world.see(a, 60)
    assert world.drawdown() == D("0.2")
    world.enable(a, enabled=False)
    assert world.drawdown() == D("0.2")
    assert world.drawdown() == D("0.2")
    world.see(b, 95)
    assert world.drawdown() == D("0.24")


def test_what_was_lost_since_the_last_mark_counts_though_the_accounts_change_now(world) -> None:
    a, b = world.account("a"), world.account("b")
    for account in (a, b):
        world.see(account, 100)
    world.drawdown()
    world.see(a, 60)
    world.enable(a, enabled=False)
    assert world.drawdown() == D("0.2")


def test_enabling_an_account_again_changes_nothing(world) -> None:
    a, b = world.account("a"), world.account("b")
    for account in (a, b):
        world.see(account, 100)
    world.drawdown()
    world.see(a, 80)
    assert world.drawdown() == D("0.1")
    for enabled in (False, True, False, True):
        world.enable(b, enabled=enabled)
        assert world.drawdown() == D("0.1")
    assert peak() == 200


def test_money_moved_while_accounts_change_is_no_profit_and_no_loss(world) -> None:
    a, b = world.account("a"), world.account("b")
    for account in (a, b):
        world.see(account, 100)
    world.drawdown()
    world.transfer(a, -50)
    world.see(a, 50)
    world.enable(b, enabled=False)
    assert world.drawdown() == 0
    assert peak() == 50


def test_a_mark_older_than_the_accounts_noted_with_it_starts_from_where_it_is(world) -> None:
    world.see(world.account("a"), 80)
    HighWaterMark.objects.create(
        scope_kind="portfolio", scope_key="paper", peak=100, peak_at=NOW, equity=80, funded=100, marked_at=NOW
    )
    assert world.drawdown() == D("0.2")
    assert HighWaterMark.objects.get().members


@pytest.mark.parametrize("ledger", [0, None], ids=["without positions", "with positions nobody owns"])
def test_adopting_an_account_that_was_counted_already_is_no_loss(world, ledger) -> None:
    a = world.account("a")
    world.see(a, 100)
    world.drawdown()
    world.see(a, 90)
    assert world.drawdown() == D("0.1")
    b = world.account("b", deposit=None)
    world.see(b, 50, ledger)
    assert world.drawdown() == D("0.1")
    world.transfer(b, 50, ADOPTION)
    world.see(b, 50)
    assert world.drawdown() == D("0.1")


def test_the_opening_of_books_that_began_with_a_trade_is_no_loss(world) -> None:
    a = world.account("a", deposit=None)
    world.see(a, 100, None)
    world.drawdown()
    world.transfer(a, 99)
    world.see(a, 100)
    assert world.drawdown() == 0


def test_money_that_came_in_while_positions_differed_makes_no_peak(world) -> None:
    a = world.account("a")
    world.see(a, 100)
    world.drawdown()
    world.see(a, 200, None)
    assert world.drawdown() == 0
    world.transfer(a, 100)
    world.see(a, 200)
    assert world.drawdown() == 0
    assert peak() == 200


@pytest.mark.parametrize("left_already", [True, False])
def test_a_withdrawal_booked_while_positions_differ_waits_until_they_agree(world, left_already) -> None:
    a = world.account("a")
    world.see(a, 100)
    world.drawdown()
    world.transfer(a, -25)
    world.see(a, 75 if left_already else 100, None)
    assert world.drawdown() is None
    world.see(a, 75 if left_already else 100, 75)
    world.drawdown()
    world.see(a, 75)
    assert world.drawdown() < D("0.006")


def test_it_does_not_wait_for_ever(world) -> None:
    a = world.account("a")
    world.see(a, 100)
    world.drawdown()
    world.transfer(a, -25)
    world.now += timedelta(minutes=2)
    world.see(a, 75, None)
    assert world.drawdown() == 0
    assert peak() == 75
