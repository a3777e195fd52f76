"""Accounts on which several strategies trade one instrument are not offered: see docs/risk.md, "One owner"."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.exchanges.models import Account
from tests.support.order_world import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    client.force_login(get_user_model().objects.create_superuser("operator"))
    return client


def form(portfolio: str, **changes: str) -> dict[str, object]:
    signers = {"signers-TOTAL_FORMS": 0, "signers-INITIAL_FORMS": 0}
    return {"portfolio": portfolio, "enabled": "on", **signers, **changes}


def test_a_new_account_is_not_shared(operator) -> None:
    world = make_world()
    identity = {"code": "paper-2", "venue": world.account.venue_id, "address": "0x9", "currency": "USDC"}
    page = reverse("admin:exchanges_account_add")
    answer = operator.post(page, form("paper", **identity, shared="on"))
    (error,) = answer.context["adminform"].form.errors["shared"]
    assert error.startswith("shared is on; allowed: off")
    assert not Account.objects.filter(code="paper-2").exists()
    assert operator.post(page, form("paper", **identity)).status_code == 302
    assert not Account.objects.get(code="paper-2").shared


def test_an_account_is_not_made_shared_and_one_that_is_can_be_put_right(operator) -> None:
    account = make_world().account
    page = reverse("admin:exchanges_account_change", args=[account.pk])
    assert "shared" in operator.post(page, form("paper", shared="on")).context["adminform"].form.errors
    Account.objects.update(shared=True)
    assert operator.post(page, form("paper")).status_code == 302
    assert not Account.objects.get().shared
