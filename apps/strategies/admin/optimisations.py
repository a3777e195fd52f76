"""Searches: watched while they run, cancelled, taken up again, read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from apps.exchanges.admin.amounts import DASH, moment_column
from apps.exchanges.admin.confirm import confirmed_action
from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.strategies.models import OPEN_RUNS, OPEN_TRIALS, OptimisationRun, Trial
from apps.strategies.optimise.report import report_html
from apps.strategies.optimise.services import optimisation_cancel, optimisation_resume
from apps.strategies.optimise.showing import show, took
from apps.strategies.optimise.terminal import best_so_far
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue

TONES = {"done": "good", "running": "wait", "queued": "wait", "failed": "bad", "cancelled": "calm"}
DEFAULT_LANES = 2
FIELDSETS: Any = [
    (None, {"fields": ["show_status", "show_progress", "best"]}),
    ("What it found", {"fields": ["show_body"], "classes": ["wide-block"]}),
    (
        "What was asked for",
        {
            "fields": [
                *("kind", "size", "lanes", "asked_by", "code_hash", "data_hash"),
                *(moment_column(name) for name in ("asked_at", "started_at", "finished_at")),
            ],
            "classes": ["two-columns"],
        },
    ),
    ("The plan", {"fields": ["show_plan"], "classes": ["collapse", "wide-block"]}),
]
TRIAL_FIELDSETS: Any = [
    (None, {"fields": ["run", "number", "study", "status", "reason", "worker", "attempts", "seed"]}),
    ("Parameters", {"fields": ["show_parameters"], "classes": ["wide-block"]}),
    ("Figures", {"fields": ["show_figures"], "classes": ["wide-block"]}),
    ("Times", {"fields": [*map(moment_column, ("started_at", "finished_at")), "duration_ms"]}),
]


@confirmed_action(title="Cancel", question="What was tried is kept; the run can be taken up again.", permission="run")
def cancel(run: OptimisationRun, actor: str, _reason: str) -> str:
    """End a search that has not ended."""
    if not optimisation_cancel(run.pk, actor=actor, now=process_clock().now()):
        raise InvalidValue("optimisation", f"{run.pk} ({run.status})", "one that is queued or running")
    return f"Cancelled {run}"


@confirmed_action(title="Go on", question="Research workers try what has not been tried yet.", permission="run")
def go_on(run: OptimisationRun, _actor: str, _reason: str) -> str:
    """Take up a search that was cancelled or failed."""
    if run.status in OPEN_RUNS or run.plan.get("folder"):
        allowed = "one that has ended, on data of the shared shelf; others go on by manage.py optimise --resume"
        raise InvalidValue("optimisation", f"{run.pk} ({run.status})", allowed)
    optimisation_resume(run.pk, lanes=run.lanes or DEFAULT_LANES, now=process_clock().now())
    return f"Took up {run}"


@admin.register(OptimisationRun)
class OptimisationAdmin(ReadOnlyAdmin[OptimisationRun]):
    """Searches, newest first. They are started by ``manage.py optimise``."""

    list_display = ["id", "title", "show_status", "show_progress", "best", "took", "asked_by"]
    list_display_links = ["id", "title"]
    list_filter = ["status", "kind"]
    search_fields = ["title", "asked_by", "error"]
    ordering = ["-id"]
    actions = [cancel, go_on]
    fieldsets = FIELDSETS
    readonly_fields = flatten_fieldsets(FIELDSETS)
    change_form_template = "admin/strategies/optimisation_change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the report of a run."""
        view = self.admin_site.admin_view(self.report_view)
        return [path("<int:run_id>/report/", view, name="strategies_optimisationrun_report"), *super().get_urls()]

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Return whether the operator may cancel searches and take them up."""
        return request.user.has_perm("strategies.add_optimisationrun")

    def report_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Show the report of a run by itself."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponse(report_html(get_object_or_404(OptimisationRun, pk=run_id)))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,  # noqa: ANN401  Django's
        **kwargs: Any,  # noqa: ANN401  any value
    ) -> HttpResponse:
        """Tell the page whether to look again by itself."""
        run = context.get("original")
        context["under_way"] = isinstance(run, OptimisationRun) and run.status in OPEN_RUNS
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="status", ordering="status")
    def show_status(self, run: OptimisationRun) -> str:
        """Return the status in its colour."""
        return format_html('<span class="word word-{}">{}</span>', TONES[run.status], run.status)

    @admin.display(description="progress")
    def show_progress(self, run: OptimisationRun) -> str:
        """Return a bar and how many trials have ended."""
        ended = run.trials.exclude(status__in=OPEN_TRIALS).count()
        return format_html(
            '<progress max="{0}" value="{1}">{1}</progress> <span class="quiet">{1} of {0}</span>', run.size, ended
        )

    @admin.display(description="best so far, in training")
    def best(self, run: OptimisationRun) -> str:
        """Return the objectives of the best trial yet."""
        return best_so_far(run) or DASH

    @admin.display(description="took")
    def took(self, run: OptimisationRun) -> str:
        """Return how long it has been running, or ran."""
        seconds = took(run, process_clock().now())
        return DASH if seconds is None else f"{seconds / 60:.1f} min"

    @admin.display(description="")
    def show_body(self, run: OptimisationRun) -> str:
        """Return verdict, folds, picture and table."""
        return render_to_string("admin/strategies/optimisation_body.html", {"shown": show(run)})

    @admin.display(description="")
    def show_plan(self, run: OptimisationRun) -> str:
        """Return the plan as it is stored."""
        return render_to_string("admin/strategies/values.html", {"values": run.plan})


@admin.register(Trial)
class TrialAdmin(ReadOnlyAdmin[Trial]):
    """Every trial of every search."""

    list_display = ["run_number", "number", "status", "study", "worker", "attempts", "duration_ms", "reason"]
    list_display_links = ["number"]
    list_filter = ["status", ("run", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["reason", "worker"]
    list_select_related = ["run"]
    fieldsets = TRIAL_FIELDSETS
    readonly_fields = flatten_fieldsets(TRIAL_FIELDSETS)

    @admin.display(description="run", ordering="run")
    def run_number(self, trial: Trial) -> str:
        """Return the number of the run, leading to it."""
        url = reverse("admin:strategies_optimisationrun_change", args=[trial.run.pk])
        return format_html('<a href="{}">{}</a>', url, trial.run.pk)

    @admin.display(description="")
    def show_parameters(self, trial: Trial) -> str:
        """Return what was tried."""
        return render_to_string("admin/strategies/values.html", {"values": trial.parameters})

    @admin.display(description="")
    def show_figures(self, trial: Trial) -> str:
        """Return the figures of the whole, and of each fold."""
        return render_to_string("admin/strategies/values.html", {"values": trial.figures})
