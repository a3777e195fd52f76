"""What may trade, and the kill switch page."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, path

from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.exchanges.models import TradingState
from apps.risk.admin import kill_switch
from apps.risk.admin.badges import mode_badge
from apps.risk.admin.steps import FLATTEN, HALT, REDUCE, RELEASE, VetoPermission, step_action
from apps.risk.scope import ScopeId


def scope_of(state: TradingState) -> ScopeId:
    """Return the scope that a state is about."""
    return (state.scope_kind, state.scope_key)


@admin.register(TradingState)
class TradingStateAdmin(VetoPermission, ReadOnlyAdmin[TradingState]):
    """What may trade. Rows are never edited: steps change them, and tell the venues too."""

    list_display = ["scope_kind", "scope_key", "show_mode", "reason", "actor", "changed_at", "epoch"]
    list_display_links = ["scope_kind", "scope_key"]
    list_filter = ["mode", "scope_kind"]
    search_fields = ["scope_key", "reason", "actor"]
    ordering = ["scope_kind", "scope_key"]
    actions = [step_action(step, scope_of) for step in (HALT, REDUCE, FLATTEN, RELEASE)]

    def get_urls(self) -> list[URLPattern]:
        """Add the kill switch."""
        view = self.admin_site.admin_view
        return [
            path("kill-switch/", view(kill_switch.show), name="kill_switch"),
            path("kill-switch/releases/<int:request_id>/<str:word>/", view(kill_switch.answer), name="release_answer"),
            path("kill-switch/<str:step_name>/", view(kill_switch.change), name="kill_switch_step"),
            *super().get_urls(),
        ]

    @admin.display(description="mode", ordering="mode")
    def show_mode(self, state: TradingState) -> str:
        """Return the mode in its colour."""
        return mode_badge(state.mode)
