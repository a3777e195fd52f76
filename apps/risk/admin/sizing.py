"""How strategies are sized, edited through the service so that every edit has a version and an author."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.forms import ModelForm
from django.http import HttpRequest

from apps.exchanges.admin.readonly import NoDeleteAdmin, ReadOnlyInline
from apps.risk.models import RULE_FIELDS, Sizing, SizingChange
from apps.risk.sizing.services import sizing_set
from moondev.domain.clock import process_clock


class SizingChangeInline(ReadOnlyInline[SizingChange]):
    """Who set it to what, newest first."""

    model = SizingChange
    fields = readonly_fields = ("at", "version", "rule", "actor")


@admin.register(Sizing)
class SizingAdmin(NoDeleteAdmin[Sizing]):
    """The sizing rule of one strategy; it binds the next tick of every worker. By weight is the way back."""

    list_display = ["strategy", "method", "target", "stops_at_drawdown", "ceiling", "version", "updated_at"]
    list_filter = ["method"]
    search_fields = ["strategy"]
    fields = ["strategy", *RULE_FIELDS]

    def get_readonly_fields(self, request: HttpRequest, obj: Sizing | None = None) -> list[str]:
        """Freeze whose rule it is."""
        return ["strategy"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Sizing | None = None) -> list[type[InlineModelAdmin[Any, Any]]]:
        """Show the history of a rule that has one."""
        return [SizingChangeInline] if obj else []

    def save_model(self, request: HttpRequest, obj: Sizing, form: ModelForm[Sizing], change: Any) -> None:  # noqa: ANN401  Django's
        """Set the rule through the service, in the operator's name."""
        now = process_clock().now()
        saved = sizing_set(obj.strategy, obj.to_rule(), actor=request.user.get_username(), now=now)
        obj.pk, obj.version = saved.pk, saved.version

    def save_related(self, request: HttpRequest, form: ModelForm[Sizing], formsets: Any, change: Any) -> None:  # noqa: ANN401  Django's own types
        """Leave the history to the service: nothing on the page can have changed it, which Django wants stated."""
        for formset in formsets:
            formset.save(commit=False)
