"""The page of one run."""

from __future__ import annotations

from calendar import month_abbr
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from apps.strategies.backtest import numbers
from apps.strategies.backtest.honesty.check import Check
from apps.strategies.backtest.metrics import daily_closes, daily_returns
from apps.strategies.backtest.record import RunRecord
from apps.strategies.backtest.report.breakdown import splits
from apps.strategies.backtest.report.checks import checks_shown
from apps.strategies.backtest.report.figures import all_groups, headline
from apps.strategies.backtest.report.histogram import Histogram, histogram
from apps.strategies.backtest.report.months import Year, monthly_returns
from apps.strategies.backtest.report.payload import MOST_TRADES, payload
from apps.strategies.backtest.report.svg import Step, bars, waterfall
from apps.strategies.backtest.results import Trade
from apps.strategies.backtest.trade_figures import net_bps
from apps.strategies.backtest.verdict import doubts, verdict

_FILES = Path(__file__).parent / "files"
MOST_ROWS = 200
# A month this far from zero has the full colour.
FULL_COLOUR = 0.10


def report_page(record: RunRecord, checks: Sequence[Check] = ()) -> str:
    """Return the page of a run as one HTML file that needs nothing else."""
    context = {
        "record": record,
        "facts": record.facts,
        "capital": numbers.money(record.facts.capital),
        "period": f"{numbers.moment(int(record.curve.times[0]))} to {numbers.moment(int(record.curve.times[-1]))} UTC",
        "verdict": verdict(record),
        "doubts": doubts(record),
        "headline": headline(record),
        "groups": all_groups(record),
        "waterfall": _money_split(record),
        "months": [*month_abbr[1:], "Year"],
        "years": [_year(year) for year in monthly_returns(record.curve, record.facts.capital)],
        "spreads": _spreads(record),
        "splits": splits(record.trades),
        "trades": [_row(trade) for trade in record.trades[-MOST_ROWS:][::-1]],
        "trade_count": len(record.trades),
        "checks": checks_shown(checks),
        "payload": payload(record),
        "instruments": list(record.prices) if len(record.prices) > 1 else [],
        "note": _drawn_note(record),
        "style": inlined("report.css"),
        "script": inlined("report.js"),
    }
    return render_to_string("backtest/report.html", context)


def inlined(name: str) -> SafeString:
    """Return one of the page's own files, to be written into it. They are ours and hold no one's input."""
    return mark_safe((_FILES / name).read_text(encoding="utf-8"))  # noqa: S308  a file of this package


def _drawn_note(record: RunRecord) -> str:
    if len(record.trades) <= MOST_TRADES:
        return ""
    return f" Of {len(record.trades):,} trades, evenly spread ones are drawn."


def _money_split(record: RunRecord) -> SafeString:
    metrics = record.metrics
    return waterfall(
        [
            Step("Gross", metrics.gross, numbers.signed_money(metrics.gross), total=True),
            Step("Fees", -metrics.fees, numbers.money(-metrics.fees)),
            Step("Funding", metrics.funding, numbers.signed_money(metrics.funding)),
            Step("Net", metrics.net, numbers.signed_money(metrics.net), total=True),
        ]
    )


def _year(year: Year) -> dict[str, Any]:
    return {"year": year.year, "months": [_cell(value) for value in year.months], "whole": _cell(year.whole)}


def _cell(value: float | None) -> dict[str, Any]:
    strength = 0 if value is None else round(100 * min(abs(value) / FULL_COLOUR, 1.0))
    text = "" if value is None else numbers.signed_percent(value)
    return {"text": text, "tone": numbers.tone_of(value), "strength": strength}


def _spreads(record: RunRecord) -> list[dict[str, Any]]:
    returns = daily_returns(daily_closes(record.curve))
    found = [
        ("Days", "returns of days", " %", None if returns is None else histogram(100 * returns)),
        ("Trades", "net result of trades", " bp", histogram(net_bps(record.trades))),
    ]
    return [
        {"name": name, "chart": bars(spread, unit, f"Spread of the {what}"), "note": _note(spread, unit, what)}
        for name, what, unit, spread in found
        if spread is not None
    ]


def _note(spread: Histogram, unit: str, what: str) -> str:
    outer = f"; {spread.below + spread.above} lie further out and are gathered at the edges"
    mean = numbers.ratio(spread.mean)
    return f"The {what}, {mean}{unit} on average (dashed){outer if spread.below or spread.above else ''}."


def _row(trade: Trade) -> dict[str, str]:
    return {
        "instrument": trade.instrument,
        "side": "long" if trade.side.value == "buy" else "short",
        "quantity": f"{trade.quantity:,.6g}",
        "entered": numbers.moment(trade.entered_ms),
        "entry": f"{trade.entry_price:,.8g}",
        "exited": numbers.moment(trade.exited_ms),
        "exit": f"{trade.exit_price:,.8g}",
        "gross": numbers.signed_money(trade.gross),
        "fees": numbers.money(-trade.fees),
        "funding": numbers.signed_money(trade.funding),
        "net": numbers.signed_money(trade.net),
        "tone": numbers.tone_of(trade.net),
        "reason": trade.reason,
    }
