"""Alerts at the API: read, answered in somebody's name, rules changed on what was seen; and on the stream."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.monitor.access.roles import RISK_MANAGER, TRADER, VIEWER, roles_write
from apps.monitor.alerts.evaluate import evaluate
from apps.monitor.alerts.measured import Measured
from apps.monitor.alerts.recorder import Recorder
from apps.monitor.alerts.seeds import seed
from apps.monitor.alerts.taking import Taken
from apps.monitor.api.stream.sources.alerts import read_alerts
from apps.monitor.models import Alert, AlertRule, AuditEntry
from moondev.domain.clock import LiveClock
from tests.integration.api_world import Client, person, served, tokens_of_roles

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
WHY = {"reason": "a test says so"}
ROW = {
    "id", "rule", "severity", "scope", "title", "detail", "value", "threshold", "state", "since", "resolved_at",
    "acknowledged_by", "acknowledged_at", "count",
}  # fmt: skip


def fire():
    """Have two alerts fire, one of them in words that a venue might use."""
    seed()
    readings = {
        "venue:bybit": Measured(Decimal(1), "<script>alert(1)</script>"), "venue:binance": Measured(Decimal(0)),
    }  # fmt: skip
    AlertRule.objects.filter(slug="venue-down").update(for_seconds=0)
    taken = Taken(LiveClock().now(), {"venue_down": readings, "breaker_open": {"breaker:x/account:a": Measured(None)}})
    evaluate(taken, Recorder(), "test")
    return Alert.objects.get(scope="venue:bybit")


def test_alerts_are_answered_and_rules_changed_and_the_trail_says_by_whom():
    alert = fire()
    with served() as home:
        tokens = tokens_of_roles()
        clients = {role: Client(home, tokens[role]) for role in (VIEWER, TRADER, RISK_MANAGER)}
        viewer, trader, manager = clients.values()
        [told] = viewer.get("/alerts", params={"state": "firing", "rule": "venue-down"}).json()["items"]
        assert (told["id"], told["value"], told["threshold"], told["since"] is not None) == (alert.pk, "1", "1", True)
        assert viewer.get("/alerts", params={"state": "burning"}).status_code == 422
        answer = f"/alerts/{alert.pk}/acknowledge"
        assert viewer.post(answer, json=WHY).status_code == 403
        assert trader.post(answer, json={}).status_code == 422
        assert trader.post("/alerts/999999/acknowledge", json=WHY).status_code == 404
        once = {"Idempotency-Key": "mine"}
        for replayed in (None, "true"):
            done = trader.post(answer, json=WHY | {"label": "false"}, headers=once)
            assert (done.status_code, done.headers.get("Idempotency-Replayed")) == (200, replayed)
        assert (done.json()["state"], done.json()["acknowledged_by"], done.json()["label"]) == (
            "acknowledged", "trader", "false",
        )  # fmt: skip
        refused = manager.post(answer, json=WHY)
        assert (refused.status_code, "trader has" in refused.json()["detail"]) == (422, True)
        _change_rules(viewer, trader, manager)
    entry = AuditEntry.objects.get(subject__contains="venue:bybit", action__contains="alert")
    assert (entry.actor.split()[0], entry.reason, entry.after["label"]) == ("trader", WHY["reason"], "false")
    changed = AuditEntry.objects.filter(action__contains="alert rule", actor__startswith="risk-manager").get()
    assert (changed.reason, changed.after["threshold"]) == (WHY["reason"], 0.9)


def _change_rules(viewer, trader, manager):
    rule = viewer.get("/alert-rules/drawdown")
    tag = {"If-Match": rule.headers["ETag"]}
    assert (rule.json()["unit"], rule.json()["threshold"]) == ("share (1 is all)", "0.8")
    assert len(viewer.get("/alert-rules").json()["items"]) == AlertRule.objects.count()
    body = WHY | {"threshold": "0.9"}
    assert trader.patch("/alert-rules/drawdown", json=body, headers=tag).status_code == 403
    assert manager.patch("/alert-rules/drawdown", json=body).status_code == 428
    assert manager.patch("/alert-rules/nobody", json=body, headers=tag).status_code == 404
    for wrong, words in (
        ({"threshold": "-1"}, "threshold"), ({"scope": "x"}, "scope is 'x'; allowed"), ({"slug": "y"}, "slug"),
        ({"quiet_from": "22:00:00"}, "both quiet_from and quiet_until"), ({"quiet_from": "22:00:00Z"}, "offset"),
        ({"muted_by": ["nobody"]}, "slugs of rules"), ({"severity": "loud"}, "severity"), ({"group": "A b"}, "group"),
    ):  # fmt: skip
        refused = manager.patch("/alert-rules/drawdown", json=WHY | wrong, headers=tag)
        assert refused.status_code == 422, wrong
        assert words in refused.json()["detail"], wrong
    worth = {one["rule"]: one for one in viewer.get("/alerts/report").json()["items"]}
    assert (worth["venue-down"]["fired"], worth["venue-down"]["false_share"]) == (1, 1.0)
    trials = viewer.get("/alert-rules/venue-down/trials", params={"days": 1}).json()["items"]
    assert [one["fired"] for one in trials if one["present"]] == [1]
    alone = viewer.get("/alert-rules/data-old/trials", params={"threshold": "45"}).json()["items"]
    assert alone == [{"threshold": "45", "for_seconds": 15, "fired": 0, "again": 0, "seconds": 0.0, "present": False}]
    changed = manager.patch("/alert-rules/drawdown", json=body, headers=tag)
    assert (changed.json()["threshold"], changed.json()["version"], changed.json()["group"]) == ("0.9", 2, "money")
    assert manager.patch("/alert-rules/drawdown", json=body, headers=tag).status_code == 412


def test_the_stream_tells_what_fires_and_what_was_put_right():
    alert = fire()
    rows = read_alerts((), LiveClock())
    assert set(rows) == {str(alert.pk)}, "what is only pending is not told"
    row = rows[str(alert.pk)]
    assert set(row) == ROW
    assert (row["id"], row["rule"], row["state"], row["value"]) == (alert.pk, "venue-down", "firing", "1")
    assert row["detail"] == "<script>alert(1)</script>", "text stays text; the page writes it as such"
    Alert.objects.filter(pk=alert.pk).update(state="resolved", resolved_at=LiveClock().now())
    assert read_alerts((), LiveClock())[str(alert.pk)]["state"] == "resolved"


def test_in_the_admin_alerts_are_answered_with_a_reason_and_rules_changed_and_tried(client):
    alert = fire()
    roles_write()
    client.force_login(person(TRADER))
    page, chosen = "/admin/monitor/alert/", {"_selected_action": [alert.pk]}
    assert "&lt;script&gt;" in client.get(f"{page}{alert.pk}/change/").content.decode()
    asked = {"action": "call_false", "confirmed": "yes"} | chosen
    client.post(page, asked)
    alert.refresh_from_db()
    assert alert.state == "firing", "nothing is done without a reason"
    client.post(page, asked | {"reason": "maintenance"})
    alert.refresh_from_db()
    assert (alert.state, alert.label, alert.acknowledged_by) == ("acknowledged", "false", "trader")
    rule = AlertRule.objects.get(slug="venue-down")
    address = f"/admin/monitor/alertrule/{rule.pk}/change/"
    assert client.post(address, {"threshold": "0.5"}).status_code == 403
    viewer = person(VIEWER)
    client.force_login(viewer)
    client.post(page, asked | {"action": "call_right", "reason": "because"})
    alert.refresh_from_db()
    assert alert.label == "false", "who may only look calls nothing anything"
    client.force_login(person(RISK_MANAGER))
    shown = client.get(address).content.decode()
    assert "fired 1 times" in shown
    assert "for 0 s: 1 times as it is" in shown
    assert "venue-down" in client.get("/admin/monitor/alertrule/").content.decode()
    form = client.get(address).context["adminform"].form
    values = {name: "" if value is None else value for name, value in form.initial.items() if name in form.fields}
    values |= {"muted_by": "", "channels": "", "escalate_channels": "", "title": "Venue <b>down</b>"}
    refused = client.post(address, values | {"threshold": "7"}).content.decode()
    assert "threshold is 7; allowed: up to 1" in refused
    assert client.post(address, values | {"threshold": "0.5"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.threshold, rule.version, rule.updated_by) == (Decimal("0.5"), 2, "risk-manager")
