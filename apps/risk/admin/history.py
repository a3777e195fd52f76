"""What the gate and the risk floor did, to be read."""

from __future__ import annotations

from django.contrib import admin

from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.exchanges.models import TradingStateChange, Veto
from apps.risk.models import RiskEvent


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
