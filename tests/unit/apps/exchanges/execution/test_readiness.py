from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from celery.signals import celeryd_after_setup

from apps.exchanges.execution import readiness
from apps.exchanges.models import Signer
from tests.support.order_world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def worker_of(*queues: str) -> SimpleNamespace:
    return SimpleNamespace(app=SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from=set(queues)))))


def test_opens_the_sessions_of_every_enabled_account_and_asks_the_venue_nothing(world: World, caplog) -> None:
    second = world.add_account("paper-2")
    keyless = world.add_account("keyless")
    Signer.objects.filter(account__code="keyless", purpose=Signer.Purpose.VETOES).delete()
    world.add_account("disabled")
    world.account.venue.accounts.filter(code="disabled").update(enabled=False)
    with caplog.at_level(logging.ERROR):
        assert readiness.sessions_open("hyperliquid", Signer.Purpose.VETOES, world.sessions) == 2
    assert (world.venue.signer, second.signer, keyless.signer) == ("vetoes", "vetoes", "")
    assert "account keyless has no session for vetoes" in caplog.text
    assert world.venue.calls == second.calls == keyless.calls == []


@pytest.mark.parametrize(
    ("queues", "opened"),
    [
        (["vetoes.hyperliquid"], [("hyperliquid", "vetoes")]),
        (["orders.hyperliquid", "ticks"], [("hyperliquid", "orders")]),
        (["ticks", "default"], []),
    ],
)
def test_a_worker_opens_what_its_queues_need_when_it_starts(monkeypatch, settings, queues, opened) -> None:
    asked = []
    settings.MOONDEV_VENUES = ("hyperliquid",)
    settings.MOONDEV_QUEUE_PREFIX = ""
    monkeypatch.setattr(readiness, "sessions_open", lambda venue, purpose, _: asked.append((venue, purpose)))
    monkeypatch.setattr(readiness.connection, "close", lambda: None)
    celeryd_after_setup.send(sender="worker@test", instance=worker_of(*queues), conf=None)
    assert asked == opened
