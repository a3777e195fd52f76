"""High-water marks, to be read."""

from __future__ import annotations

from django.contrib import admin

from apps.exchanges.admin.amounts import DASH, amount_column
from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.risk.models import HighWaterMark


@admin.register(HighWaterMark)
class HighWaterMarkAdmin(ReadOnlyAdmin[HighWaterMark]):
    """The equity that drawdown is measured from, and how far below it each scope is."""

    list_display = [
        "scope_kind",
        "scope_key",
        amount_column("equity"),
        amount_column("peak"),
        "drawdown",
        "peak_at",
        "marked_at",
    ]
    list_filter = ["scope_kind"]
    search_fields = ["scope_key"]

    @admin.display(description="drawdown")
    def drawdown(self, mark: HighWaterMark) -> str:
        """Return how far equity lies below its peak, in per cent."""
        return DASH if mark.peak <= 0 else f"{(1 - mark.equity / mark.peak) * 100:.2f} %"
