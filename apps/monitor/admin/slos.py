"""Service level objectives, to be set; the page of service levels shows how they stand."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from apps.monitor.models import Slo


@admin.register(Slo)
class SloAdmin(admin.ModelAdmin[Slo]):
    """What is promised. One that nobody wants is switched off: it is made again when it is deleted."""

    list_display = ["title", "slug", "indicator", "scope", "objective", "window_days", "threshold_ms", "enabled"]
    list_filter = ["indicator", "enabled"]
    search_fields = ["slug", "title", "scope"]

    def get_readonly_fields(self, request: HttpRequest, obj: Slo | None = None) -> list[str]:
        """Keep what the samples were measured by as it is: other figures would be another objective's."""
        return [] if obj is None else ["slug", "indicator", "scope"]
