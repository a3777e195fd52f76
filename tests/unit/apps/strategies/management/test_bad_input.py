"""Bad input through the commands that people type: refused before any number, or flagged above the figures."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from apps.exchanges.market_data.history.series import table_of_bars
from apps.strategies.models import BacktestRun, HonestyCheck
from apps.strategies.orchestrator.loader import Loaded
from tests.unit.apps.strategies.backtest.honesty.test_look_ahead import Burglar
from tests.unit.apps.strategies.backtest.honesty.toys import ToyParameters
from tests.unit.apps.strategies.backtest.runs import walk

pytestmark = pytest.mark.django_db
KIND = "nadaraya_watson"
CHEAP = {"backtest": (), "honesty": ("--checks", "trade-order")}


def table(count=500):
    return table_of_bars(walk(count))


def put(rows, name, row, value):
    column = rows[name].to_numpy().copy()
    column[row] = value
    return rows.set_column(rows.schema.get_field_index(name), name, pa.array(column))


def renamed(rows):
    names = {"open": "low", "low": "open"}
    return rows.rename_columns([names.get(name, name) for name in rows.column_names])


def in_seconds(rows):
    return rows.set_column(0, rows.column_names[0], pa.array(rows[0].to_numpy() // 1000))


STAMP = table(2).column_names[0]
REFUSED = {
    "a duplicate": (lambda: put(table(), STAMP, 7, table()[STAMP].to_numpy()[6]), "DUPLICATE"),
    "another order": (lambda: table().take(pa.array([1, 0, *range(2, 500)])), "ORDER"),
    "off the grid": (lambda: put(table(), STAMP, slice(None), table()[STAMP].to_numpy() + 60_000), "OFF_GRID"),
    "another unit": (lambda: in_seconds(table()), "UNIT"),
    "mislabelled columns": (lambda: renamed(table()), "MISLABELLED"),
    "no number": (lambda: put(table(), "close", 12, np.nan), "row 12"),
    "one bar": (lambda: table(1), "1 bars"),
}


@pytest.fixture
def file(tmp_path):
    """Return what writes rows into a file named as its market and returns the path."""

    def write(rows, symbol="BTCUSDT"):
        path = tmp_path / f"bybit-linear_{symbol}_1h.parquet"
        pq.write_table(rows, path)
        return str(path)

    return write


def refusal(command, kind, *arguments):
    with pytest.raises(CommandError) as refused:
        call_command(command, kind, *arguments, *CHEAP[command])
    assert not BacktestRun.objects.exists()
    assert not HonestyCheck.objects.exists()
    return str(refused.value)


@pytest.mark.parametrize("command", CHEAP)
@pytest.mark.parametrize(("make", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_bars_that_make_every_number_wrong_are_refused_with_what_and_where(command, make, words, file, capsys):
    told = refusal(command, KIND, "--data", file(make()))
    assert words in told
    assert "bybit-linear_BTCUSDT_1h" in told
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", CHEAP)
def test_mixed_currencies_and_parameters_out_of_range_are_refused(command, file, capsys):
    both = ("--data", file(table()), "--data", file(table(), "ETHUSDC"))
    assert "quote currency" in refusal(command, KIND, *both)
    assert "window_bars is 5" in refusal(command, KIND, "--data", file(table()), "--set", "window_bars=5")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", CHEAP)
def test_a_past_without_one_bar_of_those_looked_at_is_refused(command, file, capsys):
    told = refusal(command, "turtle_trend", "--data", file(table(20)))
    assert "'20 bars of 1h'; allowed: enough for one bar of 1d; turtle_trend asks for 356" in told
    assert capsys.readouterr().out == ""


def test_missing_bars_and_a_short_past_are_flagged_among_the_doubts(file, capsys):
    rows = table()
    holed = pa.concat_tables([rows.slice(0, 300), rows.slice(303)])
    call_command("backtest", KIND, "--data", file(holed), "--no-store")
    assert "GAP" in capsys.readouterr().out.partition("Doubtful:")[2]
    call_command("backtest", KIND, "--data", file(table(300)), "--no-store")
    doubtful = capsys.readouterr().out.partition("Doubtful:")[2]
    assert "TOO_LITTLE_HISTORY: bybit-linear:BTCUSDT has 300 bars of 1h, nadaraya_watson asks for 421" in doubtful


def test_a_strategy_that_peeks_is_refused_by_the_backtest_and_fails_the_check(file, capsys, monkeypatch):
    def peeking(kind, parameters):
        return Loaded(Burglar(), ToyParameters(length=5), "c0de")

    monkeypatch.setattr("apps.strategies.backtest.requests.setting.load", peeking)
    told = refusal("backtest", KIND, "--data", file(table(200)))
    assert "strategy toy is 'at 2023-01-0" in told
    assert "decide wants weight of bybit-linear:BTCUSDT" in told
    assert "allowed: one that decides by what it is shown" in told
    assert capsys.readouterr().out == ""
    with pytest.raises(SystemExit):
        call_command("honesty", KIND, "--data", file(table(200)), "--checks", "look-ahead", "--budget", "6")
    out = capsys.readouterr().out
    assert "failed" in out
    assert "once it is shown copies of the same bars" in out
