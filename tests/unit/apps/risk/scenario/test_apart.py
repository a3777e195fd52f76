"""The place where a scenario is played, and the command's words: nothing of it reaches the real platform."""

from __future__ import annotations

import subprocess

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.exchanges.models import Account
from apps.risk.management.commands import risk_scenario
from apps.risk.scenario.apart import apart
from apps.risk.scenario.holdings import Holdings, Stake
from tests.support.order_world import make_world

pytestmark = pytest.mark.django_db(transaction=True)


def databases() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        return {name for (name,) in cursor.fetchall()}


def test_every_door_leads_elsewhere_and_the_database_is_gone_afterwards(settings, monkeypatch) -> None:
    monkeypatch.setenv("DATABASE_URL_FILE", "/somewhere")
    before = databases()
    with apart() as environment:
        (made,) = databases() - before
        assert environment["DATABASE_URL"].rpartition("/")[2] == made != settings.DATABASES["default"]["NAME"]
        assert environment["REDIS_URL"] != settings.REDIS_URL
        assert environment["BROKER_URL"] != settings.BROKER_URL
        assert environment["MOONDEV_HALT_FILE"] != str(settings.MOONDEV_HALT_FILE)
        assert environment["MOONDEV_VENUES"] == "none"
        assert environment["MOONDEV_LIVE_TRADING"] == ""
        assert "DATABASE_URL_FILE" not in environment
    assert databases() == before


def test_the_database_is_gone_although_the_day_went_wrong() -> None:
    before = databases()
    with pytest.raises(RuntimeError), apart():
        raise RuntimeError
    assert databases() == before


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"hold": ["binance:NOPE=5"]}, "hold"),
        ({"hold": ["kraken:BTC=5"]}, "kraken"),
        ({"equity": "-5"}, "equity"),
        ({"equity": "NaN"}, "equity"),
        ({"present": True}, "books"),
    ],
)
def test_refuses_what_cannot_be_played_before_anything_is_made(options, wrong, monkeypatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a process was started"))
    before = databases()
    with pytest.raises(CommandError, match=wrong):
        call_command("risk_scenario", **options)
    assert databases() == before


def test_refuses_to_play_here_where_somebody_trades(monkeypatch) -> None:
    make_world()
    monkeypatch.setattr(risk_scenario.logging, "disable", lambda _: None)
    monkeypatch.setattr(
        risk_scenario.json,
        "load",
        lambda _: {"equity": {"a": "1"}, "stakes": [{"venue": "a", "coin": "BTC", "notional": "1"}]},
    )
    with pytest.raises(CommandError, match="a database of its own"):
        call_command("risk_scenario", "--here")
    assert Account.objects.count() == 1


def test_what_one_process_writes_the_other_reads() -> None:
    read = risk_scenario._read({"equity": {"a": "5.5"}, "stakes": [{"venue": "a", "coin": "BTC", "notional": "-1.25"}]})
    assert read == Holdings({"a": risk_scenario.Decimal("5.5")}, (Stake("a", "BTC", risk_scenario.Decimal("-1.25")),))
