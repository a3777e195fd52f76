"""Who may let a halted scope trade again: one person with a reason, or, where it matters, two."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from apps.exchanges.models import TradingMode, TradingState, Veto
from apps.risk import stopping, vetoes
from apps.risk.breakers.keeper import breaker_reset
from apps.risk.breakers.machine import Mode
from apps.risk.models import Breaker, BreakerState, ReleaseRequest, RiskEvent
from moondev.domain.errors import Connectivity, InvalidValue
from tests.unit.apps.risk.breakers.conftest import NOW, account  # noqa: F401  the same world

PORTFOLIO = ("portfolio", "paper")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("account", "halted")]


@pytest.fixture
def halted(account, settings, tmp_path):  # noqa: F811  the fixture above
    """Halt the portfolio, with the halt done, and want two persons for its release."""
    settings.MOONDEV_HALT_FILE = tmp_path / "halt"
    settings.MOONDEV_RELEASE_NEEDS_SECOND_PERSON = True
    for name in ("ann", "bea"):
        get_user_model().objects.create_superuser(name, password="a long word")
    get_user_model().objects.create_user("cleaner", password="a long word", is_staff=True)
    return halt()


def halt():
    engaged = stopping.engage(
        scope=PORTFOLIO, mode=TradingMode.HALTED, flatten=False, reason="fire", actor="ann", now=NOW
    )
    Veto.objects.update(done_at=NOW, stage=Veto.Stage.DONE)
    return engaged


def ask(actor="ann", reason="it is out", now=NOW, **changes):
    return stopping.release_ask(scope=PORTFOLIO, reason=reason, actor=actor, now=now, **changes)


def confirm(asked, actor="bea", now=NOW):
    return stopping.release_confirm(request_id=asked.pk, actor=actor, now=now)


def mode():
    return TradingState.objects.get(scope_kind="portfolio").mode


def test_asked_by_one_and_confirmed_by_another_it_trades_again_and_both_are_on_record():
    asked = ask()
    assert (asked.state, mode()) == ("waiting", "halted")
    assert confirm(asked).state == "released"
    assert mode() == "active"
    assert RiskEvent.objects.get(kind="release").actor == "ann, confirmed by bea"
    with pytest.raises(InvalidValue, match="allowed: a release that waits"):
        confirm(asked)


@pytest.mark.parametrize("actor", ["ann", "cleaner", "nobody", "", "root@host"])
def test_neither_the_same_person_nor_one_without_leave_can_confirm(actor):
    asked = ask()
    with pytest.raises(InvalidValue, match=r"another person|active user"):
        confirm(asked, actor)
    assert mode() == "halted"
    assert stopping.releases_waiting(NOW) == [asked]


@pytest.mark.parametrize(("actor", "reason"), [("cleaner", "why"), ("nobody", "why"), ("ann", "  ")])
def test_who_may_not_release_or_says_no_reason_cannot_even_ask(actor, reason):
    with pytest.raises(InvalidValue, match=r"actor|reason"):
        ask(actor, reason)
    assert not ReleaseRequest.objects.exists()


def test_a_halt_engaged_after_the_asking_is_not_released_by_the_confirming():
    asked = ask()
    halt()
    with pytest.raises(InvalidValue, match="not halted again meanwhile"):
        confirm(asked)
    assert mode() == "halted"
    stopping.release_withdraw(request_id=asked.pk, actor="bea", now=NOW)
    assert confirm(ask()).state == "released"


def test_a_release_that_waits_too_long_is_over_and_one_scope_has_one_at_a_time():
    asked = ask()
    with pytest.raises(InvalidValue, match=f"{asked.pk}, asked by ann"):
        ask("bea")
    late = NOW + timedelta(hours=1)
    with pytest.raises(InvalidValue, match="there is none"):
        confirm(asked, now=late)
    assert ask(now=late).state == "waiting"


def test_a_confirmation_that_fails_leaves_the_release_waiting(monkeypatch):
    asked = ask()
    monkeypatch.setattr(vetoes, "redis_nudges", lambda: SimpleNamespace(release=lambda _scope: False))
    with pytest.raises(Connectivity):
        confirm(asked)
    asked.refresh_from_db()
    assert (asked.state, asked.closed_by, mode()) == ("waiting", "", "halted")


def test_where_one_person_is_enough_asking_releases_and_is_on_record(settings):
    settings.MOONDEV_RELEASE_NEEDS_SECOND_PERSON = False
    asked = ask("moon@desk")
    assert (asked.state, asked.closed_by, mode()) == ("released", "moon@desk", "active")


def test_a_reset_of_a_breaker_is_no_way_around_the_second_person(halted):
    breaker = Breaker.objects.get(code="portfolio-drawdown")
    BreakerState.objects.create(
        breaker=breaker, scope_kind="portfolio", scope_key="paper", mode=Mode.OPEN.value, since=NOW, looked_at=NOW,
        epoch=halted.epoch,
    )  # fmt: skip
    with pytest.raises(InvalidValue, match="takes two persons"):
        breaker_reset(code=breaker.code, scope=PORTFOLIO, actor="ann", reason="looks fine", now=NOW)
    assert mode() == "halted"


def test_the_command_line_asks_for_name_and_password_of_both(monkeypatch, capsys):
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "a long word")
    scope = ["--scope", "portfolio:paper"]
    with pytest.raises(CommandError, match="--as"):
        call_command("kill_switch", "release", *scope, "--reason", "out")
    call_command("kill_switch", "release", *scope, "--reason", "out", "--as", "ann")
    asked = ReleaseRequest.objects.get()
    call_command("kill_switch", "status")
    assert f"release {asked.pk} of portfolio:paper waiting, asked by ann: out" in capsys.readouterr().out
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "a guess")
    with pytest.raises(CommandError, match="right password"):
        call_command("kill_switch", "confirm", "--request", str(asked.pk), "--as", "bea")
    with pytest.raises(CommandError, match="--request"):
        call_command("kill_switch", "confirm", "--as", "bea")
    assert mode() == "halted"
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "a long word")
    call_command("kill_switch", "confirm", "--request", str(asked.pk), "--as", "bea")
    assert mode() == "active"


def test_nothing_but_the_file_of_settings_turns_the_second_person_off():
    from moondev.settings import base

    assert base.MOONDEV_RELEASE_NEEDS_SECOND_PERSON is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("urgency", "soon"), ("deadline_seconds", 0), ("deadline_seconds", 3_601), ("slippage_bps", 0),
        ("slippage_bps", 5_001), ("keep_share", 1), ("keep_share", -1),
    ],
)  # fmt: skip
def test_bounds_of_a_closing_that_make_no_sense_are_refused_by_name(field, value):
    with pytest.raises(InvalidValue, match=f"{field} is {value!r}|{field}"):
        stopping.Closing(**{field: value})
