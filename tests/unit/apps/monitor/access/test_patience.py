"""Who guesses a password is not listened to for a while, and fills no trail."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from limits.storage import MemoryStorage

from apps.monitor.access import patience
from apps.monitor.access.rates import Rates
from apps.monitor.models import AuditEntry

pytestmark = pytest.mark.django_db
PAGE = "/admin/login/"


@pytest.fixture(autouse=True)
def rates(settings, monkeypatch):
    settings.API_RATE_OF_FAILURES = "3/hour"
    counting = Rates(MemoryStorage(), MemoryStorage())
    monkeypatch.setattr(patience, "_rates", lambda: counting)


def logs_in(client, password, name="ana", address="10.0.0.1"):
    client.logout()
    client.post(PAGE, {"username": name, "password": password}, REMOTE_ADDR=address)
    return "_auth_user_id" in client.session


def test_after_a_few_wrong_passwords_even_the_right_one_is_not_listened_to_from_there(client):
    for name in ("ana", "bob"):
        User.objects.create_user(name, password=f"{name}'s own", is_staff=True)
    assert logs_in(client, "ana's own")
    assert not any(logs_in(client, f"guess {number}", name="Ana") for number in range(4))
    assert not logs_in(client, "ana's own")
    # Neither she elsewhere nor anybody else there.
    assert logs_in(client, "ana's own", address="10.0.0.2")
    assert logs_in(client, "bob's own", name="bob")


def test_a_flood_of_guesses_fills_no_trail(client, caplog):
    for number in range(20):
        assert not logs_in(client, "x", name=f"user-{number}")
    assert AuditEntry.objects.filter(action="login refused").count() == 3
    assert "user-19 from 10.0.0.1 was refused" in caplog.text
