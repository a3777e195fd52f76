from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.models import InstrumentRow
from apps.monitor.analytics.figures import figures
from apps.monitor.analytics.period import Period
from apps.monitor.analytics.scopes import subject_named, subjects
from apps.risk.models import ConversionRate
from apps.strategies.models import StrategyRow
from moondev.domain.errors import InvalidValue
from tests.support.analytics_world import START, Books, books, keep_points

pytestmark = pytest.mark.django_db
D = Decimal
DAY = timedelta(days=1)
WEEK = Period(START, START + 7 * DAY)
NOW = START + 7 * DAY


@pytest.fixture
def book() -> Books:
    made = books()
    for slug in ("turtle", "idle"):
        StrategyRow.objects.create(slug=slug, kind="turtle_trend", account=made.account, capital=1000)
    return made


def of(scope: str, period: Period = WEEK):
    [found] = figures([subject_named(scope)], period, NOW)
    return found


def trade(book: Books) -> None:
    """Win 20 and lose 10, at a hundred apiece."""
    book.fill("turtle", "buy", "1", "100", fee="0.1", at=0, made=True, slippage="0.2")
    book.fill("turtle", "sell", "1", "120", fee="0.1", at=3_600, slippage="-0.1")
    book.pay("-1", "0", at=4_000)
    book.fill("turtle", "sell", "1", "100", fee="0.1", at=7_200)
    book.pay("0.5", "-1", at=8_000)
    book.fill("turtle", "buy", "1", "110", fee="0.1", at=14_400)


def test_every_figure_of_a_strategy_by_hand(book: Books) -> None:
    trade(book)
    book.order("turtle", "2", "2")
    book.order("turtle", "2", "1", status="cancelled")
    book.order("turtle", "1", "0", status="cancelled")
    book.order("turtle", "1", "0", status="open")
    keep_points("strategy", "turtle", [(START + n * DAY, 1000 + n, 1000, 1 + n / 1000, 0) for n in range(7)])
    found = of("strategy:turtle")
    assert (found.trips.count, found.win_rate, found.profit_factor) == (2, 0.5, pytest.approx(19.8 / 9.7))
    assert found.expectancy == pytest.approx((19.8 - 9.7) / 2)
    assert found.trips.hours == pytest.approx(1.5)
    totals = found.totals
    assert (totals.fills, totals.turnover, totals.realised, totals.fees, totals.funding) == (
        4, D(430), D(10), D("0.4"), D("0.5"),
    )  # fmt: skip
    assert totals.net == D("10.1")
    assert found.maker_share == pytest.approx(100 / 430)
    # Two of the fills had a price to arrive at: 0.1 lost on 220 traded.
    assert found.slippage_bps == pytest.approx(0.1 / 220 * 10_000)
    assert found.fee_bps == pytest.approx(0.4 / 430 * 10_000)
    assert (found.fee_share, found.funding_share) == (pytest.approx(0.04), pytest.approx(0.05))
    assert (totals.orders, found.fill_ratio, found.fills_per_order) == (3, pytest.approx(0.5), pytest.approx(2 / 3))
    assert found.turnover_a_day == pytest.approx(430 / 1002.5 / 7)
    assert found.returns.twr == pytest.approx(0.006)
    assert found.why == {"yearly": "6.0 days, 7 are needed", "calmar": "6.0 days, 7 are needed"}


def test_what_nobody_traded_is_unknown_and_not_zero(book: Books) -> None:
    found = of("strategy:idle")
    assert (found.win_rate, found.profit_factor, found.maker_share, found.fill_ratio, found.slippage_bps) == (None,) * 5
    assert found.totals.turnover == 0
    assert found.why["win_rate"] == "no round trip ended"
    assert found.why["fill_ratio"] == "no order that was sent has ended"
    assert found.why["twr"] == "no points of equity in the period"
    trade(book)
    assert of("strategy:turtle", Period(START, START + timedelta(seconds=3_601))).why["profit_factor"] == (
        "no round trip lost"
    )


def test_everybodys_figures_add_up_to_those_of_the_account_and_of_everything(book: Books) -> None:
    trade(book)
    book.fill("idle", "buy", "1", "100", fee="0.3", at=5, instrument=book.eth)
    for scope in ("account:paper-1", "portfolio:paper", "total:paper"):
        found = of(scope)
        assert (found.totals.fees, found.totals.funding) == (D("0.7"), D("-0.5")), scope
        assert (found.trips.count, found.trips.funding) == (2, 0.5)
    parts = figures(subjects("strategy"), WEEK, NOW)
    assert [part.subject.key for part in parts] == ["idle", "turtle"]
    assert sum(part.totals.fees for part in parts) == D("0.7")


def test_dollars_of_three_kinds_are_added_up_at_a_rate_or_not_at_all(book: Books) -> None:
    trade(book)
    InstrumentRow.objects.filter(pk=book.btc.pk).update(quote="USDT")
    found = of("strategy:turtle")
    assert (found.totals.realised, found.totals.fees, found.totals.net) == (None, D("0.4"), None)
    assert found.why["realised"] == "no rate of USDT in USDC"
    assert (found.trips.count, found.win_rate, found.why["trips"]) == (0, None, "no rate of USDT in USDC")
    ConversionRate.objects.create(base="USDT", quote="USDC", rate=D("0.5"), at=NOW, max_age_seconds=3600, actor="test")
    found = of("strategy:turtle")
    # Prices are in USDT, fees and funding in the account's USDC.
    assert (found.totals.realised, found.totals.fees) == (D(5), D("0.4"))
    assert found.trips.net == pytest.approx(5 - 0.4 + 0.5)


@pytest.mark.parametrize("scope", ["", "turtle", "strategy:", "strategy:nobody", "venue:hyperliquid", "total:live"])
def test_names_what_may_be_asked_for(book: Books, scope: str) -> None:
    with pytest.raises(InvalidValue, match="scope is"):
        subject_named(scope)
