"""What analytics tell. Null is not known, never zero; `why` says under the figure's name why not."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from apps.monitor.analytics.drift import Drift
from apps.monitor.analytics.figures import Figures
from apps.monitor.analytics.reports.content import profit
from apps.monitor.analytics.trips import Trip
from apps.monitor.api.amounts import Amount

LEVELS = Literal["total", "portfolio", "account", "strategy"]

_FIGURES: JsonDict = {
    "scope": "strategy:turtle-btc", "environment": "paper", "currency": "USDC", "start": "2026-11-01T00:00:00Z",
    "end": "2026-11-26T00:00:00Z", "equity": 10210.5, "profit": 210.5, "net_flow": 0.0, "twr": 0.021,
    "return_a_year": 0.35, "volatility": 0.2, "sharpe": 1.6, "sortino": 2.4, "calmar": 4.1, "max_drawdown": -0.085,
    "days": 24, "round_trips": 41, "win_rate": 0.44, "profit_factor": 1.3, "expectancy": 5.1, "hours_held": 7.5,
    "fills": 120, "turnover": "410000", "turnover_a_day": 1.6, "realised": "250.5", "fees": "60", "funding": "-4",
    "net": "186.5", "fee_bps": 1.46, "fee_share": 0.24, "funding_share": -0.016, "maker_share": 0.62,
    "slippage_bps": 0.8, "orders": 150, "fill_ratio": 0.71, "fills_per_order": 0.75, "why": {},
}  # fmt: skip


class FiguresTold(BaseModel):
    """Figures of one scope over a period: amounts in `currency`, shares and returns as fractions."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FIGURES]})

    scope: str
    environment: str
    currency: str
    start: datetime
    end: datetime
    equity: float | None
    profit: float | None
    net_flow: float | None
    twr: float | None
    return_a_year: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float | None
    days: int
    round_trips: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    hours_held: float | None
    fills: int
    turnover: Amount | None
    turnover_a_day: float | None
    realised: Amount | None
    fees: Amount | None
    funding: Amount | None
    net: Amount | None
    fee_bps: float | None
    fee_share: float | None
    funding_share: float | None
    maker_share: float | None
    slippage_bps: float | None
    orders: int
    fill_ratio: float | None
    fills_per_order: float | None
    why: dict[str, str]


class FiguresList(BaseModel):
    """Figures of every scope that was asked for."""

    items: list[FiguresTold]


class TripTold(BaseModel):
    """A round trip from flat to flat. Prices are in `currency`, fees and funding in the account's, `fee_currency`.

    `net` null: those are two, and nothing is added up across them.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "account": "paper-1", "strategy": "turtle-btc", "instrument": "hyperliquid:BTC", "side": "buy",
                    "opened_at": "2026-11-25T08:00:00Z", "closed_at": "2026-11-25T20:00:00Z", "quantity": "0.5",
                    "entry_price": "90000", "exit_price": "91000", "currency": "USDC", "realised": "500",
                    "fees": "40.7", "funding": "-3", "slippage": "5", "fee_currency": "USDC",
                    "net": "456.3", "fills": 4,
                }
            ]
        }
    )  # fmt: skip

    account: str
    strategy: str
    instrument: str
    side: str
    opened_at: datetime
    closed_at: datetime | None
    quantity: Amount
    entry_price: Amount
    exit_price: Amount | None
    currency: str
    realised: Amount
    fees: Amount
    funding: Amount
    slippage: Amount | None
    fee_currency: str
    net: Amount | None
    fills: int


class TripList(BaseModel):
    """Round trips, the last to end first. `more`: there are others in the period; ask with an earlier end."""

    items: list[TripTold]
    more: bool


class DriftTold(BaseModel):
    """A strategy that runs beside the backtest of its very version."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "strategy": "turtle-btc", "stage": "paper", "code_hash": "9f2c" * 16, "parameters_version": 3,
                    "days": 21, "live": 0.012, "backtest": 0.015, "tracking_error": 0.004, "deviations": -0.6,
                    "allowed": 2.0, "lags": False, "why": {},
                }
            ]
        }
    )  # fmt: skip

    strategy: str
    stage: str
    code_hash: str
    parameters_version: int
    days: int
    live: float | None
    backtest: float | None
    tracking_error: float | None
    deviations: float | None
    allowed: float | None
    lags: bool | None
    why: dict[str, str]


class DriftList(BaseModel):
    """Every strategy beyond research."""

    items: list[DriftTold]


def figures_told(one: Figures) -> FiguresTold:
    """Return figures as they are told."""
    returns, totals = one.returns, one.totals
    return FiguresTold(
        scope=f"{one.subject.kind}:{one.subject.key}", environment=one.subject.environment,
        currency=one.subject.currency, start=one.period.start, end=one.period.end, equity=returns.last,
        profit=profit(returns), net_flow=returns.net_flow, twr=returns.twr, return_a_year=returns.yearly,
        volatility=returns.volatility, sharpe=returns.sharpe, sortino=returns.sortino, calmar=returns.calmar,
        max_drawdown=returns.max_drawdown, days=returns.days, round_trips=one.trips.count, win_rate=one.win_rate,
        profit_factor=one.profit_factor, expectancy=one.expectancy, hours_held=one.trips.hours, fills=totals.fills,
        turnover=totals.turnover, turnover_a_day=one.turnover_a_day, realised=totals.realised, fees=totals.fees,
        funding=totals.funding, net=totals.net, fee_bps=one.fee_bps, fee_share=one.fee_share,
        funding_share=one.funding_share, maker_share=one.maker_share, slippage_bps=one.slippage_bps,
        orders=totals.orders, fill_ratio=one.fill_ratio, fills_per_order=one.fills_per_order, why=one.why,
    )  # fmt: skip


def trip_told(trip: Trip, account: str, currency: str) -> TripTold:
    """Return a round trip as it is told; `currency` is the account's."""
    own = {"account", "side", "net", "fee_currency"}
    given = {name: getattr(trip, name) for name in TripTold.model_fields if name not in own}
    net = trip.net if trip.currency == currency else None
    return TripTold(account=account, side=trip.side.value, net=net, fee_currency=currency, **given)


def drift_told(drift: Drift) -> DriftTold:
    """Return a drift as it is told."""
    return DriftTold(**{name: getattr(drift, name) for name in DriftTold.model_fields})
