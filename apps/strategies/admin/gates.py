"""Gates and terms of the stages, to be set by those who may; approvals and steps, to be read."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from apps.exchanges.admin.amounts import PlainAmountsForm
from apps.exchanges.admin.readonly import NoDeleteAdmin, ReadOnlyAdmin
from apps.strategies.models import Gate, StageApproval, StageChange, StageTerms


@admin.register(Gate)
class GateAdmin(NoDeleteAdmin[Gate]):
    """What a strategy has to show before each stage. Switch one off rather than removing it; each edit is on record.

    Nothing that is set here lets a strategy at real money that nobody but its authors has approved.
    """

    form = PlainAmountsForm[Gate]
    list_display = ["stage", "requirement", "threshold", "enabled"]
    list_filter = ["stage", "enabled"]
    ordering = ["stage", "requirement"]

    def get_readonly_fields(self, request: HttpRequest, obj: Gate | None = None) -> list[str]:
        """Freeze what the gate is about."""
        return ["stage", "requirement"] if obj else []


@admin.register(StageTerms)
class StageTermsAdmin(NoDeleteAdmin[StageTerms]):
    """How much of its capital a strategy may use in each stage, and when it is taken down."""

    form = PlainAmountsForm[StageTerms]
    list_display = ["stage", "capital_share", "band_deviations"]

    def get_readonly_fields(self, request: HttpRequest, obj: StageTerms | None = None) -> list[str]:
        """Freeze which stage it is."""
        return ["stage"] if obj else []


@admin.register(StageApproval)
class StageApprovalAdmin(ReadOnlyAdmin[StageApproval]):
    """Who let what into which stage."""

    list_display = ["at", "strategy", "stage", "approver", "parameters_version", "reason"]
    list_filter = ["stage", "strategy"]


@admin.register(StageChange)
class StageChangeAdmin(ReadOnlyAdmin[StageChange]):
    """Every step up and down, with the evidence of that day."""

    list_display = ["at", "strategy", "before", "after", "actor", "reason"]
    list_filter = ["after", "strategy"]
