"""The command line of an operator does what the API does, under his name."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.urls import reverse

from apps.exchanges.models import Order, OrderCommand, Position
from apps.monitor.models import ApiToken, AuditEntry
from apps.risk.models import Limit
from apps.strategies.by_hand import placing
from apps.strategies.models import Desk, StrategyRow
from moondev.domain.market_data import InstrumentView
from tests.integration.api_world import small_world

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "--reason=a test says so"


class Market:
    """A market in which everything costs 1,000."""

    def views(self, wanted, now):
        second = timedelta(seconds=1)
        return {key: InstrumentView({}, None, 1000.0, second, 0.0, second) for key in wanted}


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(placing, "market_cache", Market)
    monkeypatch.setattr("apps.exchanges.orders.wake.wake", lambda *_, **__: None)
    return small_world()


def operate(*words):
    call_command("operate", *words, WHY)


def test_everything_has_its_word(world, capsys):
    operate("strategy", "pause", "turtle")
    assert StrategyRow.objects.get().paused_reason == "a test says so"
    operate("strategy", "resume", "turtle")
    operate("place", "buy", "1", "hyperliquid:ETH", "--account=paper-1", "--price=990", "--stop=900")
    order = Order.objects.get(strategy="hand-paper-1")
    assert (order.status, order.stop_price) == ("approved", 900)
    operate("cancel", str(world.order.pk))
    assert OrderCommand.objects.get().order == world.order
    operate("take", "turtle", "hyperliquid:BTC")
    assert Position.objects.get(strategy="hand-paper-1").quantity == Decimal("0.5")
    operate("return", "turtle", "hyperliquid:BTC")
    assert Position.objects.get(strategy="turtle").quantity == Decimal("0.5")
    operate("limit", "max_leverage", "portfolio:paper", "3")
    assert Limit.objects.get(kind="max_leverage").value == 3
    operate("desk", "paper-1", "1000", "--leverage=2")
    assert Desk.objects.get().capital == 1000
    operate("strategy", "disable", "turtle")
    said = capsys.readouterr().out
    assert "turtle: paused" in said
    assert "max_leverage portfolio:paper = 3, version 2" in said
    entries = AuditEntry.objects.filter(reason__contains="a test says so")
    assert {"limit changed", "desk changed", "strategy changed"} <= set(entries.values_list("action", flat=True))
    assert all("@" in actor for actor in entries.values_list("actor", flat=True))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("strategy", "pause", "hare"), "allowed: turtle"),
        (("place", "buy", "1", "hyperliquid:BTC", "--account=paper-1", "--price=990"), "turtle does"),
        (("place", "buy", "500", "hyperliquid:ETH", "--account=paper-1", "--price=990"), "NOTIONAL_EXCEEDS_MAXIMUM"),
        (("place", "buy", "1e3x", "hyperliquid:ETH", "--account=paper-1"), "quantity"),
        (("cancel", "424242"), "there is no order"),
        (("take", "turtle", "hyperliquid:ETH"), "instrument is 'hyperliquid:ETH'"),
        (("limit", "max_leverage", "portfolio:paper", "-1"), "above 0"),
        (("desk", "paper-9", "1"), "allowed: paper-1"),
    ],
)
def test_what_cannot_be_done_is_said_and_ends_with_an_error(world, words, told):
    with pytest.raises(CommandError, match=told):
        operate(*words)


def test_the_admin_cancels_takes_over_and_shows_a_token_once(world, admin_client):
    def act(model, action, row):
        url = reverse(f"admin:exchanges_{model}_changelist")
        form = {"action": action, "_selected_action": row.pk, "confirmed": "yes", "reason": "a test says so"}
        page = admin_client.post(url, form, follow=True).content.decode()
        return page[page.find("messagelist") :][:500]

    assert "is on its way" in act("order", "cancel", world.order)
    assert "By hand now: 0.5 hyperliquid:BTC" in act("position", "take", world.position)
    held = Position.objects.get(strategy="hand-paper-1")
    assert "urtle holds 0.5 hyperliquid:BTC" in act("position", "give_back", held)
    assert AuditEntry.objects.filter(actor="admin", action="strategy event added").count() >= 3
    asked = {"name": "bot", "user": admin_user_id(), "scopes": ["read"], "days": 5, "networks": "10.0.0.0/8"}
    url = reverse("admin:monitor_apitoken_add")
    wrong = admin_client.post(url, asked | {"networks": "everywhere"}).content.decode()
    assert "an address, or a network" in wrong
    shown = admin_client.post(url, asked)
    token = ApiToken.objects.get()
    assert "no-store" in shown["Cache-Control"]
    assert f"mdat_{token.prefix}_" in shown.content.decode()
    for page in ("apitoken_changelist", "apitoken_change", "auditentry_changelist"):
        args = [token.pk] if page.endswith("_change") else []
        seen = admin_client.get(reverse(f"admin:monitor_{page}", args=args))
        assert seen.status_code == 200
        assert f"mdat_{token.prefix}_" not in seen.content.decode()
        assert token.digest not in seen.content.decode()
    assert not admin.site._registry[AuditEntry].has_change_permission(None)


def admin_user_id():
    return AuditEntry.objects.filter(action="user added").values_list("after__id", flat=True).get()
