"""The figures of a run, each with how it is computed, for page and terminal alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.strategies.backtest.metrics import DAY_MS
from apps.strategies.backtest.numbers import (
    basis_points,
    duration,
    money,
    percent,
    ratio,
    signed_money,
    signed_percent,
    tone_of,
)
from apps.strategies.backtest.record import RunRecord
from apps.strategies.backtest.trade_figures import trade_figures


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as text; `how` says what it is; `tone` is the word of its colour."""

    name: str
    text: str
    how: str
    tone: str = "calm"


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that belong together."""

    name: str
    figures: tuple[Figure, ...]


def headline(record: RunRecord) -> list[Figure]:
    """Return the figures a trader looks at first."""
    metrics, figures = record.metrics, trade_figures(record.trades)
    gain = float(record.curve.equity[-1]) - record.facts.capital
    return [
        Figure(
            "Net result", f"{signed_money(gain)} {record.facts.currency}",
            "Equity at the end less the money it began with, after every cost.", tone_of(gain),
        ),
        Figure("Return", signed_percent(metrics.total_return), "Net result / money it began with.", tone_of(gain)),
        Figure(
            "Sharpe", ratio(metrics.sharpe), "Mean / standard deviation (ddof 1) of daily returns (UTC), x sqrt(365).",
            tone_of(metrics.sharpe),
        ),
        Figure(
            "Max drawdown", percent(metrics.max_drawdown), "Deepest fall from a peak, seen at every bar.",
            "bad" if (metrics.max_drawdown or 0) < -0.2 else "calm",
        ),
        Figure("Trades", f"{metrics.trades:,}", "Round trips, from flat to flat or to the other side."),
        Figure("Won", percent(metrics.win_rate), "Share of trades above zero after costs."),
        Figure(
            "Before costs", basis_points(figures.gross_bps), "What prices made of a trade, in bp of its entry; mean.",
            tone_of(figures.gross_bps),
        ),
        Figure("After costs", basis_points(figures.net_bps), "After fees and funding too.", tone_of(figures.net_bps)),
    ]  # fmt: skip


def groups(record: RunRecord) -> list[Group]:
    """Return every other figure that every run has, grouped."""
    return [Group("Growth and risk", _risk(record)), Group("Trades", _trades(record)), Group("Money", _money(record))]


def all_groups(record: RunRecord) -> list[Group]:
    """Return the groups, and last the figures that only this run's engine can tell, if there are any."""
    told = record.facts.figures
    own = tuple(Figure(name.capitalize(), f"{value:,.6g}", "Told by the engine.") for name, value in told.items())
    return [*groups(record), Group("Orders", own)] if own else groups(record)


def _risk(record: RunRecord) -> tuple[Figure, ...]:
    metrics = record.metrics
    held = [path.held for path in record.prices.values()]
    return (
        Figure("Growth a year", signed_percent(metrics.cagr), "Compound, from daily closes.", tone_of(metrics.cagr)),
        Figure("Volatility a year", percent(metrics.volatility), "Standard deviation of daily returns x sqrt(365)."),
        Figure("Sortino", ratio(metrics.sortino), "Mean / root mean square of the losing days, x sqrt(365)."),
        Figure("Calmar", ratio(metrics.calmar), "Growth a year / deepest drawdown."),
        Figure("Max drawdown, daily", percent(metrics.max_drawdown_daily), "The same seen at daily closes only."),
        Figure("Longest under water", duration(_under_water_hours(record)), "The longest time without a new peak."),
        Figure("Time in the market", percent(metrics.time_in_market), "Share of bars at whose close it held anything."),
        Figure(
            "Buy and hold", signed_percent(float(np.mean(held)) if held else None),
            "First open to last close, before costs; the mean of several instruments.",
        ),
    )  # fmt: skip


def _trades(record: RunRecord) -> tuple[Figure, ...]:
    metrics, figures = record.metrics, trade_figures(record.trades)
    return (
        Figure("Profit factor", ratio(metrics.profit_factor), "Money won / money lost, after costs."),
        Figure("Mean trade", signed_money(metrics.mean_trade), "After costs.", tone_of(metrics.mean_trade)),
        Figure("Best trade", signed_money(figures.best), "After costs."),
        Figure("Worst trade", signed_money(figures.worst), "After costs."),
        Figure("Held", duration(figures.hours), "Mean time from entry to exit."),
        Figure(
            "t statistic",
            ratio(figures.t_statistic),
            "Mean / standard error of net bp a trade; below 2 it may be luck.",
        ),
    )


def _money(record: RunRecord) -> tuple[Figure, ...]:
    metrics, capital = record.metrics, record.facts.capital
    turned = sum(trade.quantity * (trade.entry_price + trade.exit_price) for trade in record.trades)
    return (
        Figure("Began with", money(capital), "Before the first trade."),
        Figure("Ended with", money(float(record.curve.equity[-1])), "With what is held valued at the last close."),
        Figure(
            "Gross",
            signed_money(metrics.gross),
            "What prices made, spread and slippage included.",
            tone_of(metrics.gross),
        ),
        Figure("Fees", money(-metrics.fees), "What venues and lenders took."),
        Figure("Funding", signed_money(metrics.funding), "Received, less paid.", tone_of(metrics.funding)),
        Figure("Turned over", f"{turned / capital:,.1f} x", "Notional bought and sold / money it began with."),
    )


def _under_water_hours(record: RunRecord) -> float | None:
    """Return the longest time between two peaks, the one that still lasts at the end included."""
    equity, times = record.curve.equity, record.curve.times
    peaks = np.flatnonzero(equity >= np.maximum.accumulate(equity))
    between = np.diff(np.append(times[peaks], times[-1]))
    return float(between.max()) / DAY_MS * 24 if len(between) else None
