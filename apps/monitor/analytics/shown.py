"""Figures as a table for people: names, units and what each is, once for the admin and once for the documentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.monitor.analytics.figures import Figures
from apps.monitor.analytics.reports.content import profit
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


@dataclass(frozen=True, slots=True)
class Cell:
    """What a figure reads, how it is coloured, and why it is not known if it is not."""

    text: str
    tone: str = "calm"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A column: its name, what it is in a sentence, under which name `why` speaks of it, and how it is written."""

    name: str
    says: str
    key: str
    write: Callable[[Figures], str]
    tone: Callable[[Figures], str] = lambda _: "calm"


def _float(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]  # a Decimal


COLUMNS: tuple[Shown, ...] = (
    Shown(
        "profit", "Equity at the end less equity at the start, but for money moved in or out.", "twr",
        lambda f: signed_money(profit(f.returns)), lambda f: tone_of(profit(f.returns)),
    ),
    Shown(
        "return", "Time-weighted: what one unit of money became, deposits and withdrawals left out.", "twr",
        lambda f: signed_percent(f.returns.twr, 2), lambda f: tone_of(f.returns.twr),
    ),
    Shown(
        "drawdown", "Deepest fall from a peak, at every kept point.", "twr",
        lambda f: percent(f.returns.max_drawdown, 2),
    ),
    Shown(
        "Sharpe", "Daily returns, mean / deviation (ddof 1), times the root of 365.", "sharpe",
        lambda f: ratio(f.returns.sharpe),
    ),
    Shown(
        "Sortino", "Mean / downside deviation over all days, times the root of 365.", "sortino",
        lambda f: ratio(f.returns.sortino),
    ),
    Shown("Calmar", "Growth a year / deepest fall.", "calmar", lambda f: ratio(f.returns.calmar)),
    Shown("trips", "Round trips, flat to flat, that ended.", "trips", lambda f: f"{f.trips.count}"),
    Shown("won", "Share of round trips that made money after costs.", "win_rate", lambda f: percent(f.win_rate, 0)),
    Shown("profit factor", "Money won / money lost, after costs.", "profit_factor", lambda f: ratio(f.profit_factor)),
    Shown(
        "expectancy", "Mean of a round trip after costs.", "expectancy",
        lambda f: signed_money(f.expectancy), lambda f: tone_of(f.expectancy),
    ),
    Shown("held", "Mean time from the first fill to the last.", "hours", lambda f: duration(f.trips.hours)),
    Shown("turnover", "Traded notional.", "turnover", lambda f: money(_float(f.totals.turnover))),
    Shown("fees", "Fees / turnover.", "fee_bps", lambda f: basis_points(f.fee_bps)),
    Shown("funding", "Funding received, less paid.", "funding", lambda f: signed_money(_float(f.totals.funding))),
    Shown(
        "slippage", "Paid beyond the price at which it was planned / that turnover.", "slippage_bps",
        lambda f: basis_points(f.slippage_bps),
    ),
    Shown("made", "Share of turnover that waited in the book.", "maker_share", lambda f: percent(f.maker_share, 0)),
    Shown(
        "filled", "Mean share of an order that filled, of those that were sent and have ended.", "fill_ratio",
        lambda f: percent(f.fill_ratio, 0),
    ),
)  # fmt: skip


def cells(figures: Figures) -> list[Cell]:
    """Return the row of one subject."""
    return [Cell(column.write(figures), column.tone(figures), figures.why.get(column.key, "")) for column in COLUMNS]
