"""Figures, round trips, drift, reports and exports over the API, by a viewer; all that is there to be looked at."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest

from apps.exchanges.models import Fill
from apps.monitor.access.roles import VIEWER, roles_write
from apps.monitor.analytics.reports.days import finished
from apps.monitor.analytics.reports.services import report_write
from apps.monitor.models import AuditEntry, ReportKind
from moondev.domain.clock import LiveClock
from tests.integration.api_world import Client, person, served, small_world, token_of

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def viewer():
    roles_write()
    with served() as address:
        yield Client(address, token_of(person(VIEWER), ["read"]))


def test_a_viewer_reads_figures_reports_and_exports(viewer):
    world = small_world()
    report = report_write(finished(ReportKind.DAILY, LiveClock().now(), "UTC")[-1], LiveClock().now())

    [one] = viewer.get("/analytics/figures").json()["items"]
    assert (one["scope"], one["turnover"], one["fees"], one["fills"]) == ("strategy:turtle", "500", "0.1", 1)
    assert (one["twr"], one["why"]["twr"]) == (None, "no points of equity in the period")
    assert viewer.get("/analytics/figures/account:paper-1").json()["items"][0]["fees"] == "0.1"
    assert viewer.get("/analytics/round-trips?scope=strategy:turtle").json() == {"items": [], "more": False}
    assert viewer.get("/analytics/drift").json() == {"items": []}
    for wrong in ("/analytics/figures/strategy:nobody", "/analytics/figures?start=2020-01-01T00:00:00Z",
                  "/analytics/figures?level=venue", "/exports/trades", "/exports/fills?account=nobody",
                  "/exports/tax_lots?strategy=turtle"):  # fmt: skip
        assert viewer.get(wrong).status_code == 422, wrong

    assert [row["subject"] for row in viewer.get("/reports?kind=daily").json()["items"]] == [report.subject]
    assert viewer.get(f"/reports/{report.pk}").json()["text"] == report.text
    shown = viewer.get(f"/reports/{report.pk}/page")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert viewer.get("/reports/999999/page").status_code == 404

    told = viewer.get("/exports/fills")
    assert told.headers["Content-Disposition"].startswith('attachment; filename="fills_')
    assert told.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "ETag" not in told.headers
    assert told.text.splitlines()[1].split(",")[3:6] == ["turtle", "hyperliquid:BTC", "USDC"]
    table = pq.read_table(io.BytesIO(viewer.get("/exports/fills?format=parquet").content))
    assert table.column("id").to_pylist() == [Fill.objects.get().pk]
    assert [entry.subject for entry in AuditEntry.objects.filter(action="export")] == ["fills", "fills"]
    assert AuditEntry.objects.filter(action="export").first().actor.startswith("viewer via")
    assert world.order.pk
