"""A backtest is asked for, run once, told about, cancelled and found again; a run is kept whole."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from celery.exceptions import SoftTimeLimitExceeded

from apps.exchanges.market_data.history.series import table_of_bars
from apps.strategies.backtest import leasing, services
from apps.strategies.backtest.keeping import record_get, runs_get
from apps.strategies.backtest.leasing import LEASE, LeaseLost, lease_take
from apps.strategies.backtest.requests.request import BacktestRequest
from apps.strategies.models import BacktestArchive, BacktestRun, BacktestStatus
from apps.strategies.registry import preset
from apps.strategies.tasks import backtest as backtest_task
from moondev.domain.clock import FixedClock
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.backtest.runs import record, walk

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "bybit-linear_BTCUSDT_1h.parquet"


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """Return the messages that would have gone to research workers."""
    messages = []
    monkeypatch.setattr(services, "wake", lambda task, **arguments: messages.append((task, arguments)))
    return messages


@pytest.fixture
def shelf(tmp_path, settings):
    settings.MOONDEV_DATA_DIR = tmp_path
    pq.write_table(table_of_bars(walk(700)), tmp_path / NAME)
    return tmp_path


@pytest.fixture
def clock():
    return FixedClock(NOW)


def asked(**changed):
    values = preset("nadaraya_watson", "canonical").model_dump(mode="json")
    return BacktestRequest("nadaraya_watson", values, (NAME,), "canonical", **changed)


def queued(**changed):
    return services.backtest_request(asked(**changed), actor="ada", now=NOW)


def test_a_request_becomes_a_row_and_a_message(shelf, sent):
    run = queued()
    assert (run.status, run.title, run.asked_by) == ("queued", "nadaraya_watson, canonical", "ada")
    assert sent == [("strategies.backtest", {"run_id": run.pk})]


@pytest.mark.parametrize("changed", [{"data": ("absent.parquet",)}, {"parameters": {"bandwidth_bars": -1}}])
def test_a_request_that_cannot_be_run_leaves_no_row_and_no_message(shelf, sent, changed):
    with pytest.raises(InvalidValue):
        services.backtest_request(BacktestRequest(**{**_fields(), **changed}), actor="ada", now=NOW)
    assert not BacktestRun.objects.exists()
    assert sent == []


def _fields():
    one = asked()
    return {"kind": one.kind, "parameters": one.parameters, "data": one.data}


def test_a_run_is_computed_stored_and_read_again(shelf, clock):
    run = queued()
    backtest_task(run.pk)
    run.refresh_from_db()
    assert (run.status, run.error, run.progress, run.leased_until) == ("done", "", 1.0, None)
    kept = record_get(run)
    again = services.backtest_compute(asked(), shelf)
    assert kept.trades == again.trades
    assert kept.metrics == again.metrics
    assert kept.facts == again.facts
    assert kept.curve.equity.tolist() == again.curve.equity.tolist()
    assert run.code_hash == again.facts.code_hash
    assert again.metrics.trades > 0
    assert again.metrics.fees > 0


def test_a_run_is_not_run_twice(shelf, clock, monkeypatch):
    run = queued()
    services.backtest_run(run.pk, worker="one", clock=clock)
    first = BacktestRun.objects.get()
    monkeypatch.setattr(services, "backtest", lambda *_: pytest.fail("computed again"))
    services.backtest_run(run.pk, worker="two", clock=clock)
    assert BacktestRun.objects.get().lease == first.lease


def test_one_lease_holds_at_a_time_and_lapses(shelf, clock):
    run = queued()
    first = lease_take(run.pk, "one", clock)
    assert lease_take(run.pk, "two", clock) is None
    clock.advance(LEASE + timedelta(seconds=1))
    second = lease_take(run.pk, "two", clock)
    assert second is not None
    with pytest.raises(LeaseLost):
        first.finish(status=BacktestStatus.DONE)
    assert BacktestRun.objects.get().status == "running"
    second.finish(status=BacktestStatus.DONE)


def test_progress_is_stored_and_keeps_the_lease(shelf, clock, monkeypatch):
    monkeypatch.setattr(leasing, "TOLD_EVERY_S", 0.0)
    run = queued()
    lease = lease_take(run.pk, "one", clock)
    clock.advance(LEASE / 2)
    lease.progress(0.4)
    stored = BacktestRun.objects.get()
    assert (stored.progress, stored.leased_until) == (0.4, clock.now() + LEASE)


def test_a_cancelled_run_stops_at_its_next_word_and_keeps_nothing(shelf, clock, monkeypatch):
    monkeypatch.setattr(leasing, "TOLD_EVERY_S", 0.0)
    run, heard = queued(), []

    def cancelled_on_the_way(_loaded, _setting, _engine, on_progress):
        on_progress(0.1)
        assert services.backtest_cancel(run.pk, actor="ada", now=NOW)
        heard.append("cancelled")
        on_progress(0.2)
        pytest.fail("it went on")

    monkeypatch.setattr(services, "backtest", cancelled_on_the_way)
    services.backtest_run(run.pk, worker="one", clock=clock)
    stored = BacktestRun.objects.get()
    assert heard == ["cancelled"]
    assert (stored.status, stored.error) == ("cancelled", "cancelled by ada")
    assert not BacktestArchive.objects.exists()
    assert not services.backtest_cancel(run.pk, actor="ada", now=NOW)


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (InvalidValue("markets", "BTC", "also ETH"), "markets is 'BTC'; allowed: also ETH"),
        (SoftTimeLimitExceeded(), "longer than a worker may"),
        (ZeroDivisionError("of my own making"), "ZeroDivisionError: of my own making"),
    ],
)
def test_what_goes_wrong_is_stored_with_the_row(shelf, clock, monkeypatch, raised, words):
    def fails(*_):
        raise raised

    monkeypatch.setattr(services, "backtest", fails)
    run = queued()
    services.backtest_run(run.pk, worker="one", clock=clock)
    run.refresh_from_db()
    assert run.status == "failed"
    assert words in run.error


def test_data_that_vanished_or_went_bad_fail_the_run_before_any_number(shelf, clock):
    run = queued()
    (shelf / NAME).unlink()
    services.backtest_run(run.pk, worker="one", clock=clock)
    run.refresh_from_db()
    assert run.status == "failed"
    assert NAME in run.error
    assert run.metrics == {}


def test_lost_messages_and_dead_workers_are_found_again_once(shelf, sent, clock):
    waiting, taken, done = queued(), queued(), queued()
    lease_take(taken.pk, "one", clock)
    services.backtest_cancel(done.pk, actor="ada", now=NOW)
    sent.clear()
    assert services.backtests_resume(NOW + timedelta(minutes=1)) == 0
    later = NOW + services.PATIENCE + timedelta(seconds=1)
    assert services.backtests_resume(later) == 2
    assert services.backtests_resume(later) == 0
    assert [arguments["run_id"] for _, arguments in sent] == [waiting.pk, taken.pk]


def test_a_run_made_elsewhere_is_kept_without_its_paths(shelf):
    made = record(100)
    request = BacktestRequest("nadaraya_watson", {}, ("/home/ada/secret/BTC.parquet",))
    number = services.backtest_keep(made, request, actor="ada", began=NOW, now=NOW)
    run = BacktestRun.objects.get(pk=number)
    assert run.request["data"] == ["BTC.parquet"]
    assert "secret" not in str({**run.request, **run.facts})
    assert asdict(record_get(run).metrics) == asdict(made.metrics)


def test_runs_that_are_not_there_are_named(shelf):
    run = queued()
    assert runs_get([run.pk]) == [run]
    with pytest.raises(InvalidValue, match="987654"):
        runs_get([run.pk, 987654])
    with pytest.raises(InvalidValue, match="one that is done"):
        record_get(run)
