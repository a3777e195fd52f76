"""Ticks and events, to be read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.template.loader import render_to_string
from django.utils.html import format_html

from apps.exchanges.admin.amounts import DASH, moment_column
from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.strategies.admin.overview import outcome
from apps.strategies.models import StrategyEvent, Tick

# The outcome first; what only workers need is left out.
FIELDSETS: Any = [
    (None, {"fields": ["strategy", "show_status", "show_outcome", "trigger", "event", "error"]}),
    ("Report", {"fields": ["show_report"], "classes": ["wide-block"]}),
    (
        "Times",
        {
            "fields": [
                *(moment_column(name) for name in ("due_at", "started_at", "finished_at", "deadline")),
                *("decide_ms", "took_ms", "parameters_version", "code_hash"),
            ],
            "classes": ["two-columns"],
        },
    ),
]


@admin.register(Tick)
class TickAdmin(ReadOnlyAdmin[Tick]):
    """Every occasion to decide, newest first, with its report."""

    list_display = [
        "id",
        "strategy",
        moment_column("due_at"),
        "show_status",
        "trigger",
        "show_outcome",
        "decide_ms",
        "took_ms",
    ]
    list_filter = ["status", "strategy", "trigger"]
    search_fields = ["strategy__slug", "event", "error"]
    ordering = ["-id"]
    list_select_related = ["strategy"]

    fieldsets = FIELDSETS
    readonly_fields = flatten_fieldsets(FIELDSETS)

    @admin.display(description="status", ordering="status")
    def show_status(self, tick: Tick) -> str:
        """Return the status in its colour."""
        return format_html('<span class="tick tick-{0}">{0}</span>', tick.status)

    @admin.display(description="outcome")
    def show_outcome(self, tick: Tick) -> str:
        """Return what came of it."""
        return outcome(tick)[:160]

    @admin.display(description="took (ms)")
    def took_ms(self, tick: Tick) -> str:
        """Return the time from being taken to being recorded, in milliseconds."""
        if tick.started_at is None or tick.finished_at is None:
            return DASH
        return f"{(tick.finished_at - tick.started_at).total_seconds() * 1000:.1f}"

    @admin.display(description="report")
    def show_report(self, tick: Tick) -> str:
        """Return the report as tables."""
        return render_to_string("admin/strategies/tick_report.html", {"report": tick.report})


@admin.register(StrategyEvent)
class StrategyEventAdmin(ReadOnlyAdmin[StrategyEvent]):
    """Errors, pauses and edits."""

    list_display = ["at", "strategy", "kind", "show_message"]
    list_filter = ["kind", "strategy"]
    search_fields = ["strategy", "message"]

    @admin.display(description="message")
    def show_message(self, event: StrategyEvent) -> str:
        """Return the beginning of the message."""
        return event.message[:200]
