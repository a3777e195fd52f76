"""Limits, edited through the service so that every edit has a version and an author."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest

from apps.exchanges.admin.amounts import PlainAmountsForm, amount_column
from apps.exchanges.admin.readonly import NoDeleteAdmin, ReadOnlyInline
from apps.risk.limit_rules import require_limit
from apps.risk.models import Limit, LimitChange
from apps.risk.services import limit_set
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue


class LimitForm(PlainAmountsForm[Limit]):
    """Refuses on the page, with the reason beside the field, what the service would refuse."""

    def clean(self) -> dict[str, Any]:
        """Hold the limit against scopes, currencies and the other limits."""
        data = super().clean() or {}
        names = ("kind", "scope_kind", "scope_key", "value", "currency", "active")
        values = {name: data.get(name, getattr(self.instance, name)) for name in names}
        if self.errors or values["value"] is None:
            return data
        wanted = Limit(**values)
        wanted.clean()
        try:
            require_limit(wanted)
        except InvalidValue as error:
            raise ValidationError({error.field if error.field in self.fields else "value": str(error)}) from error
        return data


class LimitChangeInline(ReadOnlyInline[LimitChange]):
    """Who set it to what, newest first."""

    model = LimitChange
    fields = readonly_fields = ("at", "version", amount_column("value"), "active", "actor")


@admin.register(Limit)
class LimitAdmin(NoDeleteAdmin[Limit]):
    """One bound on one scope; it binds the next tick of every worker. Switch it off rather than removing it."""

    form = LimitForm
    list_display = [
        "kind",
        "scope_kind",
        "scope_key",
        amount_column("value"),
        "currency",
        "active",
        "version",
        "updated_at",
    ]
    list_filter = ["kind", "scope_kind", "active"]
    search_fields = ["kind", "scope_key"]
    inlines = [LimitChangeInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Limit | None = None) -> list[str]:
        """Freeze what the limit is about; its value and whether it is on may change."""
        return ["kind", "scope_kind", "scope_key", "currency"] if obj else []

    def save_model(self, request: HttpRequest, obj: Limit, form: ModelForm[Limit], change: Any) -> None:  # noqa: ANN401  Django's
        """Set the limit through the service, in the operator's name."""
        saved = limit_set(
            kind=obj.kind,
            scope_kind=obj.scope_kind,
            scope_key=obj.scope_key,
            value=obj.value,
            active=obj.active,
            currency=obj.currency,
            actor=request.user.get_username(),
            now=process_clock().now(),
        )
        obj.pk, obj.version = saved.pk, saved.version

    def save_related(self, request: HttpRequest, form: ModelForm[Limit], formsets: Any, change: Any) -> None:  # noqa: ANN401  Django's own types
        """Leave the history to the service: nothing on the page can have changed it, which Django wants stated."""
        for formset in formsets:
            formset.save(commit=False)

    def get_inlines(self, request: HttpRequest, obj: Limit | None = None) -> list[type[InlineModelAdmin[Any, Any]]]:
        """Show the history of a limit that has one."""
        return [LimitChangeInline] if obj else []
