"""The demo from the first process to the last line: start, seed, wait, watch, wind down, report."""

from __future__ import annotations

import logging
import logging.config
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from django.conf import settings

from apps.exchanges.market_data.cache import redis_client, state_key
from apps.exchanges.models import Account, DataWish
from apps.monitor.alerts.history.report import fired_by_rule
from apps.monitor.api.stream.sources.queue_lengths import QueueLengths
from apps.monitor.demo.mock_accounts import open_account, wait_for_mock
from apps.monitor.demo.outage import Breaker, Outage
from apps.monitor.demo.paper import accounts_at
from apps.monitor.demo.ports import Ports
from apps.monitor.demo.processes import TICK_SOURCES, mock_process, platform_processes
from apps.monitor.demo.report import Outcome
from apps.monitor.demo.screen import Frame, Screen, stdout_screen
from apps.monitor.demo.seed import Login, seed_demo
from apps.monitor.demo.snapshot import CpuTimes, Snapshot, read_cpu_times, take_snapshot, venue_states
from apps.monitor.demo.supervisor import Supervisor
from apps.monitor.demo.venue_totals import read_venues
from apps.monitor.demo.venues import DemoVenue, codes
from apps.monitor.demo.wind_down import cancel_and_wait, reconcile_and_compare, wait_for_ticks
from apps.monitor.health.deep import look_deep
from moondev.domain.clock import LiveClock, process_clock
from moondev.domain.errors import TradingError

_MOCK_TIMEOUT_S = 90.0
_READY_TIMEOUT_S = 120.0
_LOOK_EVERY_S = 0.5


class StopRequestedError(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM."""


class DemoFailedError(Exception):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for.

    ``seconds`` None: until stopped. ``feed`` None: the synthetic market. ``outage`` None: no venue goes down.
    """

    seconds: float | None
    feed: Path | None
    speed: float
    ports: Ports
    login: Login
    venues: tuple[DemoVenue, ...]
    outage: Outage | None = None


class Demo:
    """One run of the demo, in a process whose environment already names the servers."""

    def __init__(self, options: Options, screen: Screen) -> None:
        self._options = options
        self._screen = screen
        self._clock = process_clock()
        self._supervisor = Supervisor(environment=os.environ, folder=settings.BASE_DIR, logs=settings.RUN_DIR / "logs")
        self._queues = QueueLengths()
        self._began = time.monotonic()
        self._note = "starting"
        self._cpu: CpuTimes = read_cpu_times()
        self._next_look_at = 0.0
        self._breaker = None if options.outage is None else Breaker(settings.MOCK_URL, options.outage)

    def run(self) -> Outcome | None:
        """Run to the end; return the outcome, or None when the run was stopped before a report was due.

        Raises:
            DemoFailedError: something did not become ready.
        """
        try:
            with _stop_signals():
                return self._run()
        except StopRequestedError:
            self._screen.say("stopping ...")
            return None
        finally:
            # A second Ctrl-C must not leave anything running.
            with _signals_ignored():
                self._supervisor.stop()
                self._queues.__exit__(None, None, None)

    def _run(self) -> Outcome | None:
        self._start()
        self._wait_until_ready()
        began = self._began = time.monotonic()
        self._note = "trading"
        deadline = None if self._options.seconds is None else began + self._options.seconds
        while deadline is None or time.monotonic() < deadline:
            self._look()
            self._break(time.monotonic() - began)
            time.sleep(0.1)
        return self._finish(time.monotonic() - began)

    def _start(self) -> None:
        options = self._options
        self._supervisor.start([mock_process(options.ports, options.feed, codes(options.venues))])
        wait_for_mock(settings.MOCK_URL, timeout_s=_MOCK_TIMEOUT_S, alive=self._require_alive)
        for account in accounts_at(options.venues):
            open_account(settings.MOCK_URL, account, self._clock)
        names = seed_demo(
            mock_url=settings.MOCK_URL,
            login=options.login,
            clock=self._clock,
            speed=options.speed,
            venues=options.venues,
        )
        self._supervisor.start(platform_processes(settings.MOONDEV_VENUES, options.ports))
        for line in self._greeting(names):
            self._screen.say(line)

    def _greeting(self, strategies: list[str]) -> list[str]:
        ports, login = self._options.ports, self._options.login
        return [
            f"admin   http://localhost:{ports.web}/admin/   login {login.user} / {login.password}",
            f"flower  http://localhost:{ports.web}/flower/  the same login",
            f"mock    http://localhost:{ports.mock}          logs in {settings.RUN_DIR / 'logs'}",
            f"venues: {', '.join(codes(self._options.venues))}",
            f"strategies: {', '.join(strategies)}",
        ]

    def _require_alive(self) -> None:
        for sentence in self._supervisor.check():
            raise DemoFailedError(sentence)

    def _wait_until_ready(self) -> None:
        """Wait for the first market data in Redis and the first finished tick."""
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while not (_market_data_there() and take_snapshot().ticks):
            if time.monotonic() > deadline:
                raise DemoFailedError(
                    f"not ready in {_READY_TIMEOUT_S:.0f} s: market data {_market_data_there()}, "
                    f"ticks {take_snapshot().ticks}; see {settings.RUN_DIR / 'logs'}"
                )
            self._look()
            time.sleep(0.1)

    def _break(self, elapsed: float) -> None:
        """Let the outage that was asked for begin and end."""
        sentence = None if self._breaker is None else self._breaker.look(elapsed)
        if sentence is not None:
            self._screen.say(sentence)

    def _look(self) -> None:
        """Look after the processes, and now and then at the numbers."""
        for sentence in self._supervisor.check():
            self._screen.say(sentence)
        if time.monotonic() < self._next_look_at:
            return
        self._next_look_at = time.monotonic() + _LOOK_EVERY_S
        cpu = read_cpu_times()
        frame = Frame(
            elapsed_s=time.monotonic() - self._began,
            note=self._note,
            snapshot=take_snapshot(),
            queues=self._queues.read(),
            steal_percent=cpu.steal_percent_since(self._cpu),
            restarts=sum(self._supervisor.restarts.values()),
            venues=venue_states(),
        )
        self._cpu = cpu
        self._screen.show(frame)

    def _finish(self, duration_s: float) -> Outcome:
        self._note = "winding down"
        if self._breaker is not None:
            self._breaker.end()
        # While everything still runs.
        health = {part.component: part.state.value for part in look_deep(LiveClock().now())}
        self._supervisor.stop(TICK_SOURCES)
        drained = wait_for_ticks(self._look)
        drained = cancel_and_wait(self._clock, self._look) and drained
        self._note = "reconciling"
        comparisons = reconcile_and_compare(list(Account.objects.select_related("venue").order_by("pk")))
        snapshot: Snapshot = take_snapshot()
        return Outcome(
            snapshot=snapshot,
            comparisons=comparisons,
            duration_s=duration_s,
            restarts=self._supervisor.restarts,
            crashes=self._supervisor.crashes,
            drained=drained and snapshot.open_orders == 0,
            venues=read_venues(),
            health=health,
            alerts=fired_by_rule(),
        )


def run_demo(options: Options) -> int:
    """Run the demo on standard output; the last line is the report when a time was given. Return the exit code."""
    _log_to_file(settings.RUN_DIR / "logs")
    with ExitStack() as stack:
        screen = stack.enter_context(stdout_screen())
        try:
            outcome = Demo(options, screen).run()
        except (DemoFailedError, TradingError) as error:
            stack.close()
            sys.stderr.write(f"demo: {error}\n")
            return 1
    if outcome is None:
        return 0 if options.seconds is None else 130
    sys.stdout.write(outcome.to_json() + "\n")
    return 0 if outcome.succeeded else 1


def _log_to_file(folder: Path) -> None:
    """Send our own log lines where the children's go: on the terminal they would tear the live screen."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = {
        "class": "logging.FileHandler",
        "filename": str(folder / "demo.log"),
        "mode": "w",
        "formatter": "line",
    }
    logging.config.dictConfig({**settings.LOGGING, "handlers": {"stderr": handler}})


def _market_data_there() -> bool:
    """Return whether Redis holds a state of every instrument that a strategy wants."""
    wishes = DataWish.objects.select_related("instrument")
    keys = {state_key(wish.instrument.key) for wish in wishes}
    return bool(keys) and redis_client().exists(*keys) == len(keys)


@contextmanager
def _stop_signals() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into StopRequestedError while the block runs."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise StopRequestedError

    with _handlers(stop):
        yield


@contextmanager
def _signals_ignored() -> Iterator[None]:
    with _handlers(signal.SIG_IGN):
        yield


@contextmanager
def _handlers(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
