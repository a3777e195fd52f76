"""The kill switch and the guard on a real database against the mock venue, broker and Redis away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection

from apps.exchanges.models import (
    Account,
    EquityMark,
    InstrumentRow,
    Portfolio,
    Signer,
    TradingState,
    Venue,
    Veto,
)
from apps.exchanges.venues.hyperliquid.agents import address_of
from apps.risk import vetoes
from apps.risk.direct.accounts_file import read_file
from apps.risk.models import HighWaterMark, RiskEvent
from apps.risk.services import seed_limits
from apps.risk.vetoes import VETO_TASK
from moondev.celery import app
from moondev.domain.clock import LiveClock
from tests.integration.stop_world import ADDRESS, AGENT_KEY, Scene, trading_scene

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
D = Decimal


@pytest.fixture
def scene(settings, tmp_path, monkeypatch) -> Iterator[Scene]:
    """Serve a venue with a trading account, with rows for it; nobody answers for broker and Redis."""
    settings.MOONDEV_HALT_FILE = tmp_path / "halt"
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    vetoes.redis_nudges.cache_clear()
    monkeypatch.setitem(app.conf, "broker_url", "amqp://127.0.0.1:1//")
    # An earlier test's connection to a real broker would still be used.
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    monkeypatch.setenv("PAPER_1_KEY", AGENT_KEY)
    with trading_scene() as made:
        seed(made)
        yield made
    vetoes.redis_nudges.cache_clear()


def seed(scene: Scene) -> None:
    now = LiveClock().now()
    venue = Venue.objects.create(
        code="hyperliquid",
        protocol="hyperliquid",
        environment="paper",
        rest_url=scene.venue.rest_url,
        websocket_url=scene.venue.websocket_url,
    )
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    account = Account.objects.create(code="paper-1", venue=venue, portfolio=portfolio, address=ADDRESS, currency="USDC")
    for purpose in Signer.Purpose.values:
        Signer.objects.create(
            account=account, purpose=purpose, address=address_of(AGENT_KEY), secret_name="PAPER_1_KEY"
        )
    for listing in scene.client.instruments():
        item = listing.instrument
        InstrumentRow.objects.create(
            venue=venue,
            symbol=item.symbol,
            asset=item.asset,
            quote=item.quote,
            venue_asset_id=str(listing.venue_asset_id),
            tick=item.price_grid.tick,
            significant_figures=item.price_grid.significant_figures,
            lot=item.lot.value,
            min_notional=item.min_notional.value,
            max_leverage=item.max_leverage,
        )
    for kind, key in (("portfolio", "paper"), ("account", "paper-1")):
        TradingState.objects.create(scope_kind=kind, scope_key=key, mode="active", changed_at=now)
    seed_limits("paper", actor="test", now=now)


def modes() -> dict[str, str]:
    return {f"{s.scope_kind}:{s.scope_key}": s.mode for s in TradingState.objects.all()}


def test_direct_cancels_everything_without_broker_and_redis(scene, capsys) -> None:
    call_command("kill_switch", "engage", "--direct", "--reason", "test", "--timeout", "30")
    assert scene.state() == ({"BTC": D("0.5"), "ETH": D(-2)}, 0)
    assert modes()["everything:*"] == "halted"
    assert Veto.objects.get().stage == Veto.Stage.DONE
    said = capsys.readouterr().out
    assert "not reached: Redis" in said
    assert "not reached: queue of hyperliquid" in said
    assert "done:" in said


def test_direct_flattens_when_asked(scene) -> None:
    call_command("kill_switch", "engage", "--direct", "--flatten", "--scope", "account:paper-1", "--timeout", "30")
    assert scene.state() == ({}, 0)


def test_without_a_worker_the_command_says_so_and_the_halt_holds(scene) -> None:
    with pytest.raises(CommandError, match=r"hyperliquid \(engaged\).*Try --direct"):
        call_command("kill_switch", "engage", "--timeout", "1")
    assert modes()["everything:*"] == "halted"
    assert scene.state()[1] == 3


@pytest.mark.parametrize("scope", ["planet:mars", "account:nobody", "everything:btc"])
def test_a_scope_that_does_not_exist_is_refused_and_changes_nothing(scene, scope) -> None:
    with pytest.raises(CommandError, match="allowed"):
        call_command("kill_switch", "engage", "--scope", scope)
    assert modes() == {"portfolio:paper": "active", "account:paper-1": "active"}
    assert not Path(django_settings.MOONDEV_HALT_FILE).exists()


def test_release_without_redis_is_refused_and_the_halt_holds(scene) -> None:
    call_command("kill_switch", "engage", "--direct", "--timeout", "30")
    with pytest.raises(CommandError, match="Redis"):
        call_command("kill_switch", "release", "--reason", "over")
    assert modes()["everything:*"] == "halted"


def test_release_makes_active_and_status_shows_what_still_halts(scene, monkeypatch, capsys) -> None:
    call_command("kill_switch", "engage", "--direct", "--timeout", "30")
    call_command("kill_switch", "engage", "--direct", "--scope", "account:paper-1", "--timeout", "30")
    monkeypatch.setattr(vetoes.redis_nudges(), "release", lambda _scope: True)
    call_command("kill_switch", "release", "--reason", "over")
    assert modes()["everything:*"] == "active"
    capsys.readouterr()
    call_command("kill_switch", "status")
    said = capsys.readouterr().out
    assert "everything:* active" in said
    assert "account:paper-1 halted" in said


def test_the_guard_marks_what_the_venue_says_and_writes_down_how_to_reach_it(scene) -> None:
    call_command("risk_guard", "--once")
    mark, snapshot = EquityMark.objects.get(), scene.client.account_snapshot()
    assert mark.venue_equity == snapshot.equity.value
    high = HighWaterMark.objects.get(scope_kind="portfolio")
    assert (high.peak, high.equity) == (mark.venue_equity, mark.venue_equity)
    (account,) = read_file()
    assert (account.code, account.address, account.secret_name) == ("paper-1", ADDRESS, "PAPER_1_KEY")


def test_the_guard_stops_a_falling_portfolio_by_itself_without_broker_and_redis(scene) -> None:
    """A real process: it sees the fall, halts, finds no worker, and clears the venue with its own key."""
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "BROKER_URL": "amqp://127.0.0.1:1//",
        "MOONDEV_HALT_FILE": str(django_settings.MOONDEV_HALT_FILE),
        "PAPER_1_KEY": AGENT_KEY,
    }
    command = [sys.executable, "manage.py", "risk_guard", "--interval", "0.2"]
    guard = subprocess.Popen(command, env=environment, cwd=django_settings.BASE_DIR)
    try:
        wait_for(lambda: HighWaterMark.objects.filter(scope_kind="portfolio").exists())
        HighWaterMark.objects.filter(scope_kind="portfolio").update(peak=D(200_000))
        wait_for(lambda: modes().get("portfolio:paper") == "halted")
        wait_for(lambda: Veto.objects.filter(done_at__isnull=False).exists())
        assert scene.state() == ({}, 0)
        assert RiskEvent.objects.filter(kind=RiskEvent.Kind.BREACH).count() == 1
        assert Veto.objects.filter(scope_kind="portfolio").count() == 1
        guard.send_signal(signal.SIGTERM)
        assert guard.wait(timeout=15) == 0
    finally:
        if guard.poll() is None:
            guard.kill()
            guard.wait()


def test_the_veto_task_has_a_queue_of_its_own_per_venue() -> None:
    route = app.amqp.router.route({}, VETO_TASK, kwargs={"venue": "hyperliquid"})
    assert route["queue"].name == "vetoes.hyperliquid"


def database_url() -> str:
    """Return the address of the test database, for a process of its own."""
    at = connection.settings_dict
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def wait_for(holds, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def redis_up(monkeypatch):
    monkeypatch.setattr(vetoes.redis_nudges(), "release", lambda _scope: True)


def test_a_drill_on_paper_clears_the_account_lets_it_go_again_and_is_on_record(scene, redis_up, capsys) -> None:
    call_command("kill_switch", "drill", "--scope", "account:paper-1", "--flatten", "--direct", "--timeout", "30")
    assert scene.state() == ({}, 0)
    assert modes()["account:paper-1"] == "active"
    told = capsys.readouterr().out
    assert "drill with 3 orders and 2 positions: first cancel after" in told
    assert "nothing is left and nothing leaked" in told
    assert RiskEvent.objects.get(kind="drill").message in told


@pytest.mark.parametrize("scope", ["everything", "strategy:turtle", "account:nobody"])
def test_a_drill_needs_a_paper_account_or_portfolio(scene, scope) -> None:
    with pytest.raises(CommandError, match="allowed"):
        call_command("kill_switch", "drill", "--scope", scope, "--direct", "--timeout", "5")
    assert scene.state()[1] == 3


def test_a_drill_never_touches_real_money_nor_what_is_halted_already(scene) -> None:
    Venue.objects.update(environment="live")
    with pytest.raises(CommandError, match="paper accounts only"):
        call_command("kill_switch", "drill", "--scope", "portfolio:paper", "--direct", "--timeout", "5")
    Venue.objects.update(environment="paper")
    TradingState.objects.filter(scope_kind="account").update(mode="halted")
    with pytest.raises(CommandError, match="halted already"):
        call_command("kill_switch", "drill", "--scope", "account:paper-1", "--direct", "--timeout", "5")
    assert scene.state()[1] == 3
    assert not Veto.objects.exists()


def test_a_drill_that_is_not_done_in_time_leaves_the_halt_standing(scene) -> None:
    with pytest.raises(CommandError, match="not done after"):
        call_command("kill_switch", "drill", "--scope", "account:paper-1", "--timeout", "1")
    assert modes()["account:paper-1"] == "halted"
