"""The user's own strategies, to be read: which version runs, and what is wrong with what was saved."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.html import format_html

from apps.exchanges.admin.amounts import moment_column
from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.strategies.authoring.selectors import CodeState
from apps.strategies.models import SourceStatus, StrategySource

COLOURS = {"loaded": "good", "held": "wait", "unloaded": "calm", "broken": "bad"}
FIELDSETS: Any = [
    (None, {"fields": ["kind", "file", "show_status", "error", "show_presets", "code_hash", moment_column("seen_at")]}),
    ("Text", {"fields": ["show_files"], "classes": ["wide-block"]}),
]


def code_badge(state: CodeState) -> str:
    """Return what is wrong with a strategy's code as a coloured word and the reason; nothing when all is well."""
    if state.word == "loaded":
        return ""
    template = '<span class="word word-{}" title="{}">code {}</span> <span class="quiet">{}</span>'
    return format_html(template, COLOURS[state.word], state.sentence, state.word, state.sentence[:160])


@admin.register(StrategySource)
class StrategySourceAdmin(ReadOnlyAdmin[StrategySource]):
    """Every version of every strategy of the folder, the newest of each first. Only the dispatcher writes them."""

    list_display = ["kind", "file", "show_version", "show_status", "show_error", moment_column("seen_at")]
    list_filter = ["status", "current", "kind"]
    search_fields = ["kind", "file", "code_hash", "error"]
    ordering = ["kind", "-seen_at", "-pk"]
    fieldsets = FIELDSETS
    readonly_fields = [name for _, options in FIELDSETS for name in options["fields"]]

    @admin.display(description="version", ordering="code_hash")
    def show_version(self, row: StrategySource) -> str:
        """Return the beginning of the hash, by which ticks name it too."""
        return row.code_hash[:12]

    @admin.display(description="status", ordering="status")
    def show_status(self, row: StrategySource) -> str:
        """Return what became of it."""
        if row.current:
            return format_html('<span class="word word-good">{}</span>', "runs")
        colour = {SourceStatus.BROKEN: "bad", SourceStatus.HELD: "wait"}.get(SourceStatus(row.status), "calm")
        word = "ran" if row.status == SourceStatus.GOOD else row.status
        return format_html('<span class="word word-{}">{}</span>', colour, word)

    @admin.display(description="error")
    def show_error(self, row: StrategySource) -> str:
        """Return the beginning of what is wrong."""
        return row.error[:160]

    @admin.display(description="presets")
    def show_presets(self, row: StrategySource) -> str:
        """Return the names of its presets."""
        return ", ".join(map(str, row.presets))

    @admin.display(description="")
    def show_files(self, row: StrategySource) -> str:
        """Return its text, file by file."""
        return render_to_string("admin/strategies/source_files.html", {"files": row.files})
