from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.models import Account, Portfolio, TradingMode, TradingState, Venue, Veto
from apps.risk import vetoes
from apps.risk.admin import steps
from apps.risk.admin.kill_switch import lines
from apps.risk.admin.steps import ABANDON, DRILL, FLATTEN, HALT, REDUCE, RELEASE, STEPS
from apps.risk.models import DrillRun, Limit, LimitChange, ReleaseRequest
from apps.risk.services import limit_set

NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def account(db):
    venue = Venue.objects.create(
        code="hyperliquid", protocol="hyperliquid", environment="paper", rest_url="http://localhost:1",
        websocket_url="ws://localhost:1",
    )  # fmt: skip
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    return Account.objects.create(code="paper-1", venue=venue, portfolio=portfolio, address="0x1", currency="USDC")


@pytest.fixture
def operator(client, db):
    client.force_login(get_user_model().objects.create_superuser("operator"))
    return client


class Voice:
    """Stands where the deeds are and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def engage(self, **arguments):
        self.asked.append(("engage", arguments))
        return vetoes.Engaged(arguments["scope"], 1, (1,), ("Redis",))

    def release_ask(self, **arguments):
        self.asked.append(("release_ask", arguments))
        return ReleaseRequest(state="released")

    def drill_start(self, **arguments):
        self.asked.append(("drill_start", {**arguments, "reason": "why"}))


@pytest.fixture
def voice(monkeypatch):
    voice = Voice()
    for name in ("engage", "release_ask", "drill_start"):
        monkeypatch.setattr(steps.stopping, name, getattr(voice, name))
    return voice


def status(states=(), redis=(), halt_file=TradingMode.ACTIVE, unfinished=()):
    return vetoes.Status(tuple(states), tuple(redis), halt_file, tuple(unfinished))


def state(kind, key, mode):
    return TradingState(scope_kind=kind, scope_key=key, mode=mode, changed_at=NOW)


def line_of(scope, **said):
    return next(line for line in lines(status(**said)) if line.scope == scope)


@pytest.mark.parametrize(
    ("step", "call", "expected"),
    [
        (HALT, "engage", {"mode": TradingMode.HALTED, "flatten": False}),
        (REDUCE, "engage", {"mode": TradingMode.REDUCING, "flatten": False}),
        (FLATTEN, "engage", {"mode": TradingMode.HALTED, "flatten": True, "closing": vetoes.Closing("patient")}),
        (RELEASE, "release_ask", {"unfinished": False}),
        (ABANDON, "release_ask", {"unfinished": True}),
        (DRILL, "drill_start", {"flatten": True}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_each_step_asks_for_what_it_says(voice, step, call, expected):
    step.take(("account", "paper-1"), actor="operator", reason="why", urgency="patient")
    ((asked, arguments),) = voice.asked
    assert asked == call
    assert arguments.items() >= expected.items()
    assert (arguments["scope"], arguments["actor"], arguments["reason"]) == (("account", "paper-1"), "operator", "why")


def test_what_could_not_be_reached_is_told(voice):
    assert "not reached: Redis" in HALT.take(EVERYTHING, actor="operator", reason="why")


def test_an_account_and_a_portfolio_nobody_released_are_halted_others_active(account):
    modes = {line.key: line.mode for line in lines(status())}
    assert modes == {
        "everything:*": TradingMode.ACTIVE,
        "portfolio:paper": TradingMode.HALTED,
        "venue:hyperliquid": TradingMode.ACTIVE,
        "account:paper-1": TradingMode.HALTED,
    }


@pytest.mark.parametrize(
    "said",
    [
        {"states": [state("everything", "*", "halted")]},
        {"redis": [(EVERYTHING, TradingMode.HALTED)]},
        {"halt_file": TradingMode.HALTED},
        {"states": [state("everything", "*", "active")], "redis": [(EVERYTHING, TradingMode.HALTED)]},
    ],
)
def test_any_voice_alone_shows_everything_halted_and_offers_the_release(account, said):
    line = line_of(EVERYTHING, **said)
    assert line.mode is TradingMode.HALTED
    assert RELEASE in line.steps
    assert HALT not in line.steps


def test_a_scope_that_only_redis_speaks_of_is_shown(account):
    assert line_of(("instrument", "hyperliquid:BTC"), redis=[(("instrument", "hyperliquid:BTC"), TradingMode.HALTED)])


def test_a_halt_under_way_can_be_abandoned_and_only_then(account):
    halted = [state("account", "paper-1", "halted")]
    veto = Veto(venue=account.venue, scope_kind="account", scope_key="paper-1", epoch=1, engaged_at=NOW)
    scope = ("account", "paper-1")
    assert ABANDON in line_of(scope, states=halted, unfinished=[veto]).steps
    assert ABANDON not in line_of(scope, states=halted).steps
    assert ABANDON not in line_of(EVERYTHING, unfinished=[veto]).steps


@pytest.mark.parametrize("step", sorted(STEPS))
def test_asking_for_a_step_does_nothing_yet(operator, account, voice, step):
    answer = operator.get(reverse("admin:kill_switch_step", args=[step]), {"scope": "account:paper-1"})
    assert answer.status_code == 200
    assert STEPS[step].question in answer.content.decode()
    assert voice.asked == []


@pytest.mark.parametrize("step", sorted(STEPS))
def test_a_step_without_a_reason_is_not_taken(operator, account, voice, step):
    url = reverse("admin:kill_switch_step", args=[step]) + "?scope=account:paper-1"
    operator.post(url, {"reason": "  "})
    assert voice.asked == []
    operator.post(url, {"reason": "a drill"})
    assert len(voice.asked) == 1


def test_a_form_from_another_site_is_refused(account, voice):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.create_superuser("operator"))
    url = reverse("admin:kill_switch_step", args=["release"]) + "?scope=everything:*"
    assert client.post(url, {"reason": "mischief"}).status_code == 403
    assert voice.asked == []


def test_a_limit_is_set_through_the_service_with_its_history(operator, db):
    limit = limit_set(
        kind="max_leverage", scope_kind="everything", scope_key="*", value=3, active=True, actor="test", now=NOW
    )
    url = reverse("admin:risk_limit_change", args=[limit.pk])
    management = {"changes-TOTAL_FORMS": 1, "changes-INITIAL_FORMS": 1, "changes-0-id": limit.changes.get().pk}
    answer = operator.post(url, {"value": "2.5", "active": "on", "changes-0-limit": limit.pk, **management})
    assert answer.status_code == 302
    assert str(LimitChange.objects.first()).endswith("by operator")
    assert Limit.objects.get().version == 2


@pytest.fixture
def redis(monkeypatch):
    said = SimpleNamespace(release=lambda _scope: True, modes=dict)
    monkeypatch.setattr(vetoes, "redis_nudges", lambda: said)


def person(name):
    return get_user_model().objects.create_superuser(name, password="a long word")


def test_a_release_that_waits_is_confirmed_on_the_page_by_another_person(client, account, settings, redis):
    settings.MOONDEV_RELEASE_NEEDS_SECOND_PERSON = True
    TradingState.objects.create(scope_kind="account", scope_key="paper-1", mode="halted", epoch=3, changed_at=NOW)
    ann, bea = person("ann"), person("bea")
    client.force_login(ann)
    client.post(reverse("admin:kill_switch_step", args=["release"]) + "?scope=account:paper-1", {"reason": "mended"})
    asked = ReleaseRequest.objects.get()
    page = client.get(reverse("admin:kill_switch")).content.decode()
    assert ("mended" in page, "Withdraw" in page, "Confirm" in page) == (True, True, False)
    confirm = reverse("admin:release_answer", args=[asked.pk, "confirm"])
    client.post(confirm)
    assert TradingState.objects.get(scope_kind="account").mode == "halted"
    client.force_login(bea)
    assert "Confirm" in client.get(reverse("admin:kill_switch")).content.decode()
    assert client.get(confirm).status_code == 405
    client.post(confirm)
    asked.refresh_from_db()
    assert (asked.state, asked.closed_by, TradingState.objects.get(scope_kind="account").mode) == (
        "released", "bea", "active",
    )  # fmt: skip


def test_a_paper_account_that_is_active_can_be_drilled_from_the_page_and_the_drill_is_shown(operator, account, redis):
    active = state("account", "paper-1", "active")
    assert DRILL in line_of(("account", "paper-1"), states=[active]).steps
    assert DRILL not in line_of(EVERYTHING, states=[active]).steps
    active.save()
    url = reverse("admin:kill_switch_step", args=["drill"]) + "?scope=account:paper-1"
    operator.post(url, {"reason": "monthly"})
    operator.post(url, {"reason": "again"})
    row = DrillRun.objects.get()
    assert (row.state, row.flatten, row.asked_by) == ("waiting", True, "operator")
    DrillRun.objects.update(state="failed", problems=["1 orders are left"])
    assert "1 orders are left" in operator.get(reverse("admin:kill_switch")).content.decode()
