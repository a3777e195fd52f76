"""The kill switch with the database down: the venue itself is cleared, by this process alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from apps.risk import stopping
from apps.risk.direct.accounts_file import accounts_file, read_file, write_file
from apps.risk.direct.without_database import stop_without_database
from apps.risk.management.commands.kill_switch import Command
from apps.risk.vetoes import AT_ONCE, Engaged
from moondev.domain.errors import Configuration
from tests.integration.stop_world import AGENT_KEY, Scene, trading_scene

pytestmark = pytest.mark.integration
D = Decimal


@pytest.fixture
def scene(settings, tmp_path, monkeypatch) -> Iterator[Scene]:
    settings.MOONDEV_HALT_FILE = tmp_path / "halt"
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setenv("PAPER_1_DIRECT_KEY", AGENT_KEY)
    with trading_scene() as made:
        yield made


@pytest.fixture
def no_database(db) -> Iterator[None]:
    """Point the open connection at a port where nobody listens."""
    real: dict[str, Any] = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(HOST="127.0.0.1", PORT="1")
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(HOST=real["HOST"], PORT=real["PORT"])


def stop(scene: Scene, *, flatten: bool, seconds: float = 20) -> tuple[bool, list[str]]:
    said: list[str] = []
    write_file([scene.account()])
    return stop_without_database(closing=AT_ONCE if flatten else None, seconds=seconds, say=said.append), said


def test_cancels_everything_and_leaves_positions_alone(scene) -> None:
    clear, said = stop(scene, flatten=False)
    assert clear
    assert scene.state() == ({"BTC": D("0.5"), "ETH": D(-2)}, 0)
    assert "paper-1: cancelled 3 orders" in said


def test_flattens_long_and_short(scene) -> None:
    clear, _ = stop(scene, flatten=True)
    assert clear
    assert scene.state() == ({}, 0)


def test_goes_on_while_the_venue_fails_now_and_then(scene) -> None:
    scene.admin("faults", venue="hl", kind="error_5xx", value=502, count=3)
    clear, said = stop(scene, flatten=True)
    assert clear
    assert scene.state() == ({}, 0)
    assert len(said) > 2


def test_says_so_when_a_venue_cannot_be_cleared_in_time(scene, monkeypatch) -> None:
    monkeypatch.setenv("PAPER_1_DIRECT_KEY", "0x" + "33" * 32)
    clear, said = stop(scene, flatten=False, seconds=2)
    assert not clear
    assert said[-1] == "paper-1: NOT clear"
    assert scene.state()[1] == 3


def test_a_missing_key_is_named_and_its_value_never_said(scene, monkeypatch) -> None:
    monkeypatch.delenv("PAPER_1_DIRECT_KEY")
    clear, said = stop(scene, flatten=False, seconds=2)
    assert not clear
    assert "PAPER_1_DIRECT_KEY" in said[0]
    assert AGENT_KEY.removeprefix("0x") not in "".join(said)


def test_the_file_holds_names_of_secrets_and_no_secret(scene, tmp_path) -> None:
    write_file([scene.account()])
    assert accounts_file() == Path(tmp_path / "accounts.json")
    assert read_file() == [scene.account()]
    assert AGENT_KEY.removeprefix("0x") not in accounts_file().read_text()


@pytest.mark.parametrize("content", [None, "{", json.dumps([{"code": "x"}])])
def test_a_file_that_cannot_be_read_is_an_error_that_names_it(scene, content) -> None:
    if content is not None:
        accounts_file().write_text(content)
    with pytest.raises(Configuration, match=r"accounts\.json"):
        stop_without_database(closing=None, seconds=1, say=lambda _: None)


@pytest.mark.django_db(transaction=True)
def test_the_command_stops_everything_without_database_and_redis(scene, no_database, capsys) -> None:
    write_file([scene.account()])
    call_command("kill_switch", "engage", "--direct", "--flatten", "--timeout", "20")
    assert scene.state() == ({}, 0)
    assert (accounts_file().parent / "halt").read_text().startswith("halted")
    assert "done: no order is left and no position" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("arguments", "hint"),
    [([], "repeat with --direct"), (["--direct", "--scope", "strategy:turtle"], "repeat without --scope")],
)
def test_without_the_database_the_command_says_what_it_needs(scene, no_database, arguments, hint) -> None:
    write_file([scene.account()])
    with pytest.raises(CommandError, match=hint):
        call_command("kill_switch", "engage", *arguments, "--timeout", "5")
    assert scene.state()[1] == 3


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_in_the_middle_is_gone_on_without(scene, db, monkeypatch, capsys) -> None:
    write_file([scene.account()])
    monkeypatch.setattr(stopping, "engage", lambda **_: Engaged(("everything", "*"), 1, (1,), ()))

    def away(*_: object, **__: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(Command, "_follow", away)
    call_command("kill_switch", "engage", "--direct", "--flatten", "--urgency", "immediate", "--timeout", "20")
    assert scene.state() == ({}, 0)
    assert "done: no order is left and no position" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "words", [["status"], ["release", "--reason", "over"], ["drill", "--scope", "account:paper-1"]]
)
def test_without_the_database_nothing_is_released_and_it_is_said_in_a_line(scene, no_database, words, capsys) -> None:
    (accounts_file().parent / "halt").write_text("halted by test")
    with pytest.raises(CommandError, match="the database does not answer"):
        call_command("kill_switch", *words)
    assert (accounts_file().parent / "halt").exists()
    assert ("halt file of this machine: halted" in capsys.readouterr().out) == (words == ["status"])
