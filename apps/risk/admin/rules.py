"""Rules of one's own: checked when they are saved, with what they would have refused last week beside them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from apps.exchanges.admin.readonly import NoDeleteAdmin
from apps.risk.limit_rules.places import require_scope
from apps.risk.models import CustomRule
from apps.risk.rules.preview import last_week
from apps.risk.rules.vocabulary import WORDS
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue


class CustomRuleForm(ModelForm[CustomRule]):
    """Refuses a rule whose scope does not exist: misspelt, it would never bind."""

    def clean(self) -> dict[str, Any]:
        """Hold the scope against those that exist."""
        data = super().clean() or {}
        kind, key = data.get("scope_kind"), data.get("scope_key")
        if kind and key:
            try:
                require_scope(kind, key)
            except InvalidValue as error:
                raise ValidationError({error.field: str(error)}) from error
        return data


@admin.register(CustomRule)
class CustomRuleAdmin(NoDeleteAdmin[CustomRule]):
    """What must hold for an order to open. Save it switched off to see first what it would have refused."""

    form = CustomRuleForm
    list_display = ["name", "scope_kind", "scope_key", "expression", "enabled"]
    list_filter = ["enabled", "scope_kind"]
    search_fields = ["name", "scope_key", "expression"]

    def get_fields(self, request: HttpRequest, obj: CustomRule | None = None) -> Any:  # noqa: ANN401  Django's
        """Show the preview of a rule that is there, and the words always."""
        shown = ["name", "scope_kind", "scope_key", "expression", "enabled"]
        return [*shown, *(["week"] if obj else []), "words"]

    def get_readonly_fields(self, request: HttpRequest, obj: CustomRule | None = None) -> list[str]:
        """Freeze the name of a rule: refusals refer to it."""
        return ["week", "words", *(["name"] if obj else [])]

    @admin.display(description="last week")
    def week(self, row: CustomRule) -> str:
        """Return what it would have refused."""
        try:
            preview = last_week(row, process_clock().now())
        except InvalidValue as error:
            return str(error)
        return format_html("{}{}", str(preview), format_html_join("", "<br>{}", ((one,) for one in preview.examples)))

    @admin.display(description="words")
    def words(self, _row: CustomRule) -> str:
        """Return what may be said."""
        rows = ((name, word.meaning) for name, word in WORDS.items())
        table = format_html_join("", "<tr><td><code>{}</code></td><td>{}</td></tr>", rows)
        return format_html('<table class="latest"><tbody>{}</tbody></table>', table)
