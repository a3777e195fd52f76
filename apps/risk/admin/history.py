"""What the gate and the risk floor did, to be read."""

from __future__ import annotations

from django.contrib import admin

from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.exchanges.models import TradingStateChange, Veto
from apps.risk.models import DrillRun, ReleaseRequest, RiskEvent


@admin.register(TradingStateChange)
class TradingStateChangeAdmin(ReadOnlyAdmin[TradingStateChange]):
    """Every change of mode."""

    list_display = ["at", "scope_kind", "scope_key", "mode_from", "mode_to", "actor", "reason"]
    list_filter = ["mode_to", "scope_kind"]
    search_fields = ["scope_key", "actor", "reason"]


@admin.register(Veto)
class VetoAdmin(ReadOnlyAdmin[Veto]):
    """Halts and how far the venues have carried them out."""

    list_display = ["engaged_at", "venue", "scope_kind", "scope_key", "stage", "flatten", "actor", "done_at", "detail"]
    list_filter = ["venue", "stage", "flatten"]
    search_fields = ["scope_key", "reason", "actor"]
    ordering = ["-id"]
    list_select_related = ["venue"]


@admin.register(RiskEvent)
class RiskEventAdmin(ReadOnlyAdmin[RiskEvent]):
    """Breaches, vetoes, releases and counters that had drifted."""

    list_display = ["at", "kind", "scope_kind", "scope_key", "actor", "message"]
    list_filter = ["kind", "scope_kind"]
    search_fields = ["scope_key", "actor", "message"]


@admin.register(ReleaseRequest)
class ReleaseRequestAdmin(ReadOnlyAdmin[ReleaseRequest]):
    """Releases that people asked for, and who agreed."""

    list_display = ["asked_at", "scope_kind", "scope_key", "state", "asked_by", "reason", "closed_by", "closed_at"]
    list_filter = ["state", "scope_kind"]
    search_fields = ["scope_key", "reason", "asked_by", "closed_by"]


@admin.register(DrillRun)
class DrillRunAdmin(ReadOnlyAdmin[DrillRun]):
    """Rehearsals of the kill switch, and what they found."""

    list_display = [
        "asked_at",
        "scope_kind",
        "scope_key",
        "state",
        "asked_by",
        "first_cancel_ms",
        "done_ms",
        "problems",
    ]
    list_filter = ["state"]
    search_fields = ["scope_key", "asked_by"]
