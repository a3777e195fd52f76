"""Figures of every strategy, account and portfolio over a period, drift, and exports: pages beside the reports."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from apps.exchanges.models import Account
from apps.monitor.admin.reports import ReportAdmin
from apps.monitor.analytics.drift import Drift, drifts
from apps.monitor.analytics.exports.columns import Method, Wanted, file_name
from apps.monitor.analytics.exports.formats import FORMATS, MEDIA_TYPES
from apps.monitor.analytics.exports.writing import EXPORTS, export_named, export_note, export_write
from apps.monitor.analytics.figures import figures
from apps.monitor.analytics.period import Period
from apps.monitor.analytics.scopes import KINDS, subjects
from apps.monitor.analytics.shown import COLUMNS, cells
from apps.strategies.backtest.numbers import signed_percent
from moondev.domain.clock import process_clock

DAYS = {1: "a day", 7: "a week", 30: "30 days", 90: "90 days", 365: "a year"}
DEFAULT_DAYS = 30


class ExportForm(forms.Form):
    """What to export."""

    kind = forms.ChoiceField(choices=[(kind, kind.replace("_", " ")) for kind in EXPORTS])
    format = forms.ChoiceField(choices=[(name, name) for name in FORMATS])
    first = forms.DateTimeField(label="from", help_text="UTC, as in 2026-01-31")
    last = forms.DateTimeField(label="to", help_text="UTC; this moment is not in it any more")
    account = forms.ChoiceField(required=False)
    method = forms.ChoiceField(choices=[(method.value, method.value) for method in Method], label="method of tax lots")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's
        """Offer the accounts there are."""
        super().__init__(*args, **kwargs)
        codes = Account.objects.order_by("code").values_list("code", flat=True)
        account = self.fields["account"]
        if isinstance(account, forms.ChoiceField):
            account.choices = [("", "all"), *((code, code) for code in codes)]

    def clean(self) -> dict[str, Any]:
        """Refuse an end that does not follow the beginning."""
        given: dict[str, Any] = super().clean() or {}
        first, last = given.get("first"), given.get("last")
        if first and last and last <= first:
            raise forms.ValidationError({"last": f"to is {last:%F %T}; allowed: a time after from, {first:%F %T}"})
        return given


def pages(model_admin: ReportAdmin) -> list[URLPattern]:
    """Return the addresses of these pages, below those of the reports."""
    wrap = model_admin.admin_site.admin_view
    return [
        path("figures/", wrap(show_figures), name="monitor_figures"),
        path("exports/", wrap(show_exports), name="monitor_exports"),
    ]


def show_figures(request: HttpRequest) -> HttpResponse:
    """Show figures by strategy, account, portfolio and in total over the days chosen."""
    if not request.user.has_perm("exchanges.view_position"):
        raise PermissionDenied
    chosen = request.GET.get("days", "")
    days = int(chosen) if chosen.isdigit() and int(chosen) in DAYS else DEFAULT_DAYS
    now = process_clock().now()
    period = Period.before(now, days)
    wanted = [subject for kind in KINDS for subject in subjects(kind)]
    found = figures(wanted, period, now)
    tables = [(kind, [(one.subject, cells(one)) for one in found if one.subject.kind == kind]) for kind in KINDS]
    context = {
        **admin.site.each_context(request), "title": "Figures", "period": period, "days": days,
        "choices": DAYS, "columns": COLUMNS, "tables": [table for table in tables if table[1]],
        "drifts": [_drift(one) for one in drifts(now)],
    }  # fmt: skip
    return TemplateResponse(request, "admin/monitor/figures.html", context)


def show_exports(request: HttpRequest) -> HttpResponse | FileResponse:
    """Show what may be exported, and hand it out."""
    if not request.user.has_perm("exchanges.view_fill"):
        raise PermissionDenied
    now = process_clock().now()
    start = {"first": (now - timedelta(days=DEFAULT_DAYS)).date(), "last": now.date() + timedelta(days=1)}
    form = ExportForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        return _exported(request, form.cleaned_data)
    context = {
        **admin.site.each_context(request), "title": "Exports", "form": form,
        "exports": EXPORTS.values(),
    }  # fmt: skip
    return TemplateResponse(request, "admin/monitor/exports.html", context)


def _exported(request: HttpRequest, asked: dict[str, Any]) -> FileResponse:
    export, ending = export_named(asked["kind"]), asked["format"]
    wanted = Wanted(Period(asked["first"], asked["last"]), asked["account"] or None, None, Method(asked["method"]))
    handle, name = tempfile.mkstemp(prefix="moondev-export-", suffix=f".{ending}")
    os.close(handle)
    whole = Path(name)
    try:
        count = export_write(export, wanted, ending, whole)
        export_note(export, wanted, count, actor=request.user.get_username())
        # Open, it needs no name any more: it is gone when nobody reads it.
        file = whole.open("rb")
    finally:
        whole.unlink(missing_ok=True)
    called = file_name(export, wanted, ending)
    return FileResponse(file, as_attachment=True, filename=called, content_type=MEDIA_TYPES[ending])


def _drift(one: Drift) -> dict[str, object]:
    return {
        "strategy": one.strategy, "stage": one.stage, "days": one.days, "live": signed_percent(one.live, 2),
        "backtest": signed_percent(one.backtest, 2),
        "tracking": "" if one.tracking_error is None else f"{100 * one.tracking_error:.2f} %",
        "deviations": "" if one.deviations is None else f"{one.deviations:+.1f}",
        "allowed": "" if one.allowed is None else f"-{one.allowed:.1f}", "lags": one.lags,
        "why": "; ".join(one.why.values()),
    }  # fmt: skip
