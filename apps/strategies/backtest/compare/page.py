"""The page on which runs lie over each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from django.template.loader import render_to_string

from apps.strategies.backtest.compare.comparison import compared
from apps.strategies.backtest.record import RunRecord
from apps.strategies.backtest.report.page import inlined
from apps.strategies.backtest.report.payload import line, panel, shown_rows

# Told apart by people who see few colours, too: the legend names them in this order.
TONES = ("accent", "gold", "violet", "teal", "good", "bad")


def compare_page(runs: Mapping[str, RunRecord]) -> str:
    """Return one HTML file with runs side by side, by the names they go by. Raises InvalidValue as `compared` does."""
    comparison = compared(runs)
    figures = [(told[0], told) for told in comparison.figures]
    context = {
        "comparison": comparison,
        "keys": list(zip(comparison.names, TONES, comparison.verdicts, strict=False)),
        "figures": figures,
        "payload": _payload(runs),
        "style": inlined("report.css"),
        "script": inlined("report.js"),
        "note": "",
    }
    return render_to_string("backtest/compare.html", context)


def _payload(runs: Mapping[str, RunRecord]) -> dict[str, Any]:
    times: dict[str, list[int]] = {}
    growth, fall = [], []
    for (name, record), tone in zip(runs.items(), TONES, strict=False):
        rows, drawdown = shown_rows(record.curve)
        times[name] = record.curve.times[rows].tolist()
        growth.append(line(name, name, record.curve.equity[rows] / record.facts.capital - 1, tone))
        fall.append(line("", name, np.asarray(drawdown[rows]), tone))
    panels = [
        panel("Return", "line", 320, "percent", growth, 0.0),
        panel("Drawdown", "line", 160, "percent", fall, 0.0),
    ]
    currency = next(iter(runs.values())).facts.currency
    return {"currency": currency, "times": times, "panels": panels, "prices": [], "trades": []}
