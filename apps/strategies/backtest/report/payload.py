"""What the page's script draws: columns of numbers, thinned and rounded, so that the file stays small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.prices import PricePath
from apps.strategies.backtest.record import RunRecord
from apps.strategies.backtest.report.rolling import rolling_sharpe
from apps.strategies.backtest.report.thinning import kept_rows
from apps.strategies.backtest.results import EquityCurve, Trade
from moondev.domain.market_data import Column
from moondev.domain.values import Side

# More than this nobody can tell apart, and the file would grow beyond what one sends a colleague.
MOST_TRADES = 4_000
# Beside a line that moves this many times as far, the equity would look flat.
MOST_SCALES = 4
DIGITS = 7
_CANDLE = ("open", "high", "low", "close")

Json = dict[str, Any]


def payload(record: RunRecord) -> Json:
    """Return everything that is drawn on the page's one time axis: panels, and columns they share by name."""
    curve = record.curve
    rows, drawdown = shown_rows(curve)
    times = {"curve": curve.times[rows].tolist()}
    panels = [
        *_worth(record, curve.equity[rows], times),
        panel("Drawdown", "area", 110, "percent", [line("", "curve", drawdown[rows], "bad")], 0.0),
        {
            **panel("Exposure", "area", 90, "percent", [line("", "curve", curve.exposure[rows], "accent")], 0.0),
            # Held until the next fill, not on the way to it.
            "stepped": True,
        },
    ]
    rolling = rolling_sharpe(curve)
    if rolling is not None:
        times["rolling"] = rolling.times.tolist()
        series = [line("", "rolling", rolling.sharpe, "gold")]
        panels.append(panel(f"Sharpe of the last {rolling.window} days", "line", 110, "ratio", series, 0.0))
    return {
        "currency": record.facts.currency,
        "times": times,
        "panels": panels,
        "prices": _prices(record.prices),
        "trades": _trades(record.trades),
    }


def _worth(record: RunRecord, shown: Column, times: dict[str, list[int]]) -> list[Json]:
    """Return the panel of the equity, with what holding the market had made in it, or below where it would swamp it."""
    capital, equity = record.facts.capital, [line("equity", "curve", shown, "accent")]
    whole = panel("Equity", "line", 230, "money", equity, capital)
    if len(record.prices) != 1:
        return [whole]
    (path,) = record.prices.values()
    times["hold"] = (path.opened_ms + path.step_ms).tolist()
    held = capital * path.close / path.open[0]
    if np.ptp(held) <= MOST_SCALES * np.ptp(record.curve.equity):
        whole["series"].append(line("buy and hold", "hold", held, "quiet"))
        return [whole]
    # A panel is scaled by those of its lines that are not quiet.
    own = [line("", "hold", held, "teal")]
    return [whole, panel("Buy and hold, on a scale of its own", "line", 110, "money", own, capital)]


def panel(name: str, kind: str, height: int, unit: str, series: Sequence[Json], reference: float) -> Json:
    """Return one panel: lines or areas in a `unit`, with a mark at the `reference`."""
    return {"name": name, "kind": kind, "height": height, "unit": unit, "reference": reference, "series": list(series)}


def line(name: str, times: str, values: Column, tone: str) -> Json:
    """Return one line of a panel, over the column of times of that name."""
    return {"name": name, "t": times, "v": rounded(values), "tone": tone}


def shown_rows(curve: EquityCurve) -> tuple[NDArray[np.int64], Column]:
    """Return the rows of a curve that show, and the drawdown of every bar."""
    peaks = np.maximum.accumulate(curve.equity)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawdown = np.where(peaks > 0, curve.equity / peaks - 1, np.nan)
    return kept_rows([curve.equity, drawdown, curve.exposure]), drawdown


def rounded(values: Column) -> list[float | None]:
    """Return numbers with as many digits as show; what is no number is null."""
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in values.tolist()]


def _prices(prices: Mapping[str, PricePath]) -> list[Json]:
    return [
        {
            "name": key,
            "step": path.step_ms,
            "t": path.opened_ms.tolist(),
            **{name[0]: rounded(getattr(path, name)) for name in _CANDLE},
        }
        for key, path in prices.items()
    ]


def _trades(trades: Sequence[Trade]) -> list[list[Any]]:
    """Return trades as rows: instrument, 1 long or -1 short, entry time and price, exit time and price, net, why."""
    every = -(-len(trades) // MOST_TRADES) if trades else 1
    return [
        [
            trade.instrument, 1 if trade.side is Side.BUY else -1, trade.entered_ms, float(f"{trade.entry_price:.8g}"),
            trade.exited_ms, float(f"{trade.exit_price:.8g}"), round(trade.net, 2), trade.reason,
        ]
        for trade in trades[::every]
    ]  # fmt: skip
