"""The portfolio truth, to be read: what everything is worth, risks and has made, as the guard last wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.risk.models import TruthRow
from apps.risk.portfolio.table import COLUMNS, cells, levels
from apps.risk.portfolio.truth import Truth, read_truths
from moondev.domain.clock import process_clock


@admin.register(TruthRow)
class TruthAdmin(ReadOnlyAdmin[TruthRow]):
    """One page for each environment's money, which are never added up."""

    def changelist_view(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> HttpResponse:
        """Show every environment: everything together, then by portfolio, account, venue, strategy and asset."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        truths = read_truths(process_clock().now())
        context = {
            **self.admin_site.each_context(request),
            "title": "Portfolio truth",
            "opts": self.opts,
            "columns": COLUMNS,
            "truths": [_shown(truth) for truth in truths.values()],
        }
        return TemplateResponse(request, "admin/portfolio_truth.html", context)


def _shown(truth: Truth) -> dict[str, Any]:
    return {
        "environment": truth.environment,
        "currency": truth.currency,
        "why": truth.total.why,
        "tables": [
            (name, [(key, cells(figures), figures.why) for key, figures in rows.items()])
            for name, rows in levels(truth).items()
            if rows
        ],
    }
