"""A search on the research queue: a broker, a prefork worker, and one of its processes killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from apps.strategies.models import OptimisationRun, Trial
from apps.strategies.optimise.services import optimisation_start
from apps.strategies.optimise.working import work
from moondev.domain.clock import LiveClock
from tests.integration.optimisation_world import environment, plan, write_bars

PROJECT_ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.integration, pytest.mark.timeout(150), pytest.mark.django_db(transaction=True)]

PREFIX = "optimisation-test."
QUEUE = f"{PREFIX}research"
START = """
import django; django.setup()
from apps.strategies.models import OptimisationRun
from apps.strategies.optimise.lanes import send_lanes
send_lanes(OptimisationRun.objects.get().pk, 2)
"""
# A lease of a second: the test does not wait a minute for what a dead process held.
IMPATIENT = """
from datetime import timedelta
from apps.strategies.optimise import leasing
leasing.LEASE = timedelta(seconds=1)
"""


@contextmanager
def worker(env):
    command = [sys.executable, "-m", "celery", "-A", "moondev.celery", "worker", "-Q", QUEUE, "-P", "prefork"]
    command += ["-c", "2", "-I", "impatient", "--without-gossip", "--without-mingle", "-l", "WARNING"]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=env, start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def until(condition, look_after=None, seconds=60):
    """Wait, and every few seconds do what the beat would: wake workers for a run that nobody works at."""
    end, next_look = time.monotonic() + seconds, time.monotonic() + 5
    # Asked once a round: what holds for a moment need not hold when it is asked again.
    while not (holds := condition()) and time.monotonic() < end:
        if look_after is not None and time.monotonic() > next_look:
            look_after()
            next_look = time.monotonic() + 5
        time.sleep(0.02)
    assert holds, list(OptimisationRun.objects.values("status", "error", "lanes"))


def test_a_killed_worker_process_loses_no_trial_and_doubles_none(tmp_path, settings):
    write_bars(tmp_path)
    (tmp_path / "impatient.py").write_text(IMPATIENT)
    settings.MOONDEV_DATA_DIR = tmp_path
    clock = LiveClock()
    alone = optimisation_start(plan(trials=60), lanes=0, actor="tester", now=clock.now())
    work(alone.pk, "alone", clock, lambda: False)
    expected = list(alone.trials.order_by("number").values_list("number", "parameters", "status", "scores"))
    OptimisationRun.objects.all().delete()

    broker = os.environ["BROKER_URL"]
    env = {**os.environ, **environment(tmp_path, broker), "MOONDEV_QUEUE_PREFIX": PREFIX}
    env["PYTHONPATH"] = f"{PROJECT_ROOT}:{tmp_path}"
    run = optimisation_start(plan(trials=60), lanes=0, actor="tester", now=clock.now())
    OptimisationRun.objects.filter(pk=run.pk).update(lanes=2)

    def send():
        subprocess.run([sys.executable, "-c", START], cwd=PROJECT_ROOT, env=env, check=True, timeout=60)

    with worker(env) as parent:
        send()
        until(lambda: run.trials.filter(status="done").count() >= 5)
        until(lambda: Trial.objects.filter(run=run, status="running").exists() or _over(run), send)
        holder = Trial.objects.filter(run=run, status="running").values_list("worker", flat=True).first()
        children = [child.pid for child in psutil.Process(parent.pid).children()]
        victim = int(holder.rpartition(":")[2]) if holder else children[0]
        assert victim in children
        os.kill(victim, signal.SIGKILL)
        until(lambda: _over(run), send)
    run.refresh_from_db()
    assert (run.status, run.error) == ("done", "")
    assert list(run.trials.order_by("number").values_list("number", "parameters", "status", "scores")) == expected


def _over(run):
    return OptimisationRun.objects.get(pk=run.pk).status not in {"queued", "running"}
