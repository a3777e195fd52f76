"""Every preset is tried on something, and the table says what came of it, what was not run, and why."""

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from apps.exchanges.market_data.history.series import table_of_bars
from apps.strategies.backtest.requests.names import series_named
from apps.strategies.backtest.survey import run as survey
from apps.strategies.backtest.survey.cases import Case, cases
from apps.strategies.backtest.survey.run import outcomes
from apps.strategies.backtest.survey.table import counts, recordings, survey_page
from apps.strategies.registry import STRATEGIES, preset_names
from tests.unit.apps.strategies.backtest.runs import record, walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ohlcv").mkdir()
    pq.write_table(table_of_bars(walk(900)), tmp_path / "ohlcv" / "binance-usdm_BTCUSDT_1h_202301-202302.parquet")
    return tmp_path


def test_every_preset_of_the_library_has_a_case():
    tried = {(case.strategy, case.preset) for case in cases()}
    # A filter without a trained model is the strategy that it filters.
    kinds = {kind.name for kind in STRATEGIES if kind.__module__.startswith("apps.strategies.library.")}
    assert tried == {(kind, preset) for kind in kinds for preset in preset_names(kind)}
    assert {case.strategy for case in cases(["arbitrage"])} == {"arbitrage"}


def test_the_recordings_of_a_case_are_priced_in_one_currency():
    for case in cases():
        assert len({series_named(f"{name}_x").quote for name in case.recordings}) == 1, case


def test_what_is_recorded_is_run_and_what_is_not_says_so(folder):
    done = list(outcomes(cases(["nadaraya_watson"]), folder))
    ran = [one for one in done if one.record is not None]
    assert [one.case.preset for one in ran] == ["canonical", "original"]
    assert ran[0].record.facts.costs["binance-usdm:BTCUSDT"].taker_bps == 5.0
    assert all("recording is" in one.reason for one in done if one.record is None)


def test_the_page_has_a_line_for_every_run_and_says_what_it_shows(folder):
    page = survey_page(list(outcomes(cases(["nadaraya_watson"]), folder)))
    assert page.count("| nadaraya watson |") == 2
    assert "Of 1 runs of the presets `original`" in page
    assert "## What was not run" in page
    assert "okx-swap ETH-USDT-SWAP, 1h: recording is" in page
    assert "- In every run no spread and no slippage are charged" in page
    assert str(folder) not in page
    assert "&" not in page


def test_runs_are_counted_by_how_they_ended():
    lost, quiet = record(500), record(50, every=10_000)
    case = Case("turtle_trend", "original", ("a_BTCUSDT_1h",))
    found = counts([(case, lost), (case, quiet)])
    assert (found.runs, found.originals) == (2, 2)
    assert found.lost == sum(one.metrics.net < 0 for one in (lost, quiet))


def test_a_case_is_named_by_what_was_changed_and_what_it_ran_on():
    case = Case(
        "turtle_trend", "original", ("okx-swap_BTC-USDT-SWAP_1h", "okx-swap_ETH-USDT-SWAP_1h"), {"interval": "1h"}
    )
    assert case.name == "original (interval 1h)"
    assert recordings(case) == "okx-swap BTC-USDT-SWAP, ETH-USDT-SWAP, 1h"


def test_the_command_writes_the_page_and_a_report_for_each_line(folder, tmp_path, capsys, monkeypatch):
    out, reports = tmp_path / "out", tmp_path / "reports"
    monkeypatch.setattr(survey, "backtest_compute", lambda request, *_: record(200, title=request.title))
    call_command("backtest_all", data_dir=folder, out=out, reports=reports, only=["nadaraya_watson"])
    assert (out / "results.md").read_text(encoding="utf-8").startswith("# What the library's presets")
    assert len(list(reports.iterdir())) == 2
    assert "wrote results.md, and 2 reports" in capsys.readouterr().out
    with pytest.raises(CommandError, match="a folder of recorded bars"):
        call_command("backtest_all", data_dir=folder / "absent", out=out)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="none of the recordings"):
        call_command("backtest_all", data_dir=tmp_path / "empty", out=out, reports=reports, only=["arbitrage"])
