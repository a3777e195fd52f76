"""The audit trail, to be read."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html, format_html_join

from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.monitor.models import AuditEntry

MOST_CHANGES = 6


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    """Who did what, newest first."""

    list_display = ["seq", "at", "actor", "action", "subject", "show_changes", "reason", "address"]
    list_filter = ["action"]
    search_fields = ["actor", "subject", "reason", "address"]
    ordering = ["-seq"]

    @admin.display(description="from, to")
    def show_changes(self, entry: AuditEntry) -> str:
        """Return what changed, in a line each."""
        names = list({**entry.before, **entry.after})[:MOST_CHANGES] if entry.before else []
        lines = ((name, str(entry.before.get(name, "-"))[:60], str(entry.after.get(name, "-"))[:60]) for name in names)
        return format_html('<span class="quiet">{}</span>', format_html_join("", "{}: {} → {}<br>", lines))
