"""The demo while a venue falls silent, and on a recording: the same command, other markets.

Apart from the demo's other tests, so that they may run beside each other.
"""

import pytest

from tests.support.demo_runs import RECORDING, demo, environment_of, report_of, started_by

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


@pytest.fixture
def environment(tmp_path):
    return environment_of(tmp_path)


def test_an_outage_of_one_venue_moves_new_risk_and_leaves_no_trace_in_the_books(environment):
    with demo(environment, "--for", "32", "--venues", "binance,bybit", "--outage", "binance:8:12") as run:
        output, _ = run.communicate(timeout=350)
    assert run.returncode == 0, output
    assert "binance stops answering for 12 s" in output
    assert "binance answers again" in output
    assert "binance down" in output.partition("stops answering")[2]
    report = report_of(output)
    assert set(report["venues"]) == {"binance", "bybit"}
    for venue in report["venues"].values():
        assert venue["fills"] > 0
        assert venue["ledger_minus_venue"] == 0
    # Somebody would have been told.
    assert report["alerts"]["venue-down"] > 0
    # What quotes at Binance went on at the venue that stands in for it.
    assert report["venues"]["bybit"]["stood_in"] > 0
    assert report["open_orders"] == 0
    assert not any(report["restarts"].values())
    assert started_by(environment) == []


@pytest.mark.skipif(not RECORDING.is_file(), reason="needs the recorded candles beside the project")
def test_a_recording_is_replayed_at_speed(environment):
    with demo(environment, "--for", "20", "--feed", str(RECORDING), "--speed", "120") as run:
        output, _ = run.communicate(timeout=300)
    assert run.returncode == 0, output
    report = report_of(output)
    assert report["ledger_minus_venue"] == 0
    assert report["fills"] > 0
    assert started_by(environment) == []
