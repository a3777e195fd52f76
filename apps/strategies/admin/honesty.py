"""Honesty checks to be read, and what is required of them to be set."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join

from apps.exchanges.admin.amounts import moment_column
from apps.exchanges.admin.readonly import NoDeleteAdmin, ReadOnlyAdmin
from apps.strategies.models import HonestyCheck, HonestyLimit, HonestyRequirement

_TONES = {True: "good", False: "bad", None: "wait"}

FIELDSETS: Any = [
    (None, {"fields": ["kind", "check_code", "show_verdict", "words", "show_findings", "show_figures"]}),
    ("What it ran on", {"fields": ["data", "days", "backtests", "parameters", "terms"]}),
    ("Which version", {"fields": ["code_hash", "parameters_hash", "data_hash"]}),
    ("Who and when", {"fields": ["asked_by", moment_column("at")]}),
]


@admin.register(HonestyCheck)
class HonestyCheckAdmin(ReadOnlyAdmin[HonestyCheck]):
    """Every answer that was kept, newest first."""

    list_display = [moment_column("at"), "kind", "check_code", "show_verdict", "words", "days", "short_hash"]
    list_filter = ["passed", "check_code", "kind"]
    search_fields = ["kind", "code_hash", "parameters_hash", "words"]
    fieldsets = FIELDSETS
    readonly_fields = ["show_verdict", "show_findings", "show_figures", moment_column("at")]

    @admin.display(description="verdict", ordering="passed")
    def show_verdict(self, row: HonestyCheck) -> str:
        """Return the verdict in its colour."""
        return format_html('<span class="word word-{}">{}</span>', _TONES[row.passed], row.verdict)

    @admin.display(description="code")
    def short_hash(self, row: HonestyCheck) -> str:
        """Return enough of the code hash to tell versions apart."""
        return row.code_hash[:10]

    @admin.display(description="findings")
    def show_findings(self, row: HonestyCheck) -> str:
        """Return one finding a line."""
        return format_html_join("", "<div>{}</div>", ((finding,) for finding in row.findings)) or "none"

    @admin.display(description="figures")
    def show_figures(self, row: HonestyCheck) -> str:
        """Return one figure a line."""
        told = ((name, "undefined" if value is None else f"{value:.6g}") for name, value in row.figures.items())
        return format_html_join("", "<div>{}: {}</div>", told)


class HonestyLimitInline(admin.TabularInline[HonestyLimit, HonestyRequirement]):
    """The ranges in which a check passes."""

    model = HonestyLimit
    extra = 0


@admin.register(HonestyRequirement)
class HonestyRequirementAdmin(NoDeleteAdmin[HonestyRequirement]):
    """What promotion asks for. Switch a check off rather than removing it: without a row the default holds.

    Stored figures are judged by the limits of the day they are looked at.
    """

    list_display = ["check_code", "required", "days_at_least", "show_limits"]
    inlines = [HonestyLimitInline]

    @admin.display(description="passes when")
    def show_limits(self, row: HonestyRequirement) -> str:
        """Return the ranges in words."""
        return "; ".join(_range(limit) for limit in row.limits.all())


def _range(limit: HonestyLimit) -> str:
    ends = [(f"{limit.at_least:g} <= " if limit.at_least is not None else "")]
    ends.append(limit.figure)
    ends.append(f" <= {limit.at_most:g}" if limit.at_most is not None else "")
    return "".join(ends)
