from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.monitor.access.roles import VIEWER, roles_write
from apps.monitor.analytics.reports.days import stretch_with
from apps.monitor.analytics.reports.services import report_write
from apps.monitor.models import AuditEntry, ReportKind, ReportLetter, ReportRecipient
from apps.strategies.models import StrategyRow
from moondev.domain.clock import LiveClock
from tests.support.analytics_world import START, Books, books, keep_points

pytestmark = pytest.mark.django_db
MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def book() -> Books:
    made = books()
    roles_write()
    now = LiveClock().now()
    made.ago = (now - START).total_seconds() - 7_200
    StrategyRow.objects.create(slug="turtle", kind="turtle_trend", account=made.account, capital=1000, stage="paper")
    made.fill("turtle", "buy", "1", "100", fee="0.1", at=made.ago, made=True)
    made.fill("turtle", "sell", "1", "120", fee="0.1", at=made.ago + 3_600)
    keep_points("total", "paper", [(START + timedelta(hours=n), 1000 + n, 1000, 1 + n / 1000, 0) for n in range(24)])
    return made


@pytest.fixture
def viewer(client: Client, book: Books) -> Client:
    user = User.objects.create_user("viewer", is_staff=True)
    user.groups.add(user.groups.model.objects.get(name=VIEWER))
    client.force_login(user)
    return client


def test_figures_of_everybody_stand_in_one_table_and_say_what_they_do_not_know(viewer: Client) -> None:
    page = viewer.get("/admin/monitor/report/figures/?days=7").content.decode()
    for words in (
        "turtle",
        "+19.80",
        "no points of equity in the period",
        "no backtest of this version",
        "<strong>a week",
    ):
        assert words in page, words
    assert viewer.get("/admin/monitor/report/figures/?days=<script>").status_code == 200


def test_an_export_is_handed_out_and_noted(viewer: Client) -> None:
    asked = {"kind": "fills", "format": "csv", "method": "fifo", "first": "2026-01-01", "last": "2100-01-01"}
    answer = viewer.post("/admin/monitor/report/exports/", asked | {"last": "2035-01-01"})
    assert answer["Content-Disposition"] == 'attachment; filename="fills_20260101_20350101.csv"'
    assert len(b"".join(answer.streaming_content).splitlines()) == 3
    entry = AuditEntry.objects.get(action="export")
    assert (entry.actor, entry.subject, entry.after["rows"]) == ("viewer", "fills", 2)
    wrong = viewer.post("/admin/monitor/report/exports/", asked | {"last": "2025-01-01"}).content.decode()
    assert "allowed: a time after from" in wrong
    assert AuditEntry.objects.filter(action="export").count() == 1


def test_a_report_is_shown_as_it_was_mailed_and_runs_nothing(viewer: Client, book: Books) -> None:
    book.fill(MARKUP, "buy", "1", "100", at=3_600)
    book.fill(MARKUP, "sell", "1", "130", at=7_200)
    report = report_write(stretch_with(ReportKind.DAILY, START.date(), "UTC"), LiveClock().now())
    assert report.subject in viewer.get("/admin/monitor/report/").content.decode()
    frame = viewer.get(f"/admin/monitor/report/{report.pk}/change/").content.decode()
    assert f'src="/admin/monitor/report/{report.pk}/page/"' in frame
    assert "sandbox></iframe>" in frame
    page = viewer.get(f"/admin/monitor/report/{report.pk}/page/")
    assert "sandbox" in page["Content-Security-Policy"]
    assert "script-src" not in page["Content-Security-Policy"]
    html = page.content.decode()
    assert MARKUP not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;, hyperliquid:BTC long" in html
    assert 'src="data:image/png;base64,' in html
    assert viewer.get("/admin/monitor/report/999999/page/").status_code == 403


def test_only_who_may_say_who_gets_mail_may_send_it_again(viewer: Client, book: Books, settings, admin_client) -> None:
    report = report_write(stretch_with(ReportKind.DAILY, START.date(), "UTC"), LiveClock().now())
    ReportRecipient.objects.create(address="me@example.com", daily=True)
    settings.EMAIL_HOST = "mail.example.com"
    asked = {"action": "send_again", "_selected_action": [report.pk]}
    viewer.post("/admin/monitor/report/", asked)
    assert not ReportLetter.objects.exists()
    admin_client.post("/admin/monitor/report/", asked)
    assert ReportLetter.objects.get().address == "me@example.com"
