"""The page of service levels: every part, every objective, what is left of each error budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.monitor.health.deep import look_deep
from apps.monitor.health.slos.budget import bad_allowed
from apps.monitor.health.slos.standing import BURN_WINDOWS, Standing, standings
from apps.monitor.health.slos.strips import Cell, strips
from apps.monitor.health.states import Component, State
from apps.monitor.models import Slo
from apps.monitor.models.slos import Indicator
from moondev.domain.clock import LiveClock, process_clock

# What is asked of a platform, and which indicators answer.
SECTIONS: Mapping[str, frozenset[Indicator]] = MappingProxyType(
    {
        "Availability": frozenset({Indicator.ORDER_PATH, Indicator.ANSWERED}),
        "Freshness": frozenset({Indicator.FRESH_DATA}),
        "Latency": frozenset({Indicator.TICK_TO_SUBMIT, Indicator.SUBMIT_TO_ACKNOWLEDGE, Indicator.API}),
    }
)
# From which rate on somebody should look, and be woken: https://sre.google/workbook/alerting-on-slos/.
ALARMING: Mapping[str, tuple[float, float]] = MappingProxyType({"1h": (1.0, 14.4), "6h": (1.0, 6.0), "3d": (1.0, 1.0)})
QUARTER, QUARTERS, DAY = timedelta(minutes=15), 96, timedelta(days=1)
_WORDS: Mapping[State, str] = MappingProxyType(
    {State.OK: "good", State.DEGRADED: "wait", State.DOWN: "bad", State.UNKNOWN: "calm"}
)


@require_safe
@staff_member_required
@permission_required("monitor.view_slo", raise_exception=True)
def slo_page(request: HttpRequest) -> HttpResponse:
    """Show how the platform does and keeps its promises, to staff who may see it."""
    now = process_clock().now()
    found = standings(now)
    slos = [one.slo for one in found]
    lately = strips(slos, now, QUARTER, QUARTERS)
    days = strips(slos, now, DAY, max((slo.window_days for slo in slos), default=1))
    cards = [_card(one, lately[one.slo.pk], days[one.slo.pk]) for one in found]
    context = {
        **admin.site.each_context(request),
        "title": "Service levels",
        "at": now,
        "parts": [_part(part) for part in look_deep(LiveClock().now())],
        "sections": [(name, chosen) for name in SECTIONS if (chosen := [c for c in cards if c["section"] == name])],
        "summary": _summary(found),
    }
    answer = render(request, "monitor/slos.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def _summary(found: Sequence[Standing]) -> list[tuple[str, int, str]]:
    """Return how many objectives are met, missed, and without anything to judge by, with the colour of each word."""
    met = [one.met for one in found]
    return [
        ("met", met.count(True), "good"),
        ("missed", met.count(False), "bad" if False in met else "calm"),
        ("without events", met.count(None), "calm"),
    ]


def _part(part: Component) -> dict[str, object]:
    return {"name": part.component, "state": part.state.value, "word": _WORDS[part.state], "detail": part.detail,
            "since": part.since, "well": part.state is State.OK}  # fmt: skip


def _card(one: Standing, lately: Sequence[Cell], days: Sequence[Cell]) -> dict[str, Any]:
    slo, count = one.slo, one.count
    left = one.budget_left
    return {
        "slo": slo,
        "section": next(name for name, kinds in SECTIONS.items() if Indicator(slo.indicator) in kinds),
        "objective": percent(float(slo.objective)),
        "what": _what(slo),
        "verdict": {True: "met", False: "missed", None: "no events yet"}[one.met],
        "word": {True: "good", False: "bad", None: "calm"}[one.met],
        "share": "-" if count.share is None else percent(count.share),
        "left": "-" if left is None else f"{left * 100:.0f} %",
        "bar": 0 if left is None else round(max(min(left, 1.0), 0.0) * 100, 1),
        "bar_word": _bar_word(left),
        "bad": f"{count.bad:,}",
        "total": f"{count.total:,}",
        "allowed": f"{bad_allowed(count, slo.objective):,.1f}",
        "burn": [_burn(window, one.burn[window]) for window in BURN_WINDOWS],
        "unknown": one.unknown_minutes,
        "minutes": f"{one.minutes:,}",
        "lately": _drawn(slo, lately, "%H:%M"),
        "days": _drawn(slo, days[-slo.window_days :], "%d %b"),
    }


def _what(slo: Slo) -> str:
    what = Indicator(slo.indicator).label.replace("a venue's", f"{slo.scope}'s")
    return what.replace("the threshold", f"{slo.threshold_ms} ms")


def _bar_word(left: float | None) -> str:
    if left is None:
        return "calm"
    return "good" if left > 0.25 else "wait" if left >= 0 else "bad"


def _burn(window: str, rate: float | None) -> dict[str, str]:
    look, wake = ALARMING[window]
    if rate is None:
        return {"window": window, "rate": "-", "word": "calm"}
    word = "bad" if rate > wake else "wait" if rate > look else "good"
    return {"window": window, "rate": f"{rate:,.1f}x", "word": word}


def _drawn(slo: Slo, cells: Sequence[Cell], form: str) -> dict[str, Any]:
    drawn = [
        {"x": at * 10, "look": cell.look(slo), "says": _says(cell, form), "begins": cell.since}
        for at, cell in enumerate(cells)
    ]
    return {"cells": drawn, "width": len(drawn) * 10, "first": cells[0].since if cells else None}


def _says(cell: Cell, form: str) -> str:
    """Return what a piece of time says when pointed at."""
    if cell.measured == 0:
        return f"{cell.since:{form}}: nobody measured"
    gap = cell.minutes - cell.measured
    unknown = f", {gap} min unknown" if gap > 1 else ""
    if cell.count.total == 0:
        return f"{cell.since:{form}}: nothing happened{unknown}"
    return f"{cell.since:{form}}: {cell.count.bad:,} of {cell.count.total:,} bad{unknown}"


def percent(share: float) -> str:
    """Return a share in percent, never rounded up to 100 when it is not."""
    if share in {0.0, 1.0}:
        return f"{share * 100:.0f} %"
    text = f"{min(share * 100, 99.999):.3f}".rstrip("0").rstrip(".")
    return f"{text} %"
