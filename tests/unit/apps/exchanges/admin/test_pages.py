"""Every page of the admin opens and searches, and none that shows history lets anybody write."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse

from apps.exchanges.admin.readonly import NoDeleteAdmin, ReadOnlyAdmin
from apps.exchanges.models import Account, Portfolio, Venue
from apps.risk.models import ConversionRate

# As the addresses do when a process serves them.
admin.autodiscover()
FLOORS = {"exchanges", "risk", "strategies"}
OURS = sorted(
    (model._meta.app_label, model._meta.model_name) for model in admin.site._registry if model._meta.app_label in FLOORS
)
HISTORY = sorted(
    (model._meta.app_label, model._meta.model_name)
    for model, page in admin.site._registry.items()
    if isinstance(page, ReadOnlyAdmin)
)
# A backtest is history once it was asked for, and its page is where people ask.
ASKED_FOR = ("strategies", "backtestrun")


@pytest.fixture
def operator(client, db):
    client.force_login(get_user_model().objects.create_superuser("operator"))
    return client


def address(model, action, *args):
    return reverse(f"admin:{'_'.join(model)}_{action}", args=args)


@pytest.mark.parametrize("model", OURS, ids="/".join)
def test_a_list_opens_and_searches(operator, model):
    assert operator.get(address(model, "changelist")).status_code == 200
    answer = operator.get(address(model, "changelist"), {"q": "<script>"})
    assert answer.status_code in {200, 302}
    assert b'value="<script>' not in answer.content


@pytest.mark.parametrize("model", HISTORY, ids="/".join)
def test_history_is_not_written_by_hand(operator, model):
    assert model == ASKED_FOR or operator.post(address(model, "add"), {"x": "1"}).status_code == 403
    page = admin.site._registry[
        next(m for m in admin.site._registry if (m._meta.app_label, m._meta.model_name) == model)
    ]
    request = operator.get(address(model, "changelist")).wsgi_request
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)
    assert "delete_selected" not in (page.get_actions(request) or {})


def test_money_and_the_gate_are_history():
    names = {name for _, name in HISTORY}
    assert {"order", "fill", "position", "equitymark", "tradingstate", "tradingstatechange", "veto", "tick"} <= names


def test_what_orders_refer_to_is_never_deleted():
    # Nothing refers to a rate; without it what it converted is not known, and nothing opens.
    for model, page in admin.site._registry.items():
        if model._meta.app_label in FLOORS and model is not ConversionRate:
            assert isinstance(page, ReadOnlyAdmin | NoDeleteAdmin), model


def test_a_stranger_and_a_user_without_rights_see_nothing(client, db):
    assert client.get(address(("exchanges", "order"), "changelist")).status_code == 302
    client.force_login(get_user_model().objects.create_user("clerk", is_staff=True))
    assert client.get(address(("exchanges", "order"), "changelist")).status_code == 403


def test_an_account_of_another_world_than_its_portfolio_is_refused(operator):
    venue = Venue.objects.create(
        code="live", protocol="hyperliquid", environment="live", rest_url="http://localhost:1", websocket_url="ws://x"
    )
    paper = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    form = {
        "code": "mixed", "venue": venue.pk, "portfolio": paper.pk, "address": "0x1", "currency": "USDC",
        "signers-TOTAL_FORMS": 0, "signers-INITIAL_FORMS": 0,
    }  # fmt: skip
    answer = operator.post(address(("exchanges", "account"), "add"), form)
    assert answer.context["adminform"].form.errors == {
        "portfolio": ["portfolio is paper; allowed: live, as the venue is"]
    }
    assert not Account.objects.exists()


def test_an_instruments_rules_are_the_venues(operator):
    page = admin.site._registry[next(m for m in admin.site._registry if m._meta.model_name == "instrumentrow")]
    assert {"tick", "lot", "min_notional", "symbol"} <= set(page.readonly_fields)
    assert not page.has_add_permission(operator.get("/admin/").wsgi_request)


def test_every_page_names_the_money_at_stake(operator, settings):
    assert b"environment-paper" in operator.get("/admin/").content
    settings.MOONDEV_LIVE_TRADING = settings.LIVE_TRADING_WORDS
    page = operator.get("/admin/").content
    assert b"environment-live" in page
    assert b"environment-paper" not in page


def test_the_links_to_flower_and_the_kill_switch_are_on_every_page(operator):
    page = operator.get("/admin/exchanges/order/").content.decode()
    assert 'href="/flower/"' in page
    assert reverse("admin:kill_switch") in page


def test_who_may_not_see_the_trading_states_gets_no_link_to_the_kill_switch(client, db):
    clerk = get_user_model().objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_order"))
    client.force_login(clerk)
    assert reverse("admin:kill_switch") not in client.get("/admin/").content.decode()
    assert client.get(reverse("admin:kill_switch")).status_code == 403
