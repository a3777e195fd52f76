from __future__ import annotations

import logging
from pathlib import Path

import pytest

from apps.exchanges.credentials.backends import EnvironmentBackend, signer_key
from apps.exchanges.credentials.paper import is_paper_key, paper_key
from apps.exchanges.execution.nonces import nonces_take
from apps.exchanges.execution.sessions import VenueSessions
from apps.exchanges.models import Signer, Venue
from moondev.domain.errors import Configuration, InvalidValue
from tests.support.order_world import World, make_world

pytestmark = pytest.mark.django_db
KEY = "0x" + "7" * 64


@pytest.fixture
def world() -> World:
    return make_world()


def signer() -> Signer:
    return Signer.objects.select_related("account__venue").get(purpose="orders")


def test_reads_a_key_from_the_environment_and_logs_its_name_only(world: World, monkeypatch, caplog) -> None:
    monkeypatch.setenv("KEY_orders", KEY)
    with caplog.at_level(logging.INFO):
        assert signer_key(signer(), EnvironmentBackend()) == KEY
    assert "KEY_orders" in caplog.text
    assert "7777" not in caplog.text


def test_reads_a_key_from_a_file(world: World, monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    monkeypatch.setenv("KEY_orders_FILE", str(tmp_path / "key"))
    assert signer_key(signer(), EnvironmentBackend()) == KEY


def test_a_missing_key_is_named(world: World) -> None:
    with pytest.raises(Configuration, match="KEY_orders"):
        VenueSessions().session(world.account.pk, "orders")


def test_a_missing_signer_is_named(world: World) -> None:
    Signer.objects.filter(purpose="vetoes").delete()
    with pytest.raises(Configuration, match="no signer for vetoes"):
        VenueSessions().session(world.account.pk, "vetoes")


def test_a_paper_key_never_signs_for_real_money(world: World, monkeypatch) -> None:
    monkeypatch.setenv("KEY_orders", paper_key("paper-1", "orders"))
    assert signer_key(signer(), EnvironmentBackend())
    Venue.objects.update(environment="live")
    with pytest.raises(Configuration, match="paper key"):
        signer_key(signer(), EnvironmentBackend())


def test_knows_a_paper_key_however_it_is_spelt() -> None:
    key = paper_key("paper-1", "orders")
    assert is_paper_key(key.upper().replace("0X", ""), ["paper-1"], ["orders"])
    assert not is_paper_key(KEY, ["paper-1"], ["orders"])


def test_nonces_follow_the_clock_and_never_repeat(world: World) -> None:
    row = signer()
    first = nonces_take(row.pk, 3, world.clock.now())
    second = nonces_take(row.pk, 1, world.clock.now())
    assert len(first) == 3
    assert second[0] == first[-1] + 1


def test_refuses_no_nonces_and_unknown_signers(world: World) -> None:
    with pytest.raises(InvalidValue, match="count"):
        nonces_take(signer().pk, 0, world.clock.now())
    with pytest.raises(Configuration, match="signer is 0"):
        nonces_take(0, 1, world.clock.now())
