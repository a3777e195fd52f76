"""The report of a run: one HTML file that needs nothing else, not even a network."""

from __future__ import annotations

from pathlib import Path

from django.template.loader import render_to_string

from apps.strategies.models import OptimisationRun
from apps.strategies.optimise.showing import show

TEMPLATE = "strategies/optimisation_report.html"


def report_html(run: OptimisationRun) -> str:
    """Return the report of a run as it stands."""
    return render_to_string(TEMPLATE, {"shown": show(run)})


def report_write(run: OptimisationRun, path: Path) -> None:
    """Write the report, with the folders that lead to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report_html(run), encoding="utf-8")
