"""The truth as rows: written by the guard, read by everybody, unknown when it is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.exchanges.models import Account, EquityMark, InstrumentRow, Portfolio, Position, Transfer, Venue
from apps.risk.breakers.readings import day_losses
from apps.risk.models import Allocation, ConversionRate, HighWaterMark, TruthRow
from apps.risk.portfolio.conversion import read_conversion
from apps.risk.portfolio.drawdown import marks_update
from apps.risk.portfolio.equity import counted, read_equities
from apps.risk.portfolio.figures import Figures
from apps.risk.portfolio.keeper import TruthKeeper
from apps.risk.portfolio.portfolio_equity import observe_portfolios
from apps.risk.portfolio.rate_series import rate_points
from apps.risk.portfolio.series import equity_series, returns_matrix
from apps.risk.portfolio.series_keeper import points_keep
from apps.risk.portfolio.strategy_equity import Watched, observe_strategies
from apps.risk.portfolio.truth import read_truth, truth_write
from apps.risk.unexplained import read_gaps
from tests.unit.apps.risk.portfolio.test_valuation import position, snapshot

pytestmark = pytest.mark.django_db
D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
SCOPE = ("portfolio", "main")


class World:
    """One portfolio in USDC with an account in USDC and one in USDT."""

    def __init__(self) -> None:
        self.now = NOW
        self.portfolio = Portfolio.objects.create(code="main", currency="USDC", environment="paper")
        self.dollars, self.tethers = (
            self._account(code, currency) for code, currency in (("hl", "USDC"), ("bn", "USDT"))
        )
        self.rate("0.5")

    def _account(self, code: str, currency: str) -> Account:
        venue = Venue.objects.create(
            code=code, protocol="hyperliquid", environment="paper", rest_url="http://x", websocket_url="ws://x"
        )
        made = Account.objects.create(
            code=f"{code}-1", venue=venue, portfolio=self.portfolio, address=code, currency=currency
        )
        Transfer.objects.create(account=made, amount=100, at=NOW, reference="opening")
        return made

    def rate(self, amount: str, *, age: int = 0) -> None:
        ConversionRate.objects.update_or_create(
            base="USDT", quote="USDC",
            defaults={"rate": D(amount), "at": self.now - timedelta(seconds=age), "max_age_seconds": 600},
        )  # fmt: skip

    def see(self, account: Account, equity: int) -> None:
        EquityMark.objects.create(
            account=account, taken_at=self.now, venue_equity=equity, ledger_equity=equity, unrealised=0, margin_used=0
        )

    def both(self, dollars: int, tethers: int) -> None:
        self.now += timedelta(seconds=1)
        self.see(self.dollars, dollars)
        self.see(self.tethers, tethers)

    def drawdown(self) -> Decimal | None:
        mark = marks_update(observe_portfolios(["main"], self.now), self.now).get(SCOPE)
        return None if mark is None or mark.drawdown is None else round(mark.drawdown, 9)


@pytest.fixture
def world() -> World:
    return World()


def test_a_portfolio_of_two_currencies_is_worth_their_sum_in_its_own(world) -> None:
    world.both(100, 100)
    equities = read_equities(["main"], world.now)
    assert equities.portfolio("main") == equities.ledgers["main"] == 150
    assert (equities.account("bn-1"), equities.dearest["main"]) == (100, 1)
    world.rate("2")
    assert read_equities(["main"], world.now).dearest["main"] == 2


def test_bounds_of_counters_that_mix_currencies_are_never_too_high(world) -> None:
    world.rate("2")
    world.both(100, 100)
    equities = read_equities(["main"], world.now)
    found = counted(equities, portfolio="main", account="hl-1", portfolio_equity=D(300), strategy_equity=D(50))
    # Whatever the counter holds of either currency, twice its number is what it is worth at most.
    assert (found.portfolio, found.strategy) == (150, 25)
    found = counted(equities, portfolio="main", account="bn-1", portfolio_equity=D(300), strategy_equity=D(50))
    assert found.strategy == 50
    world.rate("2", age=601)
    stale = read_equities(["main"], world.now)
    found = counted(stale, portfolio="main", account="hl-1", portfolio_equity=D(300), strategy_equity=D(50))
    assert (found.portfolio, found.strategy) == (None, None)


def test_a_guard_that_starts_anew_goes_on_from_the_same_peak(world) -> None:
    world.both(100, 100)
    world.drawdown()
    world.both(85, 100)
    assert world.drawdown() == D("0.1")
    # All that a guard knows of peaks are rows: a process has nothing else to lose.
    before = HighWaterMark.objects.values().get()
    world.both(85, 100)
    assert world.drawdown() == D("0.1")
    after = HighWaterMark.objects.values().get()
    assert (after["peak"], after["peak_at"], after["parts"]) == (before["peak"], before["peak_at"], before["parts"])


def test_a_leg_in_another_currency_counts_in_that_of_the_strategy(world) -> None:
    row = InstrumentRow.objects.create(venue_id="bn", symbol="BTC", asset="BTC", quote="USDT", tick=1, lot=1)
    Position.objects.create(
        account=world.tethers, strategy="basis", instrument=row, quantity=1, cost=40, updated_at=NOW
    )  # fmt: skip
    watched = [Watched("basis", D(100), world.dollars)]
    marks = {world.tethers.pk: {"BTC": D(60)}}
    assert [seen.equity for seen in observe_strategies(watched, marks, world.now)] == [110]
    world.rate("0.5", age=601)
    assert observe_strategies(watched, marks, world.now) == []


def test_a_stale_rate_makes_it_unknown_and_nothing_is_one_to_one(world) -> None:
    world.both(100, 100)
    world.rate("0.5", age=601)
    equities = read_equities(["main"], world.now)
    assert (equities.portfolio("main"), equities.at_least("main"), equities.dearest["main"]) == (None, None, None)
    assert world.drawdown() is None
    ConversionRate.objects.all().delete()
    assert read_equities(["main"], world.now).portfolio("main") is None


def test_money_moved_in_another_currency_is_no_loss_and_a_rate_that_falls_is_one(world) -> None:
    world.both(100, 100)
    assert world.drawdown() == 0
    assert HighWaterMark.objects.get().peak == 150
    Transfer.objects.create(account=world.tethers, amount=-60, at=world.now, reference="out")
    world.both(100, 40)
    assert world.drawdown() == 0
    assert HighWaterMark.objects.get().peak == 120
    world.rate("0.4")
    assert world.drawdown() == round(D(4) / 120, 9)
    # That the rate has moved since moves no money: the peak stays.
    assert HighWaterMark.objects.get().peak == 120
    Transfer.objects.create(account=world.tethers, amount=60, at=world.now, reference="in")
    world.both(100, 100)
    assert world.drawdown() == round(D(4) / 120, 9)


def test_a_mixed_portfolio_has_a_day_loss_and_the_rate_of_the_morning_counts(world) -> None:
    world.both(100, 100)
    assert day_losses(world.now) == {SCOPE: None}
    points_keep(list(rate_points(read_conversion(world.now))), world.now)
    assert day_losses(world.now) == {SCOPE: 0}
    world.both(90, 80)
    assert day_losses(world.now) == {SCOPE: D(20) / 150}
    world.rate("0.4")
    assert day_losses(world.now) == {SCOPE: D(28) / 150}
    world.rate("0.4", age=601)
    assert day_losses(world.now) == {SCOPE: None}


def test_what_is_missing_from_an_account_counts_in_the_portfolios_currency(world) -> None:
    heard = {world.tethers.pk: snapshot(80, "USDT")}
    (gap,) = read_gaps([world.tethers], heard, world.now)
    assert (gap.missing, str(gap)) == (10, "ledger 100, venue 80: 20 is missing and no trade took it")
    world.rate("0.5", age=601)
    assert read_gaps([world.tethers], heard, world.now) == []


def keep(world: World, keeper: TruthKeeper, *missing: Account) -> None:
    world.now += timedelta(seconds=5)
    btc = position("BTC", 1, 60, "USDT")
    heard = {world.dollars.pk: snapshot(100, "USDC"), world.tethers.pk: snapshot(100, "USDT", btc, margin=20)}
    accounts = Account.objects.select_related("venue", "portfolio").order_by("pk")
    heard = {pk: answer for pk, answer in heard.items() if pk not in {account.pk for account in missing}}
    keeper.keep(list(accounts), heard, {}, world.now)


def test_the_guards_pass_is_what_readers_read(world, django_assert_num_queries) -> None:
    btc = InstrumentRow.objects.create(venue_id="bn", symbol="BTC", asset="BTC", quote="USDT", tick=1, lot=1)
    Position.objects.create(
        account=world.tethers,
        strategy="turtle",
        instrument=btc,
        quantity=1,
        cost=40,
        fees=2,
        slippage=3,
        updated_at=NOW,
    )
    Allocation.objects.create(strategy="turtle", account=world.tethers, capital=50, updated_at=NOW)
    keeper = TruthKeeper()
    keep(world, keeper)
    with django_assert_num_queries(1):
        truth = read_truth(world.now)
    assert (truth.environment, truth.currency) == ("paper", "USDC")
    assert (truth.total.equity, truth.total.gross_exposure, truth.total.margin_used) == (150, 30, 10)
    assert set(truth.accounts) == {"hl-1", "bn-1"}
    assert truth.strategies["turtle"].equity == (50 + 20 - 2) / D(2)
    assert truth.strategies["turtle"].slippage == D("1.5")
    assert truth.assets["BTC"].unrealised == 10
    assert truth.portfolios["main"].equity == truth.total.equity
    assert truth.venues["hl"].equity == 100
    # A setting chooses the currency; that of the portfolio is only the default.
    assert read_truth(world.now, "live").total.equity is None


def test_the_setting_chooses_the_reporting_currency(world, settings) -> None:
    settings.MOONDEV_REPORTING_CURRENCY = "USDT"
    keep(world, TruthKeeper())
    assert (read_truth(world.now).currency, read_truth(world.now).total.equity) == ("USDT", 300)
    settings.MOONDEV_REPORTING_CURRENCY = "EUR"
    keep(world, TruthKeeper())
    assert read_truth(world.now).total.equity is None
    assert "no rate of USDC in EUR" in read_truth(world.now).total.why


def test_old_figures_are_unknown_and_vanished_things_are_forgotten(world) -> None:
    keeper = TruthKeeper()
    keep(world, keeper)
    late = read_truth(world.now + timedelta(seconds=6))
    assert (late.total.equity, late.accounts["hl-1"].equity) == (None, None)
    assert "last written 2025-07-01 12:00:05" in late.total.why
    Account.objects.filter(pk=world.tethers.pk).update(enabled=False)
    world.now += timedelta(seconds=70)
    world.rate("0.5")
    keeper.keep([world.dollars], {world.dollars.pk: snapshot(100, "USDC")}, {}, world.now)
    assert set(read_truth(world.now).accounts) == {"hl-1"}


def test_a_pass_that_comes_late_changes_nothing(world) -> None:
    key = ("paper", "total", "paper")
    for equity, seconds in ((1, 5), (2, 3)):
        at = NOW + timedelta(seconds=seconds)
        truth_write({key: Figures("USDC", equity=D(equity), taken_at=at)}, at)
    assert TruthRow.objects.get().equity == 1


def test_an_account_out_of_sight_counts_with_what_it_had_free_for_a_while(world) -> None:
    EquityMark.objects.create(account=world.tethers, taken_at=NOW, venue_equity=100, unrealised=0, margin_used=30)
    keep(world, TruthKeeper(), world.tethers)
    total = read_truth(world.now).total
    assert (total.equity, total.equity_at_least) == (None, 135)
    assert total.why == "bn-1 does not answer"
    world.now += timedelta(minutes=20)
    world.rate("0.5")
    keep(world, TruthKeeper(), world.tethers)
    assert read_truth(world.now).total.equity_at_least is None


def test_equity_over_time_is_kept_over_restarts_and_without_what_was_paid_in(world) -> None:
    start = world.now
    keep(world, TruthKeeper())
    Transfer.objects.create(account=world.dollars, amount=-40, at=world.now, reference="out")
    keep(world, TruthKeeper())
    series = equity_series(("total", "paper"), start, world.now + timedelta(seconds=5), timedelta(seconds=5))
    assert list(series.equity[1:]) == [150, 150]
    # The venue has not moved the money yet: equity of 150 with 40 gone out is a profit until it does.
    assert series.returns[2] == pytest.approx(40 / 150)
    assert list(series.funded[1:]) == [0, -40]
    assert returns_matrix(["turtle"], start, world.now, timedelta(seconds=5)).shape == (2, 1)
