"""The figures of a backtest, each by one stated rule.

Returns are those of daily closes (the last equity of each UTC day), a year has 365 days, standard deviations have
ddof 1, and the Sharpe ratio is arithmetic with a risk-free rate of zero. Drawdown is seen at every bar, because the
worst hour of a day costs as much as its close. What cannot be computed is None, never zero or infinity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apps.strategies.backtest.results import BacktestResult, EquityCurve, Trade
from moondev.domain.market_data import Column

DAYS_A_YEAR = 365
DAY_MS = 86_400_000
# A standard deviation this small against 1 is rounding, not risk.
ROUNDING = 1e-15


@dataclass(frozen=True, slots=True)
class Metrics:
    """Fractions, not percent. Drawdowns are zero or below; money is in the quote currency."""

    days: int
    total_return: float | None
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: float | None
    max_drawdown_daily: float | None
    calmar: float | None
    trades: int
    win_rate: float | None
    profit_factor: float | None
    mean_trade: float | None
    gross: float
    fees: float
    funding: float
    net: float
    time_in_market: float


def metrics_of(result: BacktestResult) -> Metrics:
    """Return every figure of a run."""
    closes = daily_closes(result.curve)
    returns = daily_returns(closes)
    yearly, deepest = cagr(closes), max_drawdown(result.curve.equity)
    trades = result.trades
    return Metrics(
        days=len(closes),
        total_return=result.final / result.initial - 1 if result.initial > 0 else None,
        cagr=yearly,
        volatility=volatility(returns),
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        max_drawdown=deepest,
        max_drawdown_daily=max_drawdown(closes),
        calmar=yearly / -deepest if yearly is not None and deepest else None,
        trades=len(trades),
        win_rate=win_rate(trades),
        profit_factor=profit_factor(trades),
        mean_trade=sum(trade.net for trade in trades) / len(trades) if trades else None,
        gross=math.fsum(trade.gross for trade in trades),
        fees=math.fsum(trade.fees for trade in trades),
        funding=math.fsum(trade.funding for trade in trades),
        net=math.fsum(trade.net for trade in trades),
        time_in_market=float(np.mean(np.nan_to_num(result.curve.exposure, nan=0.0) != 0)),
    )


def daily_closes(curve: EquityCurve) -> Column:
    """Return the last equity of each UTC day that has any. What is struck at midnight closes the day before."""
    days = (curve.times - 1) // DAY_MS
    last = np.append(np.flatnonzero(np.diff(days)), len(days) - 1)
    return np.asarray(curve.equity[last])


def daily_returns(closes: Column) -> Column | None:
    """Return the simple return of each day after the first; None once equity is not above zero."""
    if not bool(np.all(closes > 0)):
        return None
    return closes[1:] / closes[:-1] - 1


def volatility(returns: Column | None) -> float | None:
    """Return the standard deviation (ddof 1) a year; None for fewer than two returns."""
    if returns is None or len(returns) < 2:
        return None
    return float(returns.std(ddof=1)) * math.sqrt(DAYS_A_YEAR)


def sharpe(returns: Column | None) -> float | None:
    """Return mean / standard deviation (ddof 1) a year; None when nothing varies."""
    if returns is None or len(returns) < 2:
        return None
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation * math.sqrt(DAYS_A_YEAR) if deviation > ROUNDING else None


def sortino(returns: Column | None) -> float | None:
    """Return mean / sqrt(mean(min(r, 0)^2)) a year, over all returns; None when no day lost."""
    if returns is None or len(returns) < 2:
        return None
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(returns.mean()) / downside * math.sqrt(DAYS_A_YEAR) if downside > ROUNDING else None


def max_drawdown(equity: Column) -> float | None:
    """Return the deepest fall from a peak, as a fraction at or below zero; None once a peak is not above zero."""
    peaks = np.maximum.accumulate(equity)
    if not bool(np.all(peaks > 0)):
        return None
    return float((equity / peaks - 1).min())


def cagr(closes: Column) -> float | None:
    """Return the compound growth a year from the first daily close to the last; None for one day or lost equity."""
    if len(closes) < 2 or not bool(np.all(closes > 0)):
        return None
    return grown_a_year(closes[-1] / closes[0], len(closes) - 1)


def grown_a_year(ratio: float, days: float) -> float | None:
    """Return the compound growth a year of what has become `ratio` of itself in so many days; None beyond a float."""
    if ratio <= 0 or days <= 0:
        return None
    grown = math.log(ratio) * (DAYS_A_YEAR / days)
    # Beyond this a float ends: a day's luck made a yearly figure that no one could believe anyway.
    return math.expm1(grown) if grown < 700 else None


def win_rate(trades: Sequence[Trade]) -> float | None:
    """Return the share of trades that won after costs; None without trades."""
    return sum(trade.net > 0 for trade in trades) / len(trades) if trades else None


def profit_factor(trades: Sequence[Trade]) -> float | None:
    """Return money won / money lost, after costs; None when nothing was lost."""
    won = math.fsum(trade.net for trade in trades if trade.net > 0)
    lost = -math.fsum(trade.net for trade in trades if trade.net < 0)
    return won / lost if lost > 0 else None
