"""Backtests: started with a form, watched while they run, read as pages, compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from apps.exchanges.admin.confirm import confirmed_action
from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.strategies.admin.backtest_form import BacktestForm
from apps.strategies.backtest.compare.page import compare_page
from apps.strategies.backtest.keeping import checks_get, record_get, records_get, runs_get
from apps.strategies.backtest.metrics import Metrics
from apps.strategies.backtest.numbers import percent, ratio, signed_percent
from apps.strategies.backtest.record import metrics_of_json
from apps.strategies.backtest.report.figures import groups, headline
from apps.strategies.backtest.report.page import report_page
from apps.strategies.backtest.services import backtest_cancel
from apps.strategies.backtest.verdict import doubts, verdict
from apps.strategies.models import BacktestRun, BacktestStatus
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue, TradingError

TONES = {"done": "good", "running": "wait", "queued": "wait", "failed": "bad", "cancelled": "calm"}
FIELDSETS: Any = [
    (None, {"fields": ["show_status", "show_error"]}),
    ("What it shows", {"fields": ["show_figures"], "classes": ["wide-block"]}),
    (
        "What was asked for",
        {
            "fields": ["kind", "preset", "strategy", "parameters_version", "asked_by", "asked_at"],
            "classes": ["two-columns"],
        },
    ),
    ("Times", {"fields": ["started_at", "finished_at", "code_hash"], "classes": ["two-columns"]}),
    ("The request", {"fields": ["show_request"], "classes": ["collapse", "wide-block"]}),
]


@confirmed_action(title="Cancel", question="What they have computed so far is dropped.", permission="run")
def cancel(run: BacktestRun, actor: str, _reason: str) -> str:
    """End a backtest that has not ended."""
    if not backtest_cancel(run.pk, actor=actor, now=process_clock().now()):
        raise InvalidValue("backtest", f"{run.pk} ({run.status})", "one that is queued or running")
    return f"Cancelled {run}"


@admin.action(description="Compare side by side", permissions=["view"])
def compare(_page: Any, _request: HttpRequest, runs: QuerySet[BacktestRun]) -> HttpResponse:  # noqa: ANN401  Django's
    """Show the page on which the runs lie over each other."""
    ids = ",".join(str(pk) for pk in sorted(runs.values_list("pk", flat=True)))
    return HttpResponseRedirect(f"{reverse('admin:strategies_backtestrun_compare')}?ids={ids}")


@admin.register(BacktestRun)
class BacktestAdmin(ReadOnlyAdmin[BacktestRun]):
    """Runs, newest first. They are started here and never edited."""

    list_display = [
        "id",
        "show_title",
        "show_status",
        "report",
        "trades",
        "total_return",
        "drawdown",
        "sharpe",
        "asked_at",
    ]
    list_display_links = ["id", "show_title"]
    list_filter = ["status", "kind", "strategy"]
    search_fields = ["title", "asked_by", "error"]
    ordering = ["-id"]
    actions = [compare, cancel]
    fieldsets = FIELDSETS
    readonly_fields = flatten_fieldsets(FIELDSETS)
    change_form_template = "admin/strategies/backtest_change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of one run and of several."""
        view = self.admin_site.admin_view
        return [
            path("compare/", view(self.compare_view), name="strategies_backtestrun_compare"),
            path("<int:run_id>/report/", view(self.report_view), name="strategies_backtestrun_report"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those start backtests who may add them."""
        return self.has_run_permission(request)

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Return whether the operator may start and cancel backtests."""
        return request.user.has_perm("strategies.add_backtestrun")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for a backtest and queue it."""
        if not self.has_run_permission(request):
            raise PermissionDenied
        form = BacktestForm(request.POST or None, initial={"strategies": request.GET.getlist("strategy")})
        if request.method == "POST" and form.is_valid() and form.carry_out(request.user.get_username()):
            messages.success(request, f"Queued {', '.join(map(str, form.runs))}")
            if len(form.runs) == 1:
                return HttpResponseRedirect(reverse("admin:strategies_backtestrun_change", args=[form.runs[0].pk]))
            return HttpResponseRedirect(reverse("admin:strategies_backtestrun_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Backtest on recorded data",
            "form": form,
            "opts": self.model._meta,  # noqa: SLF001  Django's documented way to a model's options
        }
        return TemplateResponse(request, "admin/strategies/backtest_add.html", context)

    def report_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Show the page of a run."""
        return self._page(request, lambda: _report(run_id))

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """Show runs side by side."""
        return self._page(request, lambda: compare_page(records_get(_ids(request.GET.get("ids", "")))))

    @admin.display(description="backtest", ordering="title")
    def show_title(self, run: BacktestRun) -> str:
        """Return what was tried."""
        return run.title

    @admin.display(description="status", ordering="status")
    def show_status(self, run: BacktestRun) -> str:
        """Return the status in its colour, and how far it is while it runs."""
        badge = format_html('<span class="word word-{}">{}</span>', TONES[run.status], run.status)
        if run.status != BacktestStatus.RUNNING:
            return badge
        template = '{} <progress max="1" value="{}"></progress> <span class="quiet">{}</span>'
        return format_html(template, badge, run.progress, f"{run.progress:.0%}")

    @admin.display(description="trades")
    def trades(self, run: BacktestRun) -> str:
        """Return how many trades it made."""
        metrics = _metrics(run)
        return "" if metrics is None else f"{metrics.trades:,}"

    @admin.display(description="return")
    def total_return(self, run: BacktestRun) -> str:
        """Return its return."""
        metrics = _metrics(run)
        return "" if metrics is None else signed_percent(metrics.total_return)

    @admin.display(description="drawdown")
    def drawdown(self, run: BacktestRun) -> str:
        """Return its deepest fall."""
        metrics = _metrics(run)
        return "" if metrics is None else percent(metrics.max_drawdown)

    @admin.display(description="Sharpe")
    def sharpe(self, run: BacktestRun) -> str:
        """Return its Sharpe ratio."""
        metrics = _metrics(run)
        return "" if metrics is None else ratio(metrics.sharpe)

    @admin.display(description="report")
    def report(self, run: BacktestRun) -> str:
        """Return the way to its page."""
        if run.status != BacktestStatus.DONE:
            return ""
        return format_html('<a href="{}">Report</a>', reverse("admin:strategies_backtestrun_report", args=[run.pk]))

    @admin.display(description="went wrong")
    def show_error(self, run: BacktestRun) -> str:
        """Return why it failed or was cancelled."""
        return run.error or "nothing"

    @admin.display(description="")
    def show_figures(self, run: BacktestRun) -> str:
        """Return the figures and what is doubtful about them."""
        if run.status != BacktestStatus.DONE:
            return render_to_string("admin/strategies/backtest_figures.html", {})
        record = record_get(run)
        context = {"verdict": verdict(record), "headline": headline(record), "groups": groups(record)}
        return render_to_string("admin/strategies/backtest_figures.html", {**context, "doubts": doubts(record)})

    @admin.display(description="")
    def show_request(self, run: BacktestRun) -> str:
        """Return what was asked for, whole."""
        return render_to_string("admin/strategies/values.html", {"values": run.request})

    def _page(self, request: HttpRequest, page: Callable[[], str]) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return HttpResponse(page())
        except TradingError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:strategies_backtestrun_changelist"))


def _report(run_id: int) -> str:
    (run,) = runs_get([run_id])
    return report_page(record_get(run), checks_get(run))


def _ids(text: str) -> list[int]:
    words = [word for word in text.split(",") if word]
    if not all(word.isdecimal() for word in words):
        raise InvalidValue("ids", text, "numbers of backtests with commas between them")
    return [int(word) for word in words]


def _metrics(run: BacktestRun) -> Metrics | None:
    return metrics_of_json(run.metrics) if run.status == BacktestStatus.DONE else None
