"""Circuit breakers: what trips them and what they do, to be edited; how they stand, to be seen and reset."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from apps.exchanges.admin.amounts import PlainAmountsForm, amount_column
from apps.exchanges.admin.confirm import confirmed_action
from apps.exchanges.admin.readonly import NoDeleteAdmin, ReadOnlyAdmin
from apps.risk.admin.steps import VetoPermission
from apps.risk.breakers.keeper import breaker_reset
from apps.risk.models import Breaker, BreakerChange, BreakerState
from moondev.domain.clock import process_clock

_COLOURS = {"closed": "good", "half_open": "wait", "open": "bad"}


@admin.register(Breaker)
class BreakerAdmin(NoDeleteAdmin[Breaker]):
    """One rule each; an edit binds the guard's next look. Switch one off rather than removing it."""

    form = PlainAmountsForm[Breaker]
    list_display = ["code", "metric", amount_column("threshold"), "show_deeds", "show_recovery", "enabled"]
    ordering = ["code"]

    @admin.display(description="does")
    def show_deeds(self, row: Breaker) -> str:
        """Return what happens when it trips, in words."""
        passes = "only cancels pass" if row.halts else "only exits pass" if row.stops_opening else ""
        part = f"closes {row.close_share:.0%} of each position"
        closes = {Decimal(0): "", Decimal(1): "closes every position"}.get(row.close_share, part)
        where = " everywhere" if row.everywhere else ""
        return ", ".join(words for words in (closes, f"{passes}{where}") if words)

    @admin.display(description="comes back")
    def show_recovery(self, row: Breaker) -> str:
        """Return how it comes back, in words."""
        return f"{row.get_recovery_display()} ({row.cool_down_seconds / 60:g} min)"

    def get_readonly_fields(self, request: HttpRequest, obj: Breaker | None = None) -> list[str]:
        """Freeze what the breaker is about."""
        return ["code", "metric"] if obj else []


@confirmed_action(
    title="Reset",
    question="What it stopped is released; strategies in its scope come back at a part of their size.",
    permission="veto",
    wants_reason=True,
)
def reset(row: BreakerState, actor: str, reason: str) -> str:
    """Let an open breaker go on."""
    scope = (row.scope_kind, row.scope_key)
    breaker_reset(code=row.breaker.code, scope=scope, actor=actor, reason=reason, now=process_clock().now())
    return f"Reset {row.breaker.code} in {row.scope_kind} {row.scope_key}"


@admin.register(BreakerState)
class BreakerStateAdmin(VetoPermission, ReadOnlyAdmin[BreakerState]):
    """How each breaker stands in each scope it has looked at."""

    list_display = ["breaker", "scope_kind", "scope_key", "show_mode", amount_column("reading"), "since", "looked_at"]
    list_filter = ["mode", "breaker", "scope_kind"]
    list_select_related = ["breaker"]
    ordering = ["-mode", "breaker__code", "scope_key"]
    actions = [reset]

    @admin.display(description="mode", ordering="mode")
    def show_mode(self, row: BreakerState) -> str:
        """Return the mode in its colour."""
        return format_html('<span class="word word-{}">{}</span>', _COLOURS[row.mode], row.mode.replace("_", " "))


@admin.register(BreakerChange)
class BreakerChangeAdmin(ReadOnlyAdmin[BreakerChange]):
    """Every time a breaker turned."""

    list_display = [
        "at", "breaker", "scope_kind", "scope_key", "mode_from", "mode_to", amount_column("reading"), "actor", "reason",
    ]  # fmt: skip
    list_filter = ["breaker", "mode_to"]
