"""Searches on real rows: claims that race, workers that are killed, runs that are cancelled and taken up again."""

import os
import signal
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from apps.strategies.models import OPEN_TRIALS, OptimisationRun, Trial
from apps.strategies.optimise import local, working
from apps.strategies.optimise.leasing import LEASE, MOST_ATTEMPTS, LeaseLost, trial_claim, trials_release
from apps.strategies.optimise.proposing import trials_propose
from apps.strategies.optimise.report import report_html
from apps.strategies.optimise.services import (
    optimisation_cancel,
    optimisation_resume,
    optimisation_start,
    optimisations_resume,
)
from apps.strategies.optimise.terminal import run_text
from apps.strategies.optimise.trying import Tried
from apps.strategies.optimise.working import work
from moondev.domain.clock import FixedClock, LiveClock
from moondev.domain.errors import InvalidValue
from tests.integration.optimisation_world import FILE, environment, plan, write_bars

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120), pytest.mark.django_db(transaction=True)]
CLOCK = LiveClock()


@pytest.fixture
def shelf(tmp_path, settings):
    write_bars(tmp_path)
    settings.MOONDEV_DATA_DIR = tmp_path
    return tmp_path


def start(folder="", lanes=0, **fields):
    return optimisation_start(plan(folder, **fields), lanes=lanes, actor="tester", now=CLOCK.now())


def never():
    return False


def outcomes(run):
    return list(run.trials.order_by("number").values_list("number", "parameters", "status", "scores"))


def test_a_run_by_one_worker_tries_every_number_once_and_tells_what_it_found(shelf):
    run = start()
    assert work(run.pk, "one", CLOCK, never) is False
    run.refresh_from_db()
    assert (run.status, run.error) == ("done", "")
    assert list(run.trials.values_list("number", flat=True)) == list(range(24))
    assert set(run.trials.values_list("attempts", flat=True)) == {1}
    assert run.report["counts"]["done"] >= 12
    assert [fold["chosen"] is not None for fold in run.report["folds"]] == [True, True]
    # What was chosen for the first fold was found by its own study, which knew nothing later.
    assert Trial.objects.get(run=run, number=run.report["folds"][0]["chosen"]).study == 0
    assert run.report["luck"]["trials"] == run.report["counts"]["done"]
    text, page = run_text(run), report_html(run)
    assert "This is the figure to believe." in text
    assert "<polyline" in page
    assert FILE in page
    assert str(shelf) not in page
    assert "http" not in page


def test_many_claims_at_once_give_every_trial_to_one_worker(shelf):
    run = start(sampler="random", trials=60)
    OptimisationRun.objects.filter(pk=run.pk).update(status="running")
    assert trials_propose(run.pk) == 60
    taken, together = [], threading.Barrier(4)

    def claim_all(name):
        together.wait()
        while (claim := trial_claim(run.pk, name, CLOCK)) is not None:
            taken.append(claim.number)
            claim.finish(Tried("done"))
        connections.close_all()

    threads = [threading.Thread(target=claim_all, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(60))
    assert set(run.trials.values_list("status", "attempts")) == {("done", 1)}


def test_a_lapsed_lease_is_taken_over_and_its_late_result_dropped(shelf):
    run = start(sampler="random", trials=1)
    OptimisationRun.objects.filter(pk=run.pk).update(status="running")
    trials_propose(run.pk)
    clock = FixedClock(CLOCK.now())
    first = trial_claim(run.pk, "slow", clock)
    assert trial_claim(run.pk, "other", clock) is None
    clock.advance(LEASE + timedelta(seconds=1))
    second = trial_claim(run.pk, "other", clock)
    with pytest.raises(LeaseLost):
        first.finish(Tried("failed", "too late"))
    second.finish(Tried("done"))
    trial = run.trials.get()
    assert (trial.status, trial.worker, trial.attempts, trial.reason) == ("done", "other", 2, "")


def test_a_trial_that_kills_its_workers_is_given_up(shelf):
    run = start(sampler="random", trials=2)
    OptimisationRun.objects.filter(pk=run.pk).update(status="running")
    trials_propose(run.pk)
    for number in range(MOST_ATTEMPTS):
        assert trial_claim(run.pk, f"w{number}", CLOCK).number == 0
        assert trials_release(run.pk, f"w{number}") == 1
    assert trial_claim(run.pk, "next", CLOCK).number == 1
    assert run.trials.get(number=0).reason == "its worker died 3 times"


def test_a_cancelled_run_stops_its_workers_and_goes_on_where_it_was(shelf):
    run, whole = start(), start()
    work(whole.pk, "alone", CLOCK, never)
    steps = iter(range(1_000))
    assert work(run.pk, "one", CLOCK, lambda: next(steps) > 8) is True
    held = trial_claim(run.pk, "two", CLOCK)
    assert optimisation_cancel(run.pk, actor="tester", now=CLOCK.now())
    assert not optimisation_cancel(run.pk, actor="tester", now=CLOCK.now())
    with pytest.raises(LeaseLost):
        held.finish(Tried("done"))
    assert trial_claim(run.pk, "three", CLOCK) is None
    assert work(run.pk, "one", CLOCK, never) is False
    tried = run.trials.exclude(status__in=OPEN_TRIALS).count()
    assert 0 < tried < 24

    optimisation_resume(run.pk, lanes=0, now=CLOCK.now())
    work(run.pk, "one", CLOCK, never)
    run.refresh_from_db()
    assert run.status == "done"
    # Interrupted or not: the same trials with the same results.
    assert outcomes(run) == outcomes(whole)
    with pytest.raises(InvalidValue, match="not done"):
        optimisation_resume(run.pk, lanes=0, now=CLOCK.now())


def test_changed_data_or_code_end_a_run_with_the_reason(shelf):
    run, other = start(), start()
    write_bars(shelf, seed=4)
    from apps.strategies.optimise import ground

    ground._markets.cache_clear()
    work(run.pk, "one", CLOCK, never)
    run.refresh_from_db()
    assert run.status == "failed"
    assert "the data the run began with" in run.error
    OptimisationRun.objects.filter(pk=other.pk).update(code_hash="0" * 64)
    work(other.pk, "one", CLOCK, never)
    other.refresh_from_db()
    assert "the code the run began with" in other.error
    assert not Trial.objects.exclude(status="waiting").exists()


def test_what_raises_in_one_trial_does_not_end_the_run(shelf, monkeypatch):
    tried, real = [], working.try_point

    def fragile(the_plan, the_ground, point, on_progress):
        tried.append(point)
        if len(tried) == 3:
            raise ZeroDivisionError("odd parameters")
        return real(the_plan, the_ground, point, on_progress)

    monkeypatch.setattr(working, "try_point", fragile)
    run = start(sampler="random", trials=6)
    work(run.pk, "one", CLOCK, never)
    run.refresh_from_db()
    assert run.status == "done"
    assert run.trials.get(number=2).reason == "ZeroDivisionError: odd parameters"
    assert run.report["counts"]["failed"] == 1


def test_a_worker_process_that_is_killed_loses_no_trial_and_doubles_none(shelf, monkeypatch):
    alone = start(shelf)
    work(alone.pk, "alone", CLOCK, never)
    for name, value in environment(shelf).items():
        monkeypatch.setenv(name, value)
    run, killed = start(shelf), []

    def kill_one(now):
        if not killed and now.trials.filter(status="done").count() >= 4:
            held = now.trials.filter(status="running").first()
            if held is not None:
                victim = crew[0].processes[held.worker]
                os.kill(victim.pid, signal.SIGKILL)
                killed.append(held.worker)

    crew, real = [], local.Crew
    monkeypatch.setattr(local, "Crew", lambda *arguments: crew.append(real(*arguments)) or crew[0])
    monkeypatch.setattr(local, "LOOK_EVERY_S", 0.02)
    ended = local.run_here(run.pk, 2, kill_one)
    assert killed
    assert ended.status == "done"
    assert crew[0].started >= 3
    # Two processes and a death, or one process and none: the same numbers, parameters and results.
    assert outcomes(ended) == outcomes(alone)
    connection.close()


def test_a_run_nobody_works_at_is_sent_again(shelf, monkeypatch):
    from apps.strategies.optimise import services

    sent = []
    monkeypatch.setattr(services, "send_lanes", lambda run_id, lanes: sent.append((run_id, lanes)))
    run, here = start(lanes=2), start()
    assert optimisations_resume(CLOCK.now()) == 0
    later = CLOCK.now() + timedelta(minutes=11)
    assert optimisations_resume(later) == 1
    assert optimisations_resume(later) == 0
    assert sent == [(run.pk, 2), (here.pk, 0), (run.pk, 2)]
