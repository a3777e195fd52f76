"""The report on real rows: what limits allow, what is used, and an exit code for monitors."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command

from apps.exchanges.models import Position
from apps.risk.management.commands import risk_report
from apps.risk.models import Allocation, HighWaterMark
from moondev.domain.clock import FixedClock
from tests.integration.limits_world import NOW, mark_equity, paper_account, three_instruments

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
D = Decimal


@pytest.fixture
def account(db, monkeypatch):
    made = paper_account()
    monkeypatch.setattr(risk_report, "process_clock", lambda: FixedClock(NOW))
    monkeypatch.setattr(risk_report, "market_cache", lambda: None)
    Allocation.objects.create(strategy="turtle", account=made, capital=10_000, updated_at=NOW)
    for kind, key, peak in (("portfolio", "paper", 100_000), ("strategy", "turtle", 10_000)):
        HighWaterMark.objects.create(
            scope_kind=kind, scope_key=key, peak=peak, peak_at=NOW, equity=peak, funded=peak, marked_at=NOW
        )
    btc = next(iter(three_instruments(made).values()))
    Position.objects.create(
        account=made, strategy="turtle", instrument=btc, quantity=D("0.1"), cost=5_000, updated_at=NOW
    )
    return made


def test_it_shows_use_headroom_and_what_trips_first(account, capsys):
    call_command("risk_report")
    told = capsys.readouterr().out
    assert "paper: equity 100,000.00 USDC, gross exposure 5,000.00" in told
    assert "share of one asset" in told
    assert "all prices -20%" in told
    assert "the first to trip at -30.0% in all prices: turtle: drawdown limit of the strategy" in told


def test_as_json_it_can_be_read_by_programs(account, capsys):
    call_command("risk_report", "--json")
    (book,) = json.loads(capsys.readouterr().out)
    assert D(book["equity"]) == 100_000
    assert {shock["shock"] for shock in book["shocks"]} >= {"all prices -5%", "every position 10% against itself"}


def test_it_ends_with_one_while_an_equity_is_not_known_or_a_limit_is_reached(account, capsys, monkeypatch):
    Position.objects.update(quantity=D("0.3"), cost=15_000)
    with pytest.raises(SystemExit):
        call_command("risk_report")
    assert "150%" in capsys.readouterr().out
    Position.objects.update(quantity=D("0.01"), cost=500)
    monkeypatch.setattr(risk_report, "process_clock", lambda: FixedClock(NOW + timedelta(hours=1)))
    with pytest.raises(SystemExit):
        call_command("risk_report")
    assert "not known" in capsys.readouterr().out
    mark_equity(account, NOW + timedelta(hours=1))
