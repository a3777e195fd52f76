"""The guard: what it sees, when it stops somebody, and what silence means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from types import SimpleNamespace

import pytest

from apps.exchanges.accounts.balances import equity_mark
from apps.exchanges.accounts.transfers import transfer_book
from apps.exchanges.execution.sessions import Session
from apps.exchanges.models import (
    Account,
    AccountEvent,
    EquityMark,
    InstrumentRow,
    Portfolio,
    Position,
    TradingState,
    Transfer,
    Venue,
    Veto,
)
from apps.exchanges.venue_types import AccountSnapshot, PositionSnapshot
from apps.risk import vetoes
from apps.risk.facts import load_facts
from apps.risk.guard import ACTOR, Guard
from apps.risk.models import Breaker, HighWaterMark, RiskEvent
from apps.risk.portfolio.truth import read_truth
from apps.risk.scope import StrategyScope
from apps.risk.services import seed_limits
from apps.risk.snapshots import Snapshots
from moondev.domain.clock import FixedClock
from moondev.domain.errors import Connectivity
from moondev.domain.values import Money, Price, SignedQuantity

pytestmark = pytest.mark.django_db
D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)


class FakeVenue:
    """A venue that says what it is told to; its own session, client and key."""

    def __init__(self) -> None:
        self.equity = D(100_000)
        self.mark = D(1_000)
        self.quantity = D(10)
        self.silent: Exception | None = None

    def session(self, account_id: int, purpose: str) -> Session:
        return SimpleNamespace(client=self)  # type: ignore[return-value]  a stand-in

    def account_snapshot(self) -> AccountSnapshot:
        if self.silent:
            raise self.silent
        position = PositionSnapshot(
            symbol="BTC",
            quantity=SignedQuantity(self.quantity),
            entry_price=None,
            mark_price=Price(self.mark),
            value=Money(self.quantity * self.mark, "USDC"),
            unrealised=Money(D(0), "USDC"),
            leverage=1,
        )
        money = Money(self.equity, "USDC")
        return AccountSnapshot(money, money, Money(D(0), "USDC"), (position,) if self.quantity else (), None, NOW)


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def account(settings, tmp_path, monkeypatch) -> Account:
    settings.MOONDEV_HALT_FILE = tmp_path / "halt"
    monkeypatch.setattr(vetoes, "send", lambda *_, **__: None)
    monkeypatch.setattr(
        vetoes, "redis_nudges", lambda: SimpleNamespace(engage=lambda *_: True, release=lambda *_: True)
    )
    row = Venue.objects.create(
        code="hyperliquid", protocol="hyperliquid", environment="paper", rest_url="http://x", websocket_url="ws://x"
    )
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    made = Account.objects.create(code="paper-1", venue=row, portfolio=portfolio, address="0x1", currency="USDC")
    for kind, key in (("portfolio", "paper"), ("account", "paper-1")):
        TradingState.objects.create(scope_kind=kind, scope_key=key, mode="active", changed_at=NOW)
    seed_limits("paper", actor="test", now=NOW)
    # Breakers have tests of their own.
    Breaker.objects.update(enabled=False)
    load_facts([StrategyScope("turtle", made.pk, "paper-1", "paper", "hyperliquid", "USDC", D(10_000), D(1))], NOW)
    btc = InstrumentRow.objects.create(
        venue=row, symbol="BTC", asset="BTC", quote="USDC", tick=D("0.1"), lot=D("0.001")
    )
    Position.objects.create(account=made, strategy="turtle", instrument=btc, quantity=10, cost=10_000, updated_at=NOW)
    return made


@pytest.fixture
def guard(account, venue, clock):
    def record(row: Account, snapshot: AccountSnapshot, now: datetime) -> None:
        EquityMark.objects.create(
            account=row, taken_at=now, venue_equity=snapshot.equity.value, unrealised=0, margin_used=0
        )

    snapshots = Snapshots(venue, timer=count().__next__)
    yield Guard(snapshots, record, clock)
    snapshots.close()


def watch(guard: Guard, clock: FixedClock, times: int = 1) -> list[str]:
    """Return the reasons given in so many passes, a second apart."""
    reasons = []
    for _ in range(times):
        clock.advance(timedelta(seconds=1))
        reasons += [str(breach) for breach in guard.watch()]
    return reasons


def mark(kind: str, key: str) -> tuple[Decimal, Decimal]:
    row = HighWaterMark.objects.get(scope_kind=kind, scope_key=key)
    return row.peak, row.equity


def test_marks_strategies_at_the_venue_mark_and_portfolios_at_venue_equity(guard, venue, clock) -> None:
    venue.mark = D(1_050)
    watch(guard, clock)
    assert mark("strategy", "turtle") == (10_500, 10_500)
    assert mark("portfolio", "paper") == (100_000, 100_000)
    venue.mark, venue.equity = D(1_000), D(99_000)
    watch(guard, clock)
    assert mark("strategy", "turtle") == (10_500, 10_000)
    assert mark("portfolio", "paper") == (100_000, 99_000)
    assert Veto.objects.count() == 0


def test_a_strategy_that_lost_fifteen_per_cent_is_halted_and_flattened_once(guard, venue, clock) -> None:
    watch(guard, clock)
    venue.mark = D(850)
    assert watch(guard, clock) == []
    assert watch(guard, clock, 5) == ["strategy drawdown 0.1500 has reached its limit 0.15"]
    veto = Veto.objects.get()
    assert (veto.scope_kind, veto.scope_key, veto.flatten, veto.actor) == ("strategy", "turtle", True, ACTOR)
    state = TradingState.objects.get(scope_kind="strategy")
    assert (state.mode, state.epoch) == ("halted", veto.epoch)
    assert RiskEvent.objects.filter(kind=RiskEvent.Kind.BREACH).count() == 1


def test_a_portfolio_that_lost_a_quarter_is_halted_and_flattened_once(guard, venue, clock) -> None:
    watch(guard, clock)
    venue.equity = D(75_000)
    assert watch(guard, clock, 5) == ["portfolio drawdown 0.2500 has reached its limit 0.25"]
    assert Veto.objects.get().scope_kind == "portfolio"


def test_just_below_the_limit_nobody_is_stopped(guard, venue, clock) -> None:
    watch(guard, clock)
    venue.mark, venue.equity = D("850.1"), D(75_001)
    assert watch(guard, clock, 5) == []


def test_one_wrong_answer_of_the_venue_stops_nobody(guard, venue, clock) -> None:
    watch(guard, clock)
    venue.equity = D(0)
    watch(guard, clock)
    venue.equity = D(100_000)
    assert watch(guard, clock, 5) == []
    assert Veto.objects.count() == 0


@pytest.mark.parametrize("error", [Connectivity("timed out"), ZeroDivisionError("a bug in a parser")])
def test_silence_is_unknown_not_zero(guard, venue, clock, error, caplog) -> None:
    watch(guard, clock)
    venue.silent = error
    assert watch(guard, clock, 70) == []
    assert Veto.objects.count() == 0
    assert mark("portfolio", "paper") == (100_000, 100_000)
    assert caplog.text.count("does not answer") == 1
    scope = StrategyScope(
        "turtle", Account.objects.get().pk, "paper-1", "paper", "hyperliquid", "USDC", D(10_000), D(1)
    )
    facts = load_facts([scope], clock.now())["turtle"]
    assert (facts.portfolio_equity, facts.strategy_equity, facts.strategy_drawdown) == (None, None, None)


def test_an_account_that_cannot_be_marked_hides_nobody_else(account, venue, clock) -> None:
    def broken(row: Account, *_: object) -> None:
        raise KeyError("a symbol nobody listed")

    snapshots = Snapshots(venue, timer=count().__next__)
    try:
        venue.mark = D(700)
        assert len(watch(Guard(snapshots, broken, clock), clock, 3)) == 1
    finally:
        snapshots.close()
    assert EquityMark.objects.count() == 0


def test_a_position_without_a_mark_leaves_the_strategy_unknown(guard, account, venue, clock) -> None:
    watch(guard, clock)
    eth = InstrumentRow.objects.create(
        venue=account.venue, symbol="ETH", asset="ETH", quote="USDC", tick=D("0.1"), lot=D("0.001")
    )
    Position.objects.create(account=account, strategy="turtle", instrument=eth, quantity=1, cost=9_000, updated_at=NOW)
    before = HighWaterMark.objects.get(scope_kind="strategy").marked_at
    assert watch(guard, clock, 3) == []
    assert HighWaterMark.objects.get(scope_kind="strategy").marked_at == before


def test_more_capital_is_no_profit_and_less_is_no_loss(guard, account, clock) -> None:
    watch(guard, clock)
    for capital in (D(50_000), D(5_000)):
        scope = StrategyScope("turtle", account.pk, "paper-1", "paper", "hyperliquid", "USDC", capital, D(1))
        load_facts([scope], clock.now())
        assert watch(guard, clock, 3) == []
        assert mark("strategy", "turtle") == (capital, capital)


def test_a_withdrawal_that_is_booked_is_no_loss(booked, account, venue, clock) -> None:
    withdraw(account, 60_000, clock)
    venue.equity = D(40_000)
    assert watch(booked, clock, 3) == []
    assert mark("portfolio", "paper") == (40_000, 40_000)


def test_a_second_guard_does_not_stop_again_what_is_stopped(guard, account, venue, clock) -> None:
    watch(guard, clock)
    venue.mark = D(800)
    watch(guard, clock, 3)
    second = Guard(Snapshots(venue, timer=count().__next__), lambda *_: None, clock)
    assert watch(second, clock, 3) == []
    assert Veto.objects.count() == 1


def test_after_a_release_only_a_new_loss_stops_again(guard, account, venue, clock) -> None:
    watch(guard, clock)
    venue.mark = D(800)
    watch(guard, clock, 3)
    Veto.objects.update(done_at=NOW, stage=Veto.Stage.DONE)
    vetoes.release(scope=("strategy", "turtle"), reason="looked at", actor="ann", now=clock.now())
    assert watch(guard, clock, 3) == []
    venue.mark = D(670)
    assert len(watch(guard, clock, 3)) == 1
    assert Veto.objects.count() == 2


@pytest.fixture
def booked(account, venue, clock):
    """Return a guard of an account whose books are open, equal to the venue and marked once."""
    Transfer.objects.create(account=account, amount=100_000, at=NOW, reference="opening")
    snapshots = Snapshots(venue, timer=count().__next__)
    guard = Guard(snapshots, lambda row, snapshot, now: equity_mark(row.pk, snapshot, now), clock)
    assert watch(guard, clock) == []
    yield guard
    snapshots.close()


def withdraw(account: Account, amount: int, clock: FixedClock) -> None:
    transfer_book(account_id=account.pk, amount=D(-amount), reference="w1", actor="ann", now=clock.now())


def lose(amount: int) -> None:
    """Let our own books know of a loss, of a strategy whose own limit is not what the test is about."""
    row = Position.objects.get(strategy="turtle")
    row.pk, row.strategy, row.quantity, row.cost, row.realised = None, "elsewhere", D(0), D(0), D(-amount)
    row.save()


def test_money_missing_without_a_trade_halts_and_sells_nothing(booked, account, venue, clock) -> None:
    venue.equity = D(75_000)
    (reason,) = watch(booked, clock, 8)
    assert reason == "portfolio drawdown 0.2500 has reached its limit 0.25"
    veto = Veto.objects.get()
    assert (veto.scope_kind, veto.flatten) == ("portfolio", False)
    assert "missing from paper-1" in veto.reason
    assert TradingState.objects.get(scope_kind="portfolio").mode == "halted"
    alarm = AccountEvent.objects.get()
    assert alarm.kind == AccountEvent.Kind.EQUITY_DIFFERS
    assert "ledger 100000, venue 75000: 25000 is missing" in alarm.message
    assert "account transfer" in alarm.message


def test_once_the_withdrawal_is_booked_the_halt_is_lifted_for_good(booked, account, venue, clock) -> None:
    venue.equity = D(75_000)
    watch(booked, clock, 4)
    withdraw(account, 25_000, clock)
    watch(booked, clock)
    Veto.objects.update(done_at=NOW, stage=Veto.Stage.DONE)
    vetoes.release(scope=("portfolio", "paper"), reason="it was us", actor="ann", now=clock.now())
    assert watch(booked, clock, 5) == []
    assert mark("portfolio", "paper") == (75_000, 75_000)


def test_a_withdrawal_booked_before_it_leaves_is_no_loss(booked, account, venue, clock) -> None:
    withdraw(account, 60_000, clock)
    assert watch(booked, clock, 3) == []
    venue.equity = D(40_000)
    assert watch(booked, clock, 5) == []
    peak, _ = mark("portfolio", "paper")
    assert 40_000 <= peak <= D(40_000) * D("1.005")


def test_a_loss_that_our_books_know_is_flattened(booked, venue, clock) -> None:
    lose(25_000)
    venue.equity = D(75_000)
    assert len(watch(booked, clock, 5)) == 1
    assert Veto.objects.get().flatten


def test_missing_money_hides_no_loss_beside_it(booked, venue, clock) -> None:
    lose(25_000)
    venue.equity = D(60_000)
    assert len(watch(booked, clock, 5)) == 1
    assert Veto.objects.get().flatten


def test_a_loss_after_such_a_halt_is_still_flattened(booked, venue, clock) -> None:
    venue.equity = D(75_000)
    watch(booked, clock, 4)
    lose(25_000)
    venue.equity = D(50_000)
    assert len(watch(booked, clock, 5)) == 1
    assert [veto.flatten for veto in Veto.objects.order_by("pk")] == [False, True]


def test_while_positions_differ_the_books_are_believed_for_a_few_passes_only(booked, venue, clock) -> None:
    venue.equity, venue.quantity = D(75_000), D(9)
    assert len(watch(booked, clock, 4)) == 1
    assert watch(booked, clock, 4) == []
    assert [veto.flatten for veto in Veto.objects.all()] == [False]
    assert len(watch(booked, clock, 2)) == 1
    assert [veto.flatten for veto in Veto.objects.order_by("pk")] == [False, True]


def test_a_fill_under_way_now_and_then_does_not_end_the_belief_in_the_books(booked, venue, clock) -> None:
    venue.equity = D(75_000)
    for quantity in [D(9), D(10)] * 10:
        venue.quantity = quantity
        watch(booked, clock)
    assert [veto.flatten for veto in Veto.objects.all()] == [False]


def test_where_the_venue_does_not_price_what_we_hold_its_word_stands(booked, venue, clock) -> None:
    venue.equity, venue.quantity = D(75_000), D(0)
    assert len(watch(booked, clock, 5)) == 1
    assert Veto.objects.get().flatten


def test_the_guard_looks_at_breakers_too_and_halves_what_a_bad_day_left(guard, venue, clock) -> None:
    Breaker.objects.filter(code="day-loss").update(enabled=True)
    watch(guard, clock)
    venue.equity = D(95_000)
    assert watch(guard, clock, 3) == []
    veto = Veto.objects.get()
    assert (veto.scope_kind, veto.flatten, veto.keep_share) == ("portfolio", True, D("0.5"))
    assert TradingState.objects.get(scope_kind="portfolio").mode == "reducing"


def test_one_answer_of_the_venue_that_stands_for_a_while_confirms_nothing(account, venue, clock) -> None:
    times = iter([0.0] * 4)
    snapshots = Snapshots(venue, timer=lambda: next(times, 0.0))
    guard = Guard(snapshots, lambda *_: None, clock)
    try:
        venue.mark = D(700)
        # All passes happen before the account's next turn: the first answer is all there is.
        assert watch(guard, clock, 5) == []
    finally:
        snapshots.close()
    assert Veto.objects.count() == 0


def test_between_two_passes_a_fill_reaches_the_truth(guard, account, venue, clock) -> None:
    watch(guard, clock)
    assert read_truth(clock.now()).strategies["turtle"].realised == 0
    # The first look knows no earlier one.
    assert guard.glance()
    assert not guard.glance()
    Position.objects.update(realised=25, updated_at=NOW + timedelta(seconds=1))
    venue.equity = D(100_025)
    clock.advance(timedelta(milliseconds=300))
    assert guard.glance()
    truth = read_truth(clock.now())
    assert (truth.strategies["turtle"].realised, truth.total.equity) == (25, 100_025)
