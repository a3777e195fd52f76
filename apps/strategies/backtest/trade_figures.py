"""Figures about trades that a trader asks for first: how much a trade makes before and after costs, per notional."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from apps.strategies.backtest.costs import BPS
from apps.strategies.backtest.results import Trade
from moondev.domain.market_data import Column

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class TradeFigures:
    """Of some trades. Basis points are of the entry's notional, each trade counted once; None without trades.

    `t_statistic` is mean / standard error of the net basis points: below 2 the mean may well be luck.
    """

    count: int
    win_rate: float | None
    gross_bps: float | None
    net_bps: float | None
    t_statistic: float | None
    best: float | None
    worst: float | None
    hours: float | None
    gross: float
    fees: float
    funding: float
    net: float


def trade_figures(trades: Sequence[Trade]) -> TradeFigures:
    """Return the figures of trades."""
    net = net_bps(trades)
    nets = [trade.net for trade in trades]
    return TradeFigures(
        count=len(trades),
        win_rate=sum(value > 0 for value in nets) / len(trades) if trades else None,
        gross_bps=_mean(gross_bps(trades)),
        net_bps=_mean(net),
        t_statistic=_t_statistic(net),
        best=max(nets, default=None),
        worst=min(nets, default=None),
        hours=_mean(np.array([(trade.exited_ms - trade.entered_ms) / HOUR_MS for trade in trades])),
        gross=math.fsum(trade.gross for trade in trades),
        fees=math.fsum(trade.fees for trade in trades),
        funding=math.fsum(trade.funding for trade in trades),
        net=math.fsum(nets),
    )


def gross_bps(trades: Sequence[Trade]) -> Column:
    """Return what prices made of each trade, in basis points of its entry."""
    return _bps(trades, lambda trade: trade.gross)


def net_bps(trades: Sequence[Trade]) -> Column:
    """Return what each trade added to equity, in basis points of its entry."""
    return _bps(trades, lambda trade: trade.net)


def _bps(trades: Sequence[Trade], money: Callable[[Trade], float]) -> Column:
    return np.array([money(trade) / (trade.quantity * trade.entry_price) / BPS for trade in trades])


def _mean(values: Column) -> float | None:
    return float(values.mean()) if len(values) else None


def _t_statistic(values: Column) -> float | None:
    if len(values) < 2:
        return None
    deviation = float(values.std(ddof=1))
    return float(values.mean()) / deviation * math.sqrt(len(values)) if deviation > 0 else None
