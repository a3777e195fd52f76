"""From what was executed to equity and round trips."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from apps.strategies.backtest.fills import Fills as FillColumns
from apps.strategies.backtest.quoting.executions import Executions, middles
from apps.strategies.backtest.quoting.floor import Tables
from apps.strategies.backtest.quoting.latency import nanoseconds
from apps.strategies.backtest.quoting.setting import QuoteSetting
from apps.strategies.backtest.quoting.tape import NS_PER_MS
from apps.strategies.backtest.results import EquityCurve, Trade
from apps.strategies.backtest.round_trips import Ledger, round_trips


def curve_of(
    tables: Mapping[str, Tables],
    executions: Mapping[str, Executions],
    setting: QuoteSetting,
    starts_ns: int,
    ends_ns: int,
) -> EquityCurve:
    """Return equity at the middle of the book, every `equity_every` and at the end."""
    step = nanoseconds(setting.equity_every)
    at_ns = np.unique(np.append(np.arange(starts_ns, ends_ns, step), ends_ns) // NS_PER_MS) * NS_PER_MS
    equity, notional = np.full(len(at_ns), float(setting.capital)), np.zeros(len(at_ns))
    for key, done in executions.items():
        price = middles(tables[key], at_ns)
        rows = np.searchsorted(done.at_ns, at_ns, side="right")
        held = np.concatenate([[0.0], np.cumsum(done.change)])[rows]
        cash = np.concatenate([[0.0], np.cumsum(-done.change * done.prices - done.fees)])[rows]
        paid_at = np.array([at for at, _ in done.funded], np.int64)
        paid = np.concatenate([[0.0], np.cumsum([amount for _, amount in done.funded])])
        equity += cash + held * price + paid[np.searchsorted(paid_at, at_ns, side="right")]
        notional += held * price
    with np.errstate(divide="ignore", invalid="ignore"):
        exposure = np.where(equity > 0, notional / equity, np.nan)
    return EquityCurve(at_ns // NS_PER_MS, equity, exposure)


def trades_of(key: str, done: Executions, last_price: float, ends_ns: int) -> list[Trade]:
    """Return the round trips of one market; what is open at the end is valued at `last_price`."""
    count = len(done.at_ns)
    rows = np.arange(count, dtype=np.int64)
    paid_at = np.array([at for at, _ in done.funded], np.int64)
    paid = np.concatenate([[0.0], np.cumsum([amount for _, amount in done.funded])])
    funded = paid[np.searchsorted(paid_at, np.append(done.at_ns, ends_ns), side="left")]
    fills = FillColumns(rows, done.change, done.prices, done.made > 0, np.zeros(count, np.bool_), done.reasons)
    ledger = Ledger(
        fills, done.prices, done.fees, done.at_ns // NS_PER_MS, funded, np.zeros(count + 1), ends_ns // NS_PER_MS,
        last_price,
    )  # fmt: skip
    return list(round_trips(key, ledger))
