"""Honesty checks from the command line: a table and a gate for people, JSON for programs, refusals before numbers."""

import json

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from apps.exchanges.market_data.history.series import table_of_bars
from apps.strategies.backtest.honesty.check import CheckCode
from apps.strategies.backtest.keeping import checks_get
from apps.strategies.models import BacktestRun, HonestyCheck, HonestyRequirement, OptimisationRun, Trial
from moondev.domain.clock import process_clock
from tests.unit.apps.strategies.backtest.runs import walk

pytestmark = pytest.mark.django_db
# Cheap ones: the backtest itself, and four more.
FEW = "fees,trade-order,random-entries"


@pytest.fixture
def bars(tmp_path):
    path = tmp_path / "bybit-linear_BTCUSDT_1h.parquet"
    pq.write_table(table_of_bars(walk(700)), path)
    return str(path)


def run(*arguments):
    """Run the command; return its exit code."""
    try:
        call_command("honesty", *arguments)
    except SystemExit as end:
        return end.code
    return 0


def test_it_prints_a_table_keeps_run_and_answers_writes_the_report_and_exits_by_the_gate(bars, tmp_path, capsys):
    report = tmp_path / "out.html"
    # A random walk has no edge.
    assert run("nadaraya_watson", "--data", bars, "--checks", FEW, "--report", str(report)) == 1
    out = capsys.readouterr().out
    for words in ("fees", "random-entries", "failed", "net at costs free", "Gate: closed.", "fees: too little past"):
        assert words in out
    kept = HonestyCheck.objects.order_by("pk")
    assert [row.check_code for row in kept] == ["fees", "trade-order", "random-entries"]
    assert kept[0].kind == "nadaraya_watson"
    assert kept[0].terms["costs"]["bybit-linear:BTCUSDT"]["taker_bps"] == 5.5
    stored = checks_get(BacktestRun.objects.get())
    assert [check.code for check in stored] == [CheckCode.FEES, CheckCode.TRADE_ORDER, CheckCode.RANDOM_ENTRIES]
    assert "random bars" in report.read_text(encoding="utf-8")


def test_it_speaks_json_and_need_not_keep_anything(bars, capsys):
    assert run("nadaraya_watson", "--data", bars, "--checks", "fees", "--json", "--no-store") == 1
    answer = json.loads(capsys.readouterr().out)
    (check,) = answer["checks"]
    assert (check["code"], check["passed"], check["backtests"]) == ("fees", True, 5)
    # It passed, on too few days to count.
    assert answer["lacking"][0]["why"] == "too little past"
    assert not HonestyCheck.objects.exists()


def test_an_open_gate_exits_with_nothing(bars, capsys):
    HonestyRequirement.objects.all().delete()
    for code in CheckCode:
        HonestyRequirement.objects.create(check_code=code, required=False)
    assert run("nadaraya_watson", "--data", bars, "--checks", "trade-order") == 0
    assert "Gate: open" in capsys.readouterr().out


@pytest.mark.parametrize(("told", "counted"), [((), 3), (("--trials", "1"), 3), (("--trials", "9"), 9)])
def test_stored_searches_count_as_tries_whatever_one_remembers(bars, told, counted):
    now = process_clock().now()
    search = OptimisationRun.objects.create(
        title="t", kind="nadaraya_watson", plan={}, size=3, code_hash="c", data_hash="d", asked_by="me", asked_at=now,
        sent_at=now,
    )  # fmt: skip
    for number in range(3):
        Trial.objects.create(run=search, number=number, parameters={}, seed=1, status="done")
    run("nadaraya_watson", "--data", bars, "--checks", "deflated-sharpe", *told)
    assert HonestyCheck.objects.get().terms["trials"]["count"] == counted


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--checks", "luck"), "checks is 'luck'; allowed: all, or some of look-ahead"),
        (("--trials", "0"), "trials is 0; allowed: 1 or more"),
        (("--budget", "0"), "budget is 0; allowed"),
        (("--grid", "window_bars=5"), "grid is 'window_bars=5'; allowed: NAME=[1,2,3]"),
        (("--grid", "windows=[5]"), "grid is 'windows'; allowed: interval"),
        (("--grid", "window_bars"), "NAME=VALUE"),
        (("--set", "window_bars=1"), "window_bars is 1; allowed"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_number(bars, arguments, words, capsys):
    with pytest.raises(CommandError) as refusal:
        run("nadaraya_watson", "--data", bars, *arguments)
    assert words in str(refusal.value)
    assert capsys.readouterr().out == ""
    assert not HonestyCheck.objects.exists()
    assert not BacktestRun.objects.exists()
