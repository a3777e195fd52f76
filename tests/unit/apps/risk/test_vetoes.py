"""Engaging and releasing halts: which rows and voices change, and what happens when one is away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import redis
from django.db import DatabaseError, InterfaceError
from kombu.exceptions import OperationalError

from apps.exchanges.execution import nudges
from apps.exchanges.execution.gate import GateScope, gate_modes
from apps.exchanges.models import (
    Account,
    Portfolio,
    TradingMode,
    TradingState,
    TradingStateChange,
    Venue,
    Veto,
)
from apps.risk import vetoes
from apps.risk.models import Allocation, HighWaterMark, RiskEvent
from apps.risk.scope import parse_scope
from apps.risk.services import seed_limits
from moondev.domain.errors import Connectivity, InvalidValue
from tests.support.deaths import Life, living

pytestmark = pytest.mark.django_db
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
EVERYTHING = ("everything", "*")
TURTLE = ("strategy", "turtle")


class FakeRedis:
    """The few commands the gate's nudges use; `away` makes all of them fail."""

    def __init__(self) -> None:
        self.hash: dict[bytes, bytes] = {}
        self.away = False

    def _answer(self) -> None:
        if self.away:
            raise redis.ConnectionError("away")

    def hgetall(self, _key: str) -> dict[bytes, bytes]:
        self._answer()
        return dict(self.hash)

    def hset(self, _key: str, name: str, value: str) -> None:
        self._answer()
        self.hash[name.encode()] = value.encode()

    def hdel(self, _key: str, name: str) -> None:
        self._answer()
        self.hash.pop(name.encode(), None)


@pytest.fixture(autouse=True)
def halt_file(settings, tmp_path) -> Path:
    settings.MOONDEV_HALT_FILE = tmp_path / "halt"
    return tmp_path / "halt"


@pytest.fixture(autouse=True)
def cache(monkeypatch) -> FakeRedis:
    fake = FakeRedis()
    nudge = nudges.RedisNudges(fake)
    monkeypatch.setattr(vetoes, "redis_nudges", lambda: nudge)
    monkeypatch.setattr("apps.exchanges.execution.gate.redis_nudges", lambda: nudge)
    return fake


@pytest.fixture(autouse=True)
def sent(monkeypatch) -> list[str]:
    venues: list[str] = []
    monkeypatch.setattr(vetoes, "send", lambda task, *, urgency, venue: venues.append(venue))
    return venues


@pytest.fixture(autouse=True)
def account() -> Account:
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    made = None
    for code in ("hyperliquid", "other"):
        venue = Venue.objects.create(
            code=code, protocol="hyperliquid", environment="paper", rest_url="http://x", websocket_url="ws://x"
        )
        made = made or Account.objects.create(
            code="paper-1", venue=venue, portfolio=portfolio, address="0x1", currency="USDC"
        )
    Allocation.objects.create(strategy="turtle", account=made, capital=1_000, updated_at=NOW)
    for kind, key in (("portfolio", "paper"), ("account", "paper-1")):
        TradingState.objects.create(scope_kind=kind, scope_key=key, mode="active", changed_at=NOW)
    return made


def engage(scope=TURTLE, mode=TradingMode.HALTED, **changes):
    arguments = {"flatten": False, "reason": "test", "actor": "ann", "now": NOW}
    return vetoes.engage(scope=scope, mode=mode, **{**arguments, **changes})


def mode_of(strategy: str = "turtle") -> TradingMode:
    scope = GateScope("paper", "hyperliquid", "paper-1", strategy, "hyperliquid:BTC")
    return gate_modes([scope], NOW)[scope]


def test_engaging_halts_and_orders_the_cleaning_up(sent) -> None:
    engaged = engage(flatten=True)
    assert mode_of() is TradingMode.HALTED
    assert mode_of("other") is TradingMode.ACTIVE
    veto = Veto.objects.get()
    assert engaged.veto_ids == (veto.pk,)
    assert (veto.venue_id, veto.flatten, veto.epoch, veto.stage) == ("hyperliquid", True, engaged.epoch, "engaged")
    assert sent == ["hyperliquid"]
    assert TradingStateChange.objects.get().actor == "ann"
    assert RiskEvent.objects.get().kind == RiskEvent.Kind.VETO


def test_everything_reaches_every_venue_and_the_halt_file(sent, halt_file) -> None:
    engage(EVERYTHING, reason="flood")
    assert sent == ["hyperliquid", "other"]
    assert halt_file.read_text() == "halted flood\n"
    assert mode_of() is TradingMode.HALTED


@pytest.mark.parametrize(
    "scope", [("portfolio", "paper"), ("venue", "hyperliquid"), ("account", "paper-1"), TURTLE], ids=lambda s: s[0]
)
def test_a_scope_reaches_the_venues_it_trades_at_and_no_other(scope, sent, halt_file) -> None:
    engage(scope)
    assert sent == ["hyperliquid"]
    assert not halt_file.exists()


def test_engaging_again_is_another_halt_and_is_carried_out_again(sent) -> None:
    first, second = engage(), engage()
    assert second.epoch == first.epoch + 1
    assert Veto.objects.count() == 2


@pytest.mark.parametrize(
    "scope", [("strategy", "turtel"), ("account", "x"), ("venue", "x"), ("portfolio", "x"), ("instrument", "x:y")]
)
def test_a_misspelt_scope_is_refused_and_nothing_changes(scope, cache, sent, halt_file) -> None:
    with pytest.raises(InvalidValue, match=scope[1]):
        engage(scope)
    assert Veto.objects.count() == TradingStateChange.objects.count() == 0
    assert (cache.hash, sent, halt_file.exists()) == ({}, [], False)


def newcomers() -> list[str]:
    """Return what the floor above says there is besides those that have traded."""
    return ["newcomer"]


def test_a_strategy_that_never_traded_is_halted_before_it_does(sent, settings) -> None:
    settings.MOONDEV_STRATEGY_NAMES = f"{__name__}.newcomers"
    engaged = engage(scope=("strategy", "newcomer"))
    assert engaged.veto_ids == ()
    assert TradingState.objects.get(scope_kind="strategy", scope_key="newcomer").mode == TradingMode.HALTED
    with pytest.raises(InvalidValue, match="newcomer"):
        engage(scope=("strategy", "latecomer"))


def test_active_is_no_halt() -> None:
    with pytest.raises(InvalidValue, match="release"):
        engage(mode=TradingMode.ACTIVE)


def test_halts_without_redis(cache) -> None:
    cache.away = True
    assert engage().unreached == ("Redis",)
    assert mode_of() is TradingMode.HALTED


def test_halts_without_the_broker(monkeypatch) -> None:
    def down(*_: object, **__: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(vetoes, "send", down)
    assert engage().unreached == ("queue of hyperliquid",)
    assert mode_of() is TradingMode.HALTED
    assert Veto.objects.count() == 1


@pytest.mark.parametrize("error", [DatabaseError, InterfaceError])  # away, and a session that broke off
def test_without_the_database_file_and_redis_still_halt(error, monkeypatch, cache, halt_file) -> None:
    def down(_scope: object) -> None:
        raise error("away")

    monkeypatch.setattr(vetoes, "venues_of", down)
    with pytest.raises(error):
        engage(EVERYTHING)
    assert halt_file.exists()
    assert cache.hash == {b"everything:*": b"halted"}


def test_killed_at_any_step_of_engaging_nothing_trades_and_engaging_again_completes_it(
    monkeypatch, cache, halt_file
) -> None:
    """The file and Redis speak first; in SQL all of a halt is there or none of it."""
    at, died = 1, True
    while died:
        life = Life(at)
        with living(life, monkeypatch):
            engage(EVERYTHING, flatten=True)
        died = life.dead
        halted = TradingState.objects.filter(scope_kind="everything", mode="halted").exists()
        assert mode_of() is TradingMode.HALTED, at
        assert Veto.objects.count() == (2 if halted else 0), at
        engage(EVERYTHING, flatten=True)
        assert {veto.venue_id for veto in vetoes.open_vetoes(EVERYTHING)} == {"hyperliquid", "other"}
        for rows in (Veto, TradingState.objects.filter(scope_kind="everything"), RiskEvent):
            getattr(rows, "objects", rows).all().delete()
        cache.hash.clear()
        halt_file.unlink()
        at += 1
    assert at > 5


def finish() -> None:
    Veto.objects.update(done_at=NOW, stage=Veto.Stage.DONE)


def test_releasing_clears_every_voice(cache, halt_file) -> None:
    engage(EVERYTHING)
    finish()
    vetoes.release(scope=EVERYTHING, reason="over", actor="ann", now=NOW)
    assert (cache.hash, halt_file.exists()) == ({}, False)
    assert mode_of() is TradingMode.ACTIVE


def test_without_redis_nothing_is_released(cache, halt_file) -> None:
    engage(EVERYTHING)
    finish()
    cache.away = True
    with pytest.raises(Connectivity, match="nothing was released"):
        vetoes.release(scope=EVERYTHING, reason="over", actor="ann", now=NOW)
    assert halt_file.exists()
    assert TradingState.objects.get(scope_kind="everything").mode == TradingMode.HALTED


def test_a_halt_under_way_is_not_released() -> None:
    engage()
    with pytest.raises(InvalidValue, match="under way at hyperliquid"):
        vetoes.release(scope=TURTLE, reason="over", actor="ann", now=NOW)
    assert mode_of() is TradingMode.HALTED


@pytest.fixture
def engaged_meanwhile(monkeypatch, cache):
    """Let somebody halt the scope again, with flattening, after its release has begun and before it writes."""
    real, begun = vetoes.venues_of, []

    def late(scope):
        if not begun:
            begun.append(scope)
            engage(scope, flatten=True, reason="second operator")
        return real(scope)

    return lambda: monkeypatch.setattr(vetoes, "venues_of", late)


@pytest.mark.parametrize("release", [vetoes.release, vetoes.release_unfinished])
@pytest.mark.parametrize("halted_before", [True, False])
def test_a_halt_engaged_during_a_release_stands_in_every_voice(
    release, halted_before, engaged_meanwhile, cache, halt_file
) -> None:
    if halted_before:
        engage(EVERYTHING)
        finish()
    engaged_meanwhile()
    with pytest.raises(InvalidValue, match="halted again meanwhile"):
        release(scope=EVERYTHING, reason="over", actor="ann", now=NOW)
    assert TradingState.objects.get(scope_kind="everything").mode == TradingMode.HALTED
    assert cache.hash == {b"everything:*": b"halted"}
    assert halt_file.read_text() == "halted second operator\n"
    assert not RiskEvent.objects.filter(kind=RiskEvent.Kind.RELEASE).exists()
    assert {veto.flatten for veto in vetoes.open_vetoes(EVERYTHING)} == {True}


def test_a_halt_that_waits_for_a_release_speaks_in_every_voice_again(monkeypatch, cache, halt_file) -> None:
    """The release takes the first words of the halt out of Redis and the file; SQL lets the halt on only then."""
    real = vetoes.trading_state_set

    def after_a_release(**arguments):
        cache.hash.clear()
        halt_file.unlink()
        return real(**arguments)

    monkeypatch.setattr(vetoes, "trading_state_set", after_a_release)
    engage(EVERYTHING)
    assert cache.hash == {b"everything:*": b"halted"}
    assert halt_file.exists()


def test_a_refused_release_leaves_the_peak_that_was_broken(engaged_meanwhile) -> None:
    seed_limits("paper", actor="test", now=NOW)
    HighWaterMark.objects.create(
        scope_kind="portfolio", scope_key="paper", peak=1_000, peak_at=NOW, equity=700, funded=1_000, marked_at=NOW
    )
    engaged_meanwhile()
    with pytest.raises(InvalidValue, match="meanwhile"):
        vetoes.release(scope=("portfolio", "paper"), reason="over", actor="ann", now=NOW)
    assert HighWaterMark.objects.get().peak == 1_000
    assert mode_of() is TradingMode.HALTED


def test_a_halt_that_can_never_end_may_be_given_up() -> None:
    engage()
    vetoes.release_unfinished(scope=TURTLE, reason="venue closed down", actor="ann", now=NOW)
    assert mode_of() is TradingMode.ACTIVE


def test_releasing_one_scope_leaves_the_others_halted() -> None:
    engage()
    engage(("account", "paper-1"))
    finish()
    vetoes.release(scope=TURTLE, reason="over", actor="ann", now=NOW)
    assert mode_of() is TradingMode.HALTED


@pytest.mark.parametrize(("equity", "peak_after"), [(800, 800), (900, 1_000)])
def test_releasing_a_drawdown_halt_starts_a_new_peak(account, equity, peak_after) -> None:
    seed_limits("paper", actor="test", now=NOW)
    HighWaterMark.objects.create(
        scope_kind="strategy",
        scope_key="turtle",
        peak=1_000,
        peak_at=NOW,
        equity=equity,
        funded=1_000,
        marked_at=NOW,
    )
    engage()
    finish()
    vetoes.release(scope=TURTLE, reason="looked at", actor="ann", now=NOW + timedelta(seconds=1))
    assert HighWaterMark.objects.get().peak == Decimal(peak_after)


def test_status_says_what_every_voice_says(cache) -> None:
    engage(EVERYTHING, TradingMode.REDUCING)
    status = vetoes.status()
    assert {(s.scope_kind, s.mode) for s in status.states} == {
        ("everything", "reducing"),
        ("portfolio", "active"),
        ("account", "active"),
    }
    assert status.redis == ((EVERYTHING, TradingMode.REDUCING),)
    assert status.halt_file is TradingMode.REDUCING
    assert len(status.unfinished) == 2


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("everything", EVERYTHING),
        ("everything:*", EVERYTHING),
        ("strategy:turtle", TURTLE),
        ("instrument:hyperliquid:BTC", ("instrument", "hyperliquid:BTC")),
    ],
)
def test_reads_scopes(text, scope) -> None:
    assert parse_scope(text) == scope


@pytest.mark.parametrize("text", ["", "strategy", "strategy:", "planet:mars", "everything:turtle"])
def test_refuses_what_names_no_scope(text) -> None:
    with pytest.raises(InvalidValue, match="scope"):
        parse_scope(text)
