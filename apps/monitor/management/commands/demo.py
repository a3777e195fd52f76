"""``manage.py demo``: the whole platform on the mock exchange, with one command."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from apps.exchanges.mock.engine.feed.recording import describe, replay_start
from apps.monitor.demo.outage import read_outage
from apps.monitor.demo.paper import accounts_at, paper_secrets
from apps.monitor.demo.ports import Ports, busy_ports, ports_from_environment
from apps.monitor.demo.seed import new_login
from apps.monitor.demo.servers import demo_servers, environment_file
from apps.monitor.demo.venues import ALL, HOME, VENUES, DemoVenue, codes, venues_named
from moondev.commands import PromptCommand
from moondev.domain.clock import CLOCK_VARIABLE, LiveClock, ReplayClock
from moondev.domain.errors import TradingError
from moondev.servers.errors import ServiceError


class Command(PromptCommand):
    """Starts the servers, then runs ``demo_run`` in a process whose environment names them."""

    help = "Run every process on the mock exchange, show a live summary, and with --for print a final report."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how long, on which feed, how fast, at which venues, on which servers."""
        parser.add_argument("--for", dest="seconds", type=float, help="seconds of trading, then a report")
        parser.add_argument("--feed", type=Path, help="Parquet file of candles, trades or order books to replay")
        parser.add_argument("--speed", type=float, default=1.0, help="how many times as fast a replay runs")
        parser.add_argument("--venues", default=HOME, help=f"{ALL}, or some of {', '.join(VENUES)} (default {HOME})")
        parser.add_argument(
            "--outage", default="", help="venue:after:seconds, or a venue alone: it stops answering, and comes back"
        )
        parser.add_argument("--services", choices=["embedded", "real"], default="embedded")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until the time is over or a signal comes; exit with the run's code."""
        ports = ports_from_environment()
        try:
            _require_sense(options, ports)
        except TradingError as error:
            raise CommandError(str(error)) from error
        # From here on an end by SIGTERM passes through every ``finally``, as Ctrl-C does.
        signal.signal(signal.SIGTERM, _exit)
        halt_file = settings.RUN_DIR / "halt-demo"
        # Every run begins with an empty database: a halt that an earlier one left would bind without a reason.
        halt_file.unlink(missing_ok=True)
        # Nor does it go on counting where an earlier one stopped.
        if settings.MOONDEV_METRICS_DIR is not None:
            shutil.rmtree(settings.MOONDEV_METRICS_DIR, ignore_errors=True)
        try:
            with demo_servers(options["services"], settings.RUN_DIR, settings.BASE_DIR / ".services") as urls:
                shared = _shared(urls, ports, halt_file, venues_named(options["venues"]))
                _manage(["migrate", "--verbosity=0"], shared)
                shared[CLOCK_VARIABLE] = _clock(options)
                with environment_file(settings.RUN_DIR / "env", shared):
                    code = _run(options, shared)
        except (ServiceError, TradingError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            code = 128 + signal.SIGINT
        sys.exit(code)


def _require_sense(options: Mapping[str, Any], ports: Ports) -> None:
    """Refuse what cannot work before anything is started."""
    seconds, path, speed = options["seconds"], options["feed"], options["speed"]
    if seconds is not None and not 0 < seconds < float("inf"):
        raise CommandError(f"--for is {seconds}; allowed: seconds above 0")
    if not 1 <= speed <= 10_000:
        raise CommandError(f"--speed is {speed}; allowed: 1 to 10000")
    if path is None and speed != 1.0:
        raise CommandError("--speed needs --feed: the synthetic market runs in real time")
    if path is not None and not path.is_file():
        raise CommandError(f"--feed is {path}; there is no such file")
    if path is not None:
        describe(path)
    venues = venues_named(options["venues"])
    if options["outage"]:
        outage = read_outage(options["outage"], seconds)
        if outage.venue not in codes(venues):
            raise CommandError(f"--outage is at {outage.venue}; allowed: {', '.join(codes(venues))}")
    if busy := busy_ports(ports):
        raise CommandError("\n".join(busy))


def _shared(urls: Mapping[str, str], ports: Ports, halt_file: Path, venues: Sequence[DemoVenue]) -> dict[str, str]:
    """Return what every process of the run is told: servers, venues, mock exchange, paper keys."""
    return {
        **urls,
        **paper_secrets(accounts_at(venues)),
        "MOONDEV_VENUES": ",".join(codes(venues)),
        "MOCK_URL": f"http://localhost:{ports.mock}",
        "MOONDEV_HALT_FILE": str(halt_file),
        CLOCK_VARIABLE: "",
    }


def _clock(options: Mapping[str, Any]) -> str:
    """Return the run's clock: that of a recording starts where the recording's market starts, now."""
    if options["feed"] is None:
        return ""
    return ReplayClock(replay_start(options["feed"]), LiveClock().now(), options["speed"]).to_json()


def _run(options: Mapping[str, Any], shared: Mapping[str, str]) -> int:
    """Run the demo itself; hand every signal on, once, and wait for it to have stopped everything."""
    command = ["demo_run"]
    if options["seconds"] is not None:
        command += ["--for", str(options["seconds"])]
    if options["feed"] is not None:
        command += ["--feed", str(options["feed"].resolve()), "--speed", str(options["speed"])]
    command += ["--venues", options["venues"], "--outage", options["outage"]]
    login = new_login()
    environment = {**_inherited(), **shared, "MOONDEV_DEMO_LOGIN": f"{login.user}:{login.password}"}
    # A session of its own: Ctrl-C reaches only us, and we pass it on as one SIGTERM.
    run = subprocess.Popen(_python_manage(command), env=environment, start_new_session=True)
    try:
        return run.wait()
    except (KeyboardInterrupt, SystemExit):
        run.send_signal(signal.SIGTERM)
        run.wait()
        raise


def _inherited() -> dict[str, str]:
    """Return our own environment, with output unbuffered and the settings named."""
    settings_module = os.environ.get("DJANGO_SETTINGS_MODULE", "moondev.settings.dev")
    return {**os.environ, "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": settings_module}


def _manage(arguments: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(_python_manage(arguments), check=False, env={**_inherited(), **environment})
    if done.returncode != 0:
        raise CommandError(f"manage.py {arguments[0]} ended with code {done.returncode}")


def _python_manage(arguments: list[str]) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
