"""``manage.py demo``: the whole platform on the mock exchange, with one command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.exchanges.mock.engine.feed.recording import replay_start
from apps.monitor.demo.paper import ACCOUNTS, paper_secrets
from apps.monitor.demo.ports import Ports, busy_ports, ports_from_environment
from apps.monitor.demo.seed import new_login
from apps.monitor.demo.servers import demo_servers
from moondev.domain.clock import CLOCK_VARIABLE, LiveClock, ReplayClock
from moondev.domain.errors import TradingError
from moondev.servers.errors import ServiceError


class Command(BaseCommand):
    """Starts the servers, then runs ``demo_run`` in a process whose environment names them."""

    help = "Run every process on the mock exchange, show a live summary, and with --for print a final report."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how long, on which feed, how fast, on which servers."""
        parser.add_argument("--for", dest="seconds", type=float, help="seconds of trading, then a report")
        parser.add_argument("--feed", type=Path, help="Parquet file of candles, trades or order books to replay")
        parser.add_argument("--speed", type=float, default=1.0, help="how many times as fast a replay runs")
        parser.add_argument("--services", choices=["embedded", "real"], default="embedded")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until the time is over or a signal comes; exit with the run's code."""
        ports = ports_from_environment()
        _require_sense(options, ports)
        # From here on an end by SIGTERM passes through every ``finally``, as Ctrl-C does.
        signal.signal(signal.SIGTERM, _exit)
        try:
            with demo_servers(options["services"], settings.RUN_DIR, settings.BASE_DIR / ".services") as urls:
                environment = _environment(urls, ports)
                _manage(["migrate", "--verbosity=0"], environment)
                code = _run(options, environment)
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
    if busy := busy_ports(ports):
        raise CommandError("\n".join(busy))


def _environment(urls: Mapping[str, str], ports: Ports) -> dict[str, str]:
    """Return what every process of the run shares: servers, clock, paper keys, login."""
    login = new_login()
    return {
        **os.environ,
        **urls,
        **paper_secrets(ACCOUNTS),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "moondev.settings.dev"),
        "MOCK_URL": f"http://localhost:{ports.mock}",
        "FLOWER_BASIC_AUTH": f"{login.user}:{login.password}",
        CLOCK_VARIABLE: "",
    }


def _run(options: Mapping[str, Any], environment: dict[str, str]) -> int:
    """Run the demo itself; hand every signal on, once, and wait for it to have stopped everything."""
    command = ["demo_run"]
    if options["seconds"] is not None:
        command += ["--for", str(options["seconds"])]
    if options["feed"] is not None:
        path = options["feed"].resolve()
        clock = ReplayClock(replay_start(path), LiveClock().now(), options["speed"])
        environment = {**environment, CLOCK_VARIABLE: clock.to_json()}
        command += ["--feed", str(path), "--speed", str(options["speed"])]
    # A session of its own: Ctrl-C reaches only us, and we pass it on as one SIGTERM.
    run = subprocess.Popen(_python_manage(command), env=environment, start_new_session=True)
    try:
        return run.wait()
    except (KeyboardInterrupt, SystemExit):
        run.send_signal(signal.SIGTERM)
        run.wait()
        raise


def _manage(arguments: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(_python_manage(arguments), check=False, env=environment)
    if done.returncode != 0:
        raise CommandError(f"manage.py {arguments[0]} ended with code {done.returncode}")


def _python_manage(arguments: list[str]) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
