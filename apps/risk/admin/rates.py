"""What currencies are worth in each other: where each rate comes from, how old it is; to be set with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from apps.exchanges.admin.amounts import PlainAmountsForm, amount_column, moment_column
from apps.exchanges.execution.timing import lasting
from apps.risk.models import ConversionRate
from apps.risk.portfolio.conversion import is_recent
from moondev.domain.clock import process_clock


@admin.register(ConversionRate)
class ConversionRateAdmin(admin.ModelAdmin[ConversionRate]):
    """A rate without an instrument is the operator's; with one, the guard refreshes it from the venue's mark.

    Removing a rate makes what needs it unknown, and then nothing opens.
    """

    form = PlainAmountsForm[ConversionRate]
    list_display = [
        "base", "quote", amount_column("rate"), "show_state", "show_source", moment_column("at"), "max_age_seconds",
        "reason",
    ]  # fmt: skip
    list_select_related = ["instrument"]
    fields = ["base", "quote", "rate", "instrument", "max_age_seconds", "reason"]
    autocomplete_fields = ["instrument"]

    @admin.display(description="state")
    def show_state(self, row: ConversionRate) -> str:
        """Return whether the rate is used now."""
        clock = process_clock()
        fresh = is_recent(row.at, lasting(clock, row.max_age_seconds), clock.now())
        return format_html(
            '<span class="word word-{}">{}</span>', "good" if fresh else "bad", "fresh" if fresh else "stale"
        )

    @admin.display(description="source")
    def show_source(self, row: ConversionRate) -> str:
        """Return where the rate comes from."""
        return row.source

    def get_readonly_fields(self, request: HttpRequest, obj: ConversionRate | None = None) -> list[str]:
        """Freeze the pair."""
        return ["base", "quote"] if obj else []

    def save_model(self, request: HttpRequest, obj: ConversionRate, form: Any, change: Any) -> None:  # noqa: ANN401  Django's
        """Write down who set the rate, and that it was seen now."""
        obj.actor, obj.at = request.user.get_username(), process_clock().now()
        super().save_model(request, obj, form, change)
