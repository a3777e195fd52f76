"""Put a report into words: a subject, plain text, and HTML that mail programs and phones show. All text is inert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string

from apps.monitor.analytics.figures import Figures
from apps.monitor.analytics.reports.content import Content, Happened, profit
from apps.monitor.analytics.reports.picture import equity_png
from apps.monitor.analytics.reports.unusual import unusual
from apps.monitor.analytics.trips import Trip
from apps.monitor.models import ReportKind
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
from moondev.logs.redaction import redaction

MOST_TRIPS = 5
MOST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Page:
    """A report as it is kept and sent."""

    subject: str
    text: str
    html: str
    picture: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """A name and what stands beside it; `tone` colours it, `note` says more in small letters."""

    name: str
    value: str
    tone: str = "calm"
    note: str = ""


def page_of(content: Content) -> Page:
    """Return a report in words."""
    picture = equity_png(content.equity)
    context = _context(content) | {"picture": bool(picture)}
    return Page(
        subject=_subject(content),
        text=render_to_string("monitor/report.txt", context),
        html=render_to_string("monitor/report.html", context),
        picture=picture,
    )


def _subject(content: Content) -> str:
    made = profit(content.whole.returns)
    result = "equity not known" if made is None else f"{signed_money(made)} {content.currency}"
    what = "Daily" if content.stretch.kind is ReportKind.DAILY else "Weekly"
    return f"{what} report, {content.stretch.words}: {result}"[:MOST_SUBJECT]


def _context(content: Content) -> dict[str, object]:
    made = profit(content.whole.returns)
    winners = [trip for trip in content.trips if trip.net > 0][:MOST_TRIPS]
    losers = [trip for trip in content.trips[::-1] if trip.net < 0][:MOST_TRIPS]
    zone = ZoneInfo(content.stretch.zone)
    return {
        "kind": content.stretch.kind.value,
        "words": content.stretch.words,
        "zone": content.stretch.zone,
        "environment": content.environment,
        "currency": content.currency,
        "profit": signed_money(made),
        "tone": tone_of(made),
        "return": signed_percent(content.whole.returns.twr, 2),
        "why": content.whole.returns.why.get("twr", ""),
        "headline": _headline(content),
        "unusual": unusual(content),
        "strategies": _strategies(content.strategies),
        "winners": [_trip(trip) for trip in winners],
        "losers": [_trip(trip) for trip in losers],
        "costs": _costs(content.whole),
        "risk": [_event(one, zone) for one in content.risk],
        "alerts": [_event(one, zone) for one in content.alerts],
        "changes": [_event(one, zone) for one in content.changes],
        "more_changes": content.more_changes,
        "more_risk": content.more_risk,
        "more_alerts": content.more_alerts,
    }


def _headline(content: Content) -> list[Line]:
    now, returns = content.whole, content.whole.returns
    before = profit(content.before)
    note = (
        ""
        if before is None
        else f"the {'day' if content.stretch.kind is ReportKind.DAILY else 'week'} before {signed_money(before)}"
    )
    lines = [
        Line("Equity", money(returns.last), note=f"from {money(returns.first)}" if returns.first is not None else ""),
        Line("Deepest fall", percent(returns.max_drawdown, 2), tone_of(returns.max_drawdown)),
        Line(
            "Booked", signed_money(_number(now.totals.net)), tone_of(_number(now.totals.net)), "prices, fees, funding"
        ),
        Line("Round trips", f"{now.trips.count}", note=f"{percent(now.win_rate, 0)} won"),
    ]
    if returns.net_flow:
        lines.append(Line("Moved in or out", signed_money(returns.net_flow), note="no part of the profit"))
    if note:
        lines[0] = Line("Equity", lines[0].value, note=f"{lines[0].note}; {note}" if lines[0].note else note)
    return lines


def _strategies(found: Sequence[Figures]) -> list[dict[str, str]]:
    """Return a line for each strategy that traded or is worth something, the best first."""
    seen = [one for one in found if one.totals.fills or one.returns.last is not None]
    return [
        {
            "name": one.subject.key,
            "profit": signed_money(profit(one.returns)),
            "tone": tone_of(profit(one.returns)),
            "return": signed_percent(one.returns.twr, 2),
            "trips": f"{one.trips.count}",
            "won": percent(one.win_rate, 0),
            "held": duration(one.trips.hours),
            "factor": ratio(one.profit_factor),
            "currency": one.subject.currency,
        }
        for one in sorted(seen, key=_by_profit)
    ]


def _by_profit(one: Figures) -> tuple[bool, float]:
    """Return what orders strategies: the best first, those nobody knows of last."""
    made = profit(one.returns)
    return made is None, -(made or 0.0)


def _costs(now: Figures) -> list[Line]:
    totals = now.totals
    return [
        Line("Turnover", money(_number(totals.turnover)), note=f"{totals.fills} fills"),
        Line("Fees", money(_number(totals.fees)), note=f"{basis_points(now.fee_bps)} of turnover"),
        Line(
            "Funding", signed_money(_number(totals.funding)), tone_of(_number(totals.funding)), "received is positive"
        ),
        Line("Slippage", basis_points(now.slippage_bps), note="against the price at which it was planned"),
        Line("Made, not taken", percent(now.maker_share, 0), note="of turnover"),
        Line("Orders filled", percent(now.fill_ratio, 0), note=f"of {totals.orders} that have ended"),
    ]


def _trip(trip: Trip) -> Line:
    ended = trip.closed_at or trip.opened_at
    held = duration((ended - trip.opened_at).total_seconds() / 3600)
    name = f"{trip.strategy}, {trip.instrument} {'long' if trip.side.sign > 0 else 'short'}"
    net = float(trip.net)
    return Line(name, f"{signed_money(net)} {trip.currency}", tone_of(net), f"held {held}")


def _event(one: Happened, zone: ZoneInfo) -> dict[str, object]:
    # It leaves the house by mail, and errors of venues and strategies stand in it.
    return {
        "at": _clock(one.at, zone), "what": one.what, "where": one.where, "words": redaction()(one.words),
        "who": one.who, "grave": one.grave,
    }  # fmt: skip


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %H:%M}"


def _number(amount: object) -> float | None:
    return None if amount is None else float(amount)  # type: ignore[arg-type]  # a Decimal
