"""Backtests from the command line: figures and reports for people, JSON for programs, refusals before numbers."""

import json
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from apps.exchanges.market_data.history.series import table_of_bars
from apps.exchanges.models import Account, InstrumentRow, Portfolio, Venue
from apps.strategies.models import BacktestRun
from apps.strategies.registry import preset
from apps.strategies.services import strategy_create
from moondev.domain.clock import process_clock
from tests.unit.apps.strategies.backtest.runs import walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def bars(tmp_path):
    path = tmp_path / "bybit-linear_BTCUSDT_1h.parquet"
    pq.write_table(table_of_bars(walk(700)), path)
    return str(path)


@pytest.fixture
def turtle(bars):
    """Return a strategy set up to trade bitcoin at Bybit."""
    venue = Venue.objects.create(
        code="bybit", protocol="bybit", environment="paper", rest_url="http://localhost:1/", websocket_url="ws://x",
        maker_fee_bps=Decimal(1), taker_fee_bps=Decimal(3),
    )  # fmt: skip
    portfolio = Portfolio.objects.create(code="paper", currency="USDT", environment="paper")
    account = Account.objects.create(code="p1", venue=venue, portfolio=portfolio, address="0x1", currency="USDT")
    instrument = InstrumentRow.objects.create(
        venue=venue, symbol="BTCUSDT", asset="BTC", quote="USDT", tick=Decimal("0.1"), lot=Decimal("0.001")
    )
    values = preset("turtle_trend", "fast").model_dump(mode="json")
    return strategy_create(
        slug="turtle-btc", kind="turtle_trend", parameters={**values, "interval": "1h"}, account=account,
        instruments=[instrument], actor="test", now=process_clock().now(), capital=Decimal(5_000),
        leverage=Decimal(2),
    )  # fmt: skip


def run(*arguments):
    call_command("backtest", *arguments)


def test_it_prints_figures_and_doubts_keeps_the_run_and_writes_the_report(bars, tmp_path, capsys):
    report = tmp_path / "out.html"
    run("nadaraya_watson", "--data", bars, "--report", str(report), "--from", "2023-01-10")
    out = capsys.readouterr().out
    for words in ("Net result", "maker 2 bp, taker 5.5 bp (the venue's lowest tier)", "Doubtful:", "Max drawdown"):
        assert words in out
    assert "Where the money went" in report.read_text(encoding="utf-8")
    kept = BacktestRun.objects.get()
    assert (kept.status, kept.request["data"]) == ("done", ["bybit-linear_BTCUSDT_1h.parquet"])
    assert kept.request["start"] == "2023-01-10T00:00:00+00:00"


def test_it_speaks_json_and_need_not_keep_anything(bars, capsys):
    run("nadaraya_watson", "--data", bars, "--no-store", "--json", "--set", "window_bars=60", "--maker-bps", "0")
    answer = json.loads(capsys.readouterr().out)
    assert answer["facts"]["parameters"]["window_bars"] == 60
    (instrument,) = answer["facts"]["instruments"]
    assert (instrument["key"], instrument["costs"]["maker_bps"]) == ("bybit-linear:BTCUSDT", 0)
    assert answer["metrics"]["trades"] > 0
    assert not BacktestRun.objects.exists()


def test_a_strategy_brings_its_parameters_money_and_its_venues_fees(turtle, bars, capsys):
    run("turtle-btc", "--data", bars)
    out = capsys.readouterr().out
    assert "bybit:BTCUSDT" in out
    assert "maker 1 bp, taker 3 bp (venue bybit)" in out
    kept = BacktestRun.objects.get()
    assert (kept.strategy, kept.parameters_version) == (turtle, 1)
    assert (kept.facts["capital"], kept.facts["leverage"]) == (5_000, 2)
    with pytest.raises(CommandError, match="no bars of bybit:BTCUSDT are kept"):
        run("turtle-btc")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("martingale",), "allowed: market_maker"),
        (("nadaraya_watson", "--preset", "secret"), "preset of nadaraya_watson is 'secret'"),
        (("nadaraya_watson", "--set", "window"), "NAME=VALUE"),
        (("nadaraya_watson", "--set", "window_bars=-1"), "window_bars is -1"),
        (("nadaraya_watson", "--set", "windows=1"), "windows"),
        (("nadaraya_watson", "--capital", "0"), "capital"),
        (("nadaraya_watson", "--taker-bps", "-3"), "taker_bps is -3"),
        (("nadaraya_watson", "--from", "soon"), "from is 'soon'"),
        (("turtle_trend", "--preset", "original"), "interval is '0:01:00'"),
    ],
)
def test_what_is_wrong_is_told_before_any_number(bars, capsys, arguments, words):
    with pytest.raises(CommandError) as refused:
        run(*arguments, "--data", bars)
    assert words in str(refused.value)
    assert capsys.readouterr().out == ""
    assert not BacktestRun.objects.exists()


def test_kept_runs_are_listed_shown_compared_and_cancelled(bars, tmp_path, capsys):
    for window in (60, 80):
        run("nadaraya_watson", "--data", bars, "--set", f"window_bars={window}")
    first, second = BacktestRun.objects.order_by("pk").values_list("pk", flat=True)
    capsys.readouterr()
    call_command("backtests", "list", "--kind", "nadaraya_watson")
    assert capsys.readouterr().out.count("canonical, changed") == 2
    call_command("backtests", "show", str(first))
    assert "Net result" in capsys.readouterr().out
    page = tmp_path / "both.html"
    call_command("backtests", "compare", str(first), str(second), "--report", str(page))
    assert "window_bars" in capsys.readouterr().out
    assert "side by side" in page.read_text(encoding="utf-8")
    with pytest.raises(CommandError, match="is done"):
        call_command("backtests", "cancel", str(first))
    with pytest.raises(CommandError, match="99999999"):
        call_command("backtests", "show", "99999999")
