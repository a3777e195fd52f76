"""Each rule speaks when it should and keeps silent when nothing is out of the ordinary."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from apps.monitor.analytics.activity import Totals
from apps.monitor.analytics.drift import Drift
from apps.monitor.analytics.figures import Figures
from apps.monitor.analytics.period import Period
from apps.monitor.analytics.reports.content import Content
from apps.monitor.analytics.reports.days import stretch_with
from apps.monitor.analytics.reports.unusual import unusual
from apps.monitor.analytics.returns import Returns
from apps.monitor.analytics.scopes import Subject
from apps.monitor.models import ReportKind
from apps.strategies.backtest.trade_figures import trade_figures
from tests.support.analytics_world import START

D = Decimal
DAY = Period(START, START + timedelta(days=1))
MONTH = Period.before(START, 30)


def figures(key: str, period: Period, totals: Totals, *, returns: Returns | None = None, **changed) -> Figures:
    subject = Subject("strategy", key, "paper", "USDC")
    nothing = dict.fromkeys(
        ("win_rate", "profit_factor", "expectancy", "fill_ratio", "fills_per_order", "maker_share", "slippage_bps",
         "fee_bps", "fee_share", "funding_share", "turnover_a_day")
    )  # fmt: skip
    return Figures(subject, period, returns or Returns(), totals, trade_figures([]), **(nothing | changed))


def content(now: Figures, before: Figures, **changed) -> Content:
    whole, usual = figures("paper", DAY, Totals()), figures("paper", MONTH, Totals())
    plain = Content(
        stretch=stretch_with(ReportKind.DAILY, date(2026, 3, 2), "UTC"), environment="paper", currency="USDC",
        whole=whole, before=Returns(), lately=usual, strategies=[now], strategies_lately=[before], trips=[], drifts=[],
        risk=[], alerts=[], changes=[], more_changes=0, equity=[1.0] * 10,
    )  # fmt: skip
    return replace(plain, **changed)


USUAL = figures("turtle", MONTH, Totals(fills=900, orders=900), fill_ratio=0.9, slippage_bps=1.0)
CALM = figures("turtle", DAY, Totals(fills=30, orders=30), fill_ratio=0.8, slippage_bps=1.5)


def test_an_ordinary_day_has_nothing_unusual() -> None:
    assert unusual(content(CALM, USUAL)) == []


def test_a_strategy_that_trades_fills_or_slips_otherwise_than_usual_is_named() -> None:
    for now, words in (
        (figures("turtle", DAY, Totals(fills=120, orders=130)), "turtle traded 4.0 times as often"),
        (figures("turtle", DAY, Totals()), "turtle did not trade at all; usually it trades 30 times"),
        (replace(CALM, fill_ratio=0.2), "turtle filled 20 % of what it ordered, usually 90 %"),
        (replace(CALM, slippage_bps=3.5), "turtle slipped +3.5 bp, usually +1.0 bp"),
    ):
        [sentence] = unusual(content(now, USUAL))
        assert sentence.startswith(words), sentence


def test_a_return_out_of_proportion_unseen_equity_and_dear_trading_are_told() -> None:
    # A volatility of 0.365 a year is 0.0191 a day.
    lately = figures("paper", MONTH, Totals(), returns=Returns(volatility=0.365))
    far = figures("paper", DAY, Totals(realised=D(5), fees=D(6)), returns=Returns(twr=-0.0573, first=100.0))
    told = unusual(content(CALM, USUAL, whole=far, lately=lately, equity=[1.0] * 8 + [None] * 2))
    assert [sentence.split(" ")[0] for sentence in told] == ["The", "Nobody", "Fees"]
    assert "is 3.0 times" in told[0]
    assert "for 20 % of the period" in told[1]
    near = replace(far, returns=Returns(twr=0.04, first=100.0), totals=Totals(realised=D(7), fees=D(6)))
    assert unusual(content(CALM, USUAL, whole=near, lately=lately)) == []


def test_a_strategy_out_of_its_band_is_told() -> None:
    drift = Drift("turtle", "live", "9f2c", 3, deviations=-2.5, allowed=2.0)
    assert drift.lags
    assert unusual(content(CALM, USUAL, drifts=[drift])) == [
        "turtle lags 2.5 deviations behind its backtest; 2.0 are allowed."
    ]
    inside = replace(drift, deviations=-1.0)
    assert unusual(content(CALM, USUAL, drifts=[inside, replace(drift, allowed=None)])) == []
