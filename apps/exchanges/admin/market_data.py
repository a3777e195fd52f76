"""How long market data is kept, to be set."""

from __future__ import annotations

from django.contrib import admin

from apps.exchanges.admin.readonly import NoDeleteAdmin
from apps.exchanges.models import HistoryPolicy


@admin.register(HistoryPolicy)
class HistoryPolicyAdmin(NoDeleteAdmin[HistoryPolicy]):
    """One row per kind; the next run of "keep market data" goes by it."""

    list_display = ["kind", "hot_days", "keep_days", "partitions_ahead"]
    list_editable = ["hot_days", "keep_days", "partitions_ahead"]
