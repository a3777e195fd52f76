"""A file is saved: every process of every worker runs it at its next tick. Real workers, broker and dispatcher."""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from apps.strategies.authoring.source import source_of
from apps.strategies.models import StrategyEvent, StrategyRow, StrategySource, Tick, Trigger
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import Due, Enabled
from apps.strategies.services import strategy_create, strategy_enable
from moondev.celery import app
from moondev.domain.clock import LiveClock
from tests.integration.tick_world import REDIS_DATABASE, World, own_redis
from tests.support.own_strategies import fresh_catalogue, restarted
from tests.unit.apps.strategies.authoring.texts import idea

PROJECT_ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.integration, pytest.mark.timeout(180), pytest.mark.django_db(transaction=True)]
# Two machines: one runs two processes and has no folder of strategies, the other runs one.
PROCESSES = {"one": 2, "two": 1}
SYMBOLS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA")
NAP = "import time; time.sleep(0.05)"


@contextmanager
def running(environment, *command):
    """Run a process of the platform while the block runs."""
    process = subprocess.Popen([sys.executable, *command], cwd=PROJECT_ROOT, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def environment(folder):
    """Return an environment whose database is the test's and whose folder of strategies is `folder`."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path="/" + connection.settings_dict["NAME"])
    cache = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{REDIS_DATABASE}")
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "moondev.settings.dev",
        "DATABASE_URL": database.geturl(),
        "REDIS_URL": cache.geturl(),
        "MOONDEV_STRATEGIES_DIR": str(folder),
        "PYTHONPATH": str(PROJECT_ROOT),
    }


def worker(name, processes, folder):
    options = ["-Q", "ticks", "-P", "prefork", "-c", str(processes), "-n", f"{name}@%h", "-l", "WARNING"]
    options += ["--prefetch-multiplier=1", "--without-gossip", "--without-mingle"]
    return running(environment(folder), "-m", "celery", "-A", "moondev.celery", "worker", *options)


class Ticking:
    """Makes strategies due over and over, and remembers which process ran which version first, and when."""

    def __init__(self, rows):
        self._due = [Enabled(row.pk, "interval", 60, row.book_move_bps, row.priority, 60_000, 1) for row in rows]
        self._numbers, self._clock = count(), LiveClock()

    def until(self, what, done, seconds=60.0):
        """Tick until `done`; return the seconds that took."""
        began = time.monotonic()
        while not done():
            assert time.monotonic() - began < seconds, f"waited {seconds} s for {what}; {self.seen()}"
            number, now = next(self._numbers), self._clock.now()
            # Who was slow travels alone: with fewer ticks in a message every process gets some.
            StrategyRow.objects.update(overruns=1)
            dispatch([Due(one, "manual", f"{one.strategy_id}-{number}", now) for one in self._due], self._clock)
            time.sleep(0.05)
        return time.monotonic() - began

    @staticmethod
    def seen():
        """Return which versions each process has run."""
        found = defaultdict(set)
        for lease, code_hash in Tick.objects.filter(status="done").values_list("lease", "code_hash"):
            found[lease.partition("/")[0]].add(code_hash)
        return found

    def processes(self, code_hash):
        """Return the processes that have run a version."""
        return {process for process, hashes in self.seen().items() if code_hash in hashes}


def save(folder, text):
    (folder / "holder.py.part").write_text(text)
    (folder / "holder.py.part").rename(folder / "holder.py")


def hash_of(text):
    return source_of("holder.py", {"holder.py": text}).code_hash


def test_a_saved_file_runs_in_every_process_of_every_worker(tmp_path, monkeypatch, settings):
    folder = tmp_path / "strategies"
    folder.mkdir()
    fresh_catalogue(monkeypatch, settings, folder)
    client = own_redis()
    with app.connection_for_write() as link:
        app.amqp.queues["ticks"](link.default_channel).declare()
        app.amqp.queues["ticks"](link.default_channel).purge()
    first, second = hash_of(idea(decide=NAP)), hash_of(idea(decide=NAP, tag="second"))
    save(folder, idea(decide=NAP))
    with ExitStack() as stack:
        stack.enter_context(running(environment(folder), "manage.py", "dispatcher"))
        for name, processes in PROCESSES.items():
            stack.enter_context(worker(name, processes, folder if name == "two" else tmp_path / "nowhere"))
        world = World(client, SYMBOLS)
        world.clock = LiveClock()
        ticking = Ticking([])
        ticking.until("the dispatcher to find the strategy", StrategySource.objects.filter(current=True).exists)
        rows = [row(world, symbol) for symbol in SYMBOLS]
        ticking = Ticking(rows)
        ticking.until("every process", lambda: len(ticking.processes(first)) == sum(PROCESSES.values()))
        everybody = ticking.processes(first)

        save(folder, idea(decide=NAP, tag="second"))
        took = ticking.until("the second version everywhere", lambda: ticking.processes(second) >= everybody)
        print(f"\nsaved -> first tick with it in each of {len(everybody)} processes: {took:.1f} s")  # noqa: T201  asked for
        assert ticking.processes(second) == everybody

        # A broken one changes nothing but what operators are told.
        save(folder, "def broken(:")
        ticking.until("the report", StrategyEvent.objects.filter(kind="code_broken").exists)
        last = Tick.objects.latest("pk").pk
        ticking.until("ticks after it", lambda: Tick.objects.filter(pk__gt=last, status="done").count() >= len(rows))
        after = Tick.objects.filter(pk__gt=last, status="done")
        assert set(after.values_list("code_hash", flat=True)) == {second}

        (folder / "holder.py").unlink()
        (folder / "notes.py").write_text("")
        ticking.until("the pause", lambda: not StrategyRow.objects.filter(paused_reason="").exists())
    client.close()
    restarted()
    # What was made due by force afterwards, past the dispatcher, is told why it cannot be.
    paused, gone = "the strategy was paused, disabled or changed", "Configuration: strategy is 'holder'; allowed: "
    failures = Tick.objects.filter(status="failed").values_list("error", flat=True)
    assert [error for error in failures if not error.startswith((paused, gone))] == []


def row(world, symbol):
    made = strategy_create(
        slug=f"holder-{symbol.lower()}",
        kind="holder",
        parameters={},
        account=world.account,
        instruments=[world.instruments[symbol]],
        actor="test",
        now=world.clock.now(),
        capital=10_000,
        trigger=Trigger.INTERVAL,
        cadence_seconds=3_600,
        deadline_ms=60_000,
    )
    return strategy_enable(made.pk, actor="test", now=world.clock.now())
