"""Channels by hand: a test from admin, API and command line, and what is shown of what went over them."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from apps.monitor.access.roles import ADMINISTRATOR, RISK_MANAGER, TRADER, VIEWER, roles_write
from apps.monitor.alerts.channels.services import KEPT, deliveries_forget
from apps.monitor.alerts.notice import Attachment, Notice
from apps.monitor.alerts.outbox import enqueue
from apps.monitor.models import AuditEntry, Channel, Delivery, TelegramUser
from moondev.celery import app
from moondev.domain.clock import LiveClock
from tests.integration.api_world import Client, person, served, token_of
from tests.support.alert_servers import playing

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
# Seen by the threads of a server, or by the trail, which is written at the commit.
commits = pytest.mark.django_db(transaction=True)
WHY = {"reason": "a test says so"}


@pytest.fixture(scope="module")
def world():
    with playing() as played:
        yield played


@pytest.fixture
def played(world, monkeypatch):
    world.asked.clear()
    world.answers.clear()
    monkeypatch.setenv("ALERTS_HOOK", "a-signing-key-of-enough-bytes")
    monkeypatch.setattr(app, "send_task", lambda *_args, **_options: None)
    roles_write()
    options = {"url": f"{world.url}/hook"}
    Channel.objects.create(slug="ops", kind="webhook", secret_variable="ALERTS_HOOK", options=options, enabled=False)
    return world


@commits
def test_by_the_api_it_is_sent_once_and_said_how_it_went(played):
    with served() as home:
        manager = Client(home, token_of(person(RISK_MANAGER)))
        ask = {"json": WHY, "headers": {"Idempotency-Key": "once"}}
        assert manager.post("/channels/ops/test", **ask).json() == {"delivered": True, "why": ""}
        assert manager.post("/channels/ops/test", **ask).json() == {"delivered": True, "why": ""}
        assert len(played.asked) == 1
        played.will(401)
        told = manager.post("/channels/ops/test", json=WHY).json()
        assert told == {"delivered": False, "why": "it answered 401"}
        assert manager.post("/channels/nobody/test", json=WHY).status_code == 404
        assert manager.post("/channels/ops/test", json={}).status_code == 422
        assert Client(home, token_of(person(TRADER))).post("/channels/ops/test", json=WHY).status_code == 403
        assert len(played.asked) == 2

        viewer = Client(home, token_of(person(VIEWER)))
        [row] = viewer.get("/channels").json()["items"]
        assert (row["slug"], row["enabled"], row["failures_in_row"]) == ("ops", False, 1)
        # Where it goes is for whoever may set it up.
        assert "options" not in row
        failed, taken = viewer.get("/deliveries", params={"channel": "ops"}).json()["items"]
        assert (failed["state"], failed["last_error"], taken["state"]) == ("failed", "it answered 401", "delivered")
        assert viewer.get("/deliveries", params={"state": "queued"}).json()["items"] == []
        assert viewer.get("/deliveries", params={"state": "lost"}).status_code == 422
    entry = AuditEntry.objects.filter(action="channel tested").first()
    assert (entry.actor, entry.subject, entry.reason) == ("risk-manager", "ops", WHY["reason"])
    assert entry.after == {"delivered": False, "why": "it answered 401"}


def test_by_the_command_line_it_ends_well_only_when_it_was_taken(played, capsys):
    call_command("channel", "test", "ops")
    played.will(500)
    with pytest.raises(CommandError, match="ops did not take it: it answered 500"):
        call_command("channel", "test", "ops")
    with pytest.raises(CommandError, match="channel is 'nobody'; allowed: ops"):
        call_command("channel", "test", "nobody")
    call_command("channel", "list")
    assert capsys.readouterr().out == "ops took it\nops webhook off, failed 1 times in a row\n"


def browser(role):
    visitor = Browser()
    visitor.force_login(person(role))
    return visitor


def send_tests(visitor):
    chosen = {"action": "send_test", ACTION_CHECKBOX_NAME: [Channel.objects.get().pk], "confirmed": "yes"}
    return visitor.post("/admin/monitor/channel/", chosen, follow=True).content.decode()


def test_in_the_admin_it_is_asked_for_and_answered(played):
    administrator, viewer = browser(ADMINISTRATOR), browser(VIEWER)
    assert "Delivered by ops" in send_tests(administrator)
    played.will(403)
    assert "it answered 403" in send_tests(administrator)
    send_tests(viewer)
    assert len(played.asked) == 2
    assert "failed 1 in a row" in viewer.get("/admin/monitor/channel/").content.decode()
    assert viewer.get("/admin/monitor/channel/add/").status_code == 403


@commits
def test_the_admin_refuses_a_secret_in_a_row_and_shows_notices_as_they_are(played):
    administrator = browser(ADMINISTRATOR)
    sound = {
        "slug": "chat", "kind": "discord", "secret_variable": "ALERTS_CHAT", "options": "{}", "enabled": "on",
        "per_minute": 20, "fallback": "",
    }  # fmt: skip
    add = "/admin/monitor/channel/add/"
    refused = administrator.post(add, sound | {"secret_variable": "https://discord.com/api/webhooks/1/x"})
    assert "the name of a variable, such as ALERTS_DISCORD_OPS" in refused.content.decode()
    assert "Select a valid choice" in administrator.post(add, sound | {"kind": "pigeon"}).content.decode()
    assert Channel.objects.count() == 1
    assert administrator.post(add, sound).status_code == 302
    assert Channel.objects.get(slug="chat").secret_variable == "ALERTS_CHAT"
    assert AuditEntry.objects.filter(action="channel added", subject="chat").count() == 1

    notice = Notice(
        kind="report", severity="info", title="<script>alert(1)</script>", group="g",
        body="<img src=x onerror=alert(1)>", attachments=(Attachment("week.csv", "text/csv", b"1"),),
    )  # fmt: skip
    [pk] = enqueue(notice, ["ops"], now=LiveClock().now())
    for page in ("/admin/monitor/delivery/", f"/admin/monitor/delivery/{pk}/change/"):
        shown = administrator.get(page).content.decode()
        assert "&lt;script&gt;alert(1)" in shown
        assert "<script>alert(1)" not in shown
        assert "<img src=x" not in shown
    assert "week.csv" in shown


def test_only_staff_may_be_heard_by_telegram(played):
    administrator = browser(ADMINISTRATOR)
    guest = User.objects.create_user("guest")
    add = "/admin/monitor/telegramuser/add/"
    asked = {"telegram_id": 11, "user": guest.pk, "enabled": "on"}
    assert "not an active member of staff" in administrator.post(add, asked).content.decode()
    ann = person(VIEWER, "ann")
    assert administrator.post(add, asked | {"user": ann.pk, "telegram_id": -5}).status_code == 200
    assert not TelegramUser.objects.exists()
    assert administrator.post(add, asked | {"user": ann.pk}).status_code == 302
    assert "viewer" in administrator.get("/admin/monitor/telegramuser/").content.decode()
    assert Group.objects.filter(name=VIEWER, user=ann).exists()
    assert browser(RISK_MANAGER).get(add).status_code == 403


def test_what_was_told_long_ago_is_forgotten_and_what_is_on_its_way_is_not(played):
    now = LiveClock().now()
    notice = Notice(kind="firing", severity="info", title="old", body="", group="g")
    enqueue(notice, ["ops"], now=now - 2 * KEPT)
    call_command("channel", "test", "ops")
    Delivery.objects.filter(state="delivered").update(finished_at=now - KEPT)
    assert (deliveries_forget(now), deliveries_forget(LiveClock().now())) == (0, 1)
    assert Delivery.objects.get().state == "queued"
