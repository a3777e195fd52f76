"""What only a quote backtest can tell: how often quotes filled, and how the market went on afterwards."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from apps.strategies.backtest.quoting.executions import Executions, middles
from apps.strategies.backtest.quoting.floor import Tables
from moondev.domain.market_data import Column

BPS = 10_000.0
HORIZONS_S = (1, 10, 60)
_NS = 1_000_000_000


def figures_of(tables: Mapping[str, Tables], executions: Mapping[str, Executions], placed: int) -> dict[str, float]:
    """Return the extra figures of a run, each named with its unit; those that nothing tells are left out.

    A mark-out is what the middle of the book had moved in our favour so long after a fill, measured from the price
    we got, by size: below zero, whoever traded with us knew better. Fills too near the end have none.
    """
    done = {key: one for key, one in executions.items() if len(one.at_ns)}
    figures = {"orders placed": float(placed), "fills": float(sum(len(one.at_ns) for one in done.values()))}
    if placed:
        figures["fills per order placed"] = figures["fills"] / placed
    if not done:
        return figures
    weights = np.concatenate([np.abs(one.change) * one.prices for one in done.values()])
    made = np.concatenate([one.made for one in done.values()])
    figures["turnover"] = float(weights.sum())
    figures["share made, %"] = float((made * weights).sum() / weights.sum() * 100)
    for seconds in HORIZONS_S:
        marks = np.concatenate([_markouts(tables[key], one, seconds * _NS) for key, one in done.items()])
        known = np.isfinite(marks)
        if known.any():
            mean = float((marks[known] * weights[known]).sum() / weights[known].sum())
            figures[f"mark-out after {seconds} s, bp"] = mean
    return figures


def _markouts(tables: Tables, done: Executions, later_ns: int) -> Column:
    when = done.at_ns + later_ns
    after = np.where(when <= tables.tape.ends_ns, middles(tables, when), np.nan)
    return np.sign(done.change) * (after - done.prices) / done.prices * BPS
