"""The figures of strategies, accounts, portfolios and everything, over any period. docs/analytics.md says each by name.

What cannot be known is None, and `why` says under the figure's name why not; nothing is made up to look complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from apps.exchanges.models import Account
from apps.monitor.analytics.activity import Activity, Totals, read_activity, totals_of
from apps.monitor.analytics.period import Period
from apps.monitor.analytics.returns import Returns, read_points, returns_of
from apps.monitor.analytics.scopes import Subject
from apps.monitor.analytics.trips import Trip, trips_closed
from apps.risk.portfolio.conversion import Conversion, conversion_between
from apps.strategies.backtest.costs import BPS
from apps.strategies.backtest.metrics import profit_factor, win_rate
from apps.strategies.backtest.results import Trade
from apps.strategies.backtest.trade_figures import TradeFigures, trade_figures

Amount = Decimal | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One subject's figures over a period. Amounts are in `subject.currency`; shares and returns are fractions.

    `returns` are of equity, `totals` of what was booked in the period, `trips` of round trips that ended in it.
    """

    subject: Subject
    period: Period
    returns: Returns
    totals: Totals
    trips: TradeFigures
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    fill_ratio: float | None
    fills_per_order: float | None
    maker_share: float | None
    slippage_bps: float | None
    fee_bps: float | None
    fee_share: float | None
    funding_share: float | None
    turnover_a_day: float | None
    why: dict[str, str] = field(default_factory=dict)


def figures(wanted: Sequence[Subject], period: Period, now: datetime) -> list[Figures]:
    """Return the figures of subjects over a period, in a handful of statements however many subjects there are."""
    accounts = sorted(frozenset().union(*(subject.accounts for subject in wanted)))
    alone = wanted[0].strategy if len(wanted) == 1 else None
    return _reckoned(wanted, period, now, trips_closed(accounts, period, alone))


def usual(wanted: Sequence[Subject], period: Period, now: datetime) -> list[Figures]:
    """Return the same without round trips, which cost most: for comparing with what was usual."""
    return _reckoned(wanted, period, now, [])


def _reckoned(wanted: Sequence[Subject], period: Period, now: datetime, trips: Sequence[Trip]) -> list[Figures]:
    ids = frozenset().union(*(subject.accounts for subject in wanted))
    currencies = dict(Account.objects.filter(pk__in=ids).values_list("pk", "currency"))
    activity = read_activity(currencies, period, wanted[0].strategy if len(wanted) == 1 else None)
    points = read_points([subject.scope for subject in wanted], period)
    conversion = _rates(wanted, activity, now)
    return [
        _figures(subject, period, returns_of(points.get(subject.scope)), activity, trips, conversion)
        for subject in wanted
    ]


def _rates(wanted: Sequence[Subject], activity: Activity, now: datetime) -> Conversion:
    found = {traded.quote for traded in activity.traded} | set(activity.currencies.values())
    return conversion_between([(base, subject.currency) for base in found for subject in wanted], now)


def _figures(
    subject: Subject, period: Period, returns: Returns, activity: Activity, trips: Sequence[Trip], rates: Conversion
) -> Figures:
    totals = totals_of(activity, subject, rates)
    trades, lacking = _trades(trips, subject, activity, rates)
    told = trade_figures(trades or [])
    gross, days = totals.realised, period.days
    return Figures(
        subject=subject,
        period=period,
        returns=returns,
        totals=totals,
        trips=told,
        win_rate=win_rate(trades or []),
        profit_factor=profit_factor(trades or []),
        expectancy=told.net / told.count if told.count else None,
        fill_ratio=float(totals.shares / totals.orders) if totals.orders else None,
        fills_per_order=totals.orders_filled / totals.orders if totals.orders else None,
        maker_share=_share(totals.made, totals.turnover),
        slippage_bps=_bps(totals.slippage, totals.planned),
        fee_bps=_bps(totals.fees, totals.turnover),
        fee_share=_share(totals.fees, gross) if gross is not None and gross > 0 else None,
        funding_share=_share(totals.funding, gross) if gross is not None and gross > 0 else None,
        turnover_a_day=_a_day(totals.turnover, returns.mean_equity, days),
        why=returns.why | totals.why | _why(totals, told, trades, lacking, returns),
    )


def _trades(
    trips: Sequence[Trip], subject: Subject, activity: Activity, rates: Conversion
) -> tuple[list[Trade] | None, str]:
    """Return what counts as a subject's trades, in its currency; None and why when a currency has no rate."""
    found: list[Trade] = []
    for trip in trips:
        if not subject.owns(trip.account_id, trip.strategy):
            continue
        own = activity.currencies[trip.account_id]
        prices, costs = rates.rate(trip.currency, subject.currency), rates.rate(own, subject.currency)
        if prices is None or costs is None:
            return None, rates.why_not(trip.currency, subject.currency) or rates.why_not(own, subject.currency)
        found.append(trip.times(prices, costs).as_trade())
    return found, ""


def _why(
    totals: Totals, told: TradeFigures, trades: list[Trade] | None, lacking: str, returns: Returns
) -> dict[str, str]:
    why: dict[str, str] = {}
    if trades is None:
        why["trips"] = lacking
    if not told.count:
        why |= dict.fromkeys(("win_rate", "profit_factor", "expectancy", "hours"), lacking or "no round trip ended")
    elif all(trade.net >= 0 for trade in trades or []):
        why["profit_factor"] = "no round trip lost"
    if not totals.orders:
        why |= dict.fromkeys(("fill_ratio", "fills_per_order"), "no order that was sent has ended")
    if not totals.fills:
        why |= dict.fromkeys(("maker_share", "fee_bps"), "nothing was traded")
    if not totals.planned and totals.planned is not None:
        why["slippage_bps"] = "nothing was traded that had a price to arrive at"
    if totals.realised is not None and totals.realised <= 0:
        why |= dict.fromkeys(("fee_share", "funding_share"), "no profit of prices to take a share of")
    if returns.mean_equity is None:
        why["turnover_a_day"] = "no points of equity in the period"
    return why


def _share(part: Amount, whole: Amount) -> float | None:
    return None if part is None or not whole else float(part / whole)


def _bps(part: Amount, whole: Amount) -> float | None:
    share = _share(part, whole)
    return None if share is None else share / BPS


def _a_day(turnover: Amount, equity: float | None, days: float) -> float | None:
    return None if turnover is None or not equity or equity <= 0 else float(turnover) / equity / days
