"""Tokens of programs, roles of people, and networks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from apps.monitor.access import roles
from apps.monitor.access.networks import lies_in
from apps.monitor.access.scopes import SCOPES, Scope, grants
from apps.monitor.access.tokens import token_create, token_find, token_revoke
from apps.monitor.models import ApiToken
from moondev.domain.errors import InvalidValue

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def ana(db, django_user_model):
    return django_user_model.objects.create_user("ana", is_staff=True)


def make(user, **changed):
    given = {"name": "bot", "scopes": ["read"], "expires_at": NOW + DAY, "actor": "root", "now": NOW} | changed
    return token_create(user=user, **given)


def find(text, address="10.0.0.1", now=NOW):
    return token_find(text, address=address, now=now)


def test_a_token_is_found_by_its_secret_alone_and_kept_as_a_digest(ana):
    token, secret = make(ana)
    assert find(secret) == token
    assert secret.startswith(f"mdat_{token.prefix}_")
    kept = ApiToken.objects.get()
    assert secret.rpartition("_")[2] not in str(kept.__dict__)
    assert (kept.last_used_at, kept.last_used_from) == (NOW, "10.0.0.1")
    # Noted once a minute, not at each use.
    assert find(secret, "10.0.0.2", NOW + timedelta(seconds=59))
    assert find(secret, "10.0.0.3", NOW + timedelta(seconds=61))
    kept.refresh_from_db()
    assert kept.last_used_from == "10.0.0.3"


def test_forged_ended_and_misplaced_tokens_are_none(ana):
    token, secret = make(ana, networks=["10.0.0.0/8", "fd00::1"])
    forged = [
        secret[:-1],
        secret + "A",
        secret.upper(),
        f"mdat_{token.prefix}_",
        "mdat__",
        "",
        "é" * 40,
        "mdat_" + "0" * 12,
    ]
    assert not any(find(one) for one in forged)
    assert find(secret, "::ffff:10.2.3.4")
    assert find(secret, "fd00::1")
    assert not find(secret, "11.0.0.1")
    assert not find(secret, "unix:")
    assert not find(secret, now=NOW + DAY)
    ana.is_active = False
    ana.save()
    assert not find(secret)
    ana.is_active = True
    ana.save()
    token_revoke(token.prefix, actor="root", now=NOW)
    token_revoke(token.prefix, actor="eve", now=NOW + DAY)
    assert ApiToken.objects.get().revoked_by == "root"
    assert not find(secret)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"expires_at": NOW}, "expires_at"),
        ({"expires_at": NOW + timedelta(days=400)}, "expires_at"),
        ({"networks": ["10.0.0.1/8"]}, "network"),
        ({"networks": ["everywhere"]}, "network"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(ana, changed, field):
    with pytest.raises(InvalidValue) as caught:
        make(ana, **changed)
    assert caught.value.field == field
    assert not ApiToken.objects.exists()


def test_the_command_makes_lists_and_ends_tokens(ana, capsys):
    call_command("api_token", "create", "watchman", "--user=ana", "--scope=halt", "--scope=read", "--days=5")
    secret = capsys.readouterr().out.strip()
    token = ApiToken.objects.get()
    assert (token.scopes, token.created_by != "") == (["halt", "read"], True)
    assert token_find(secret, address="::1", now=token.created_at) == token
    call_command("api_token", "list")
    assert f"{token.prefix} active watchman of ana: halt,read" in capsys.readouterr().out
    call_command("api_token", "revoke", token.prefix)
    call_command("api_token", "list")
    assert "revoked watchman" in capsys.readouterr().out
    for wrong in (["revoke", "abc"], ["create", "x", "--user=bea", "--scope=read"]):
        with pytest.raises(CommandError):
            call_command("api_token", *wrong)


def test_scopes_grant_what_they_name_and_no_more():
    assert grants(["read"], "risk.view_limit")
    assert not grants(["read"], "monitor.view_auditentry")
    assert grants(["audit"], "monitor.view_auditentry")
    assert grants(["halt"], "exchanges.add_veto")
    assert not grants(["read", "audit", "halt", "orders", "strategies", "backtests"], "exchanges.change_tradingstate")
    given = [permission for permissions in SCOPES.values() for permission in permissions]
    assert len(given) == len(set(given))
    assert set(SCOPES) | {Scope.READ} == set(Scope)


def test_roles_may_do_more_from_one_to_the_next_and_nothing_that_is_not_there(db):
    roles.roles_write()
    held = {
        group.name: set(group.permissions.values_list("content_type__app_label", "codename"))
        for group in Group.objects.all()
    }
    assert {code.split("_")[0] for _, code in held[roles.VIEWER]} == {"view"}
    for smaller, larger in pairwise([roles.VIEWER, roles.TRADER, roles.ADMINISTRATOR]):
        assert held[smaller] < held[larger]
    assert held[roles.VIEWER] < held[roles.RISK_MANAGER] < held[roles.ADMINISTRATOR]
    for role, permissions in roles.MAY.items():
        assert {tuple(one.split(".")) for one in permissions} <= held[role], role
    assert ("exchanges", "add_order") not in held[roles.RISK_MANAGER]
    assert ("exchanges", "change_tradingstate") not in held[roles.TRADER]
    # What somebody added by hand is taken back; a group of one's own is left alone.
    mine = Group.objects.create(name="mine")
    Group.objects.get(name=roles.VIEWER).permissions.set(Group.objects.get(name=roles.TRADER).permissions.all())
    roles.roles_write()
    assert Group.objects.get(name=roles.VIEWER).permissions.count() == len(held[roles.VIEWER])
    assert Group.objects.filter(pk=mine.pk).exists()


def test_addresses_lie_in_networks():
    assert lies_in("127.0.0.1", ["127.0.0.0/8"])
    assert lies_in("::ffff:127.0.0.1", ["127.0.0.0/8"])
    assert not lies_in("::1", ["127.0.0.0/8"])
    assert not lies_in("nowhere", ["0.0.0.0/0"])
    assert not lies_in("10.0.0.1", [])
