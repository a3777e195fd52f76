"""``python -m tests.bench``: run the benchmarks, print a table, write JSON under bench-results/."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import FrameType

from tests.bench.plan import VENUE, WorldPlan, floor_accounts
from tests.bench.results import Section
from tests.bench.servers import PROJECT, BenchError, Servers, own_databases

NAMES = (
    "ingestion",
    "latency",
    "sustained",
    "limited",
    "kill-switch",
    "breach",
    "five-venues",
    "readings",
    "review",
    "lines",
    "truth",
    "adapters",
    "api",
    "websockets",
    "scrape",
    "page",
    "mock",
    "authoring",
    "optimise",
    "engines",
    "replay",
    "quotes",
)
# Run in processes of their own, without broker, database or cache.
SERVERLESS = frozenset({"engines", "replay", "quotes"})
MOST_ACCOUNTS = 8
Runs = Mapping[str, Callable[[], list[Section]]]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for. `seconds` is how long each load lasts."""

    only: Sequence[str]
    seconds: float
    queued: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; return the exit code."""
    signal.signal(signal.SIGTERM, _exit)
    options = _options(arguments)
    try:
        if SERVERLESS.issuperset(options.only):
            return _measure(options, _serverless(options))
        servers = Servers.from_environment()
        _prepare(servers)
        with own_databases(servers):
            return _measure(options, {**_with_servers(options, servers), **_serverless(options)})
    except BenchError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1


def _options(arguments: Sequence[str] | None) -> Options:
    cli = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    cli.add_argument("--only", action="append", choices=NAMES, help="run this one; repeatable (default: all)")
    cli.add_argument("--seconds", type=float, default=60.0, help="how long each load lasts (default 60)")
    cli.add_argument("--queued", type=int, default=20_000, help="orders queued before the kill switch (default 20000)")
    cli.add_argument("--quick", action="store_true", help="10 seconds and 2000 queued orders: does it run at all?")
    given = cli.parse_args(arguments)
    if not 1 <= given.seconds <= 3_600:
        cli.error(f"--seconds is {given.seconds}; allowed: 1 to 3600")
    if not 100 <= given.queued <= 100_000:
        cli.error(f"--queued is {given.queued}; allowed: 100 to 100000")
    seconds, queued = (10.0, 2_000) if given.quick else (given.seconds, given.queued)
    return Options(tuple(given.only or NAMES), seconds, queued)


def _prepare(servers: Servers) -> None:
    """Point this process and all it starts at our database and cache, then wake Django."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "moondev.settings.dev",
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "BROKER_URL": servers.broker_url,
        "MOONDEV_VENUES": VENUE,
        "MOONDEV_CLOCK": "",
        "MOONDEV_LIVE_TRADING": "",
        "MOONDEV_HALT_FILE": str(PROJECT / "bench-results" / "run" / "halt"),
        "PYTHONUNBUFFERED": "1",
    }
    import django

    django.setup()
    from apps.monitor.demo.paper import PaperAccount, paper_secrets

    codes = (*WorldPlan(accounts=MOST_ACCOUNTS, coins=1).account_codes, *floor_accounts())
    os.environ |= paper_secrets([PaperAccount(code, Decimal(0)) for code in codes])


def _serverless(options: Options) -> Runs:
    from tests.bench import engines, quotes, replay

    return {"engines": lambda: engines.run(options.seconds), "replay": replay.run, "quotes": quotes.run}


def _with_servers(options: Options, servers: Servers) -> Runs:
    from tests.bench import (
        adapters,
        api,
        authoring,
        breach,
        five_venues,
        kill_switch,
        latency,
        lines,
        mock_rate,
        optimise,
        page,
        readings,
        review,
        scrape,
        sustained,
        truth,
    )
    from tests.bench.flood import run as flood
    from tests.bench.websockets import run as websockets

    return {
        "ingestion": lambda: flood.run(servers, options.seconds),
        "latency": lambda: latency.run(servers, options.seconds),
        "sustained": lambda: sustained.run(servers, options.seconds, limits=False),
        "limited": lambda: sustained.run(servers, options.seconds, limits=True),
        "kill-switch": lambda: kill_switch.run(servers, options.queued),
        "breach": lambda: breach.run(servers, options.queued),
        "five-venues": lambda: five_venues.run(servers),
        "readings": lambda: readings.run(servers, options.queued),
        "review": review.run,
        "lines": lines.run,
        "truth": lambda: truth.run(servers),
        "adapters": adapters.run,
        "api": lambda: api.run(servers, min(20.0, options.seconds)),
        "websockets": lambda: websockets.run(servers, options.seconds),
        "scrape": lambda: scrape.run(servers, min(30.0, options.seconds)),
        "page": lambda: page.run(servers),
        "mock": mock_rate.run,
        "authoring": lambda: authoring.run(servers, options.seconds),
        "optimise": lambda: optimise.run(servers, min(200, int(4 * options.seconds))),
    }


def _measure(options: Options, runs: Runs) -> int:
    from moondev.domain.clock import process_clock
    from tests.bench.results import table_of, write_json

    began = process_clock().now()
    path = PROJECT / "bench-results" / f"{began:%Y%m%dT%H%M%SZ}.json"
    sections: list[Section] = []
    failed = False
    for name in options.only:
        sys.stderr.write(f"bench: {name} ...\n")
        try:
            found = runs[name]()
        except BenchError as error:
            # What was measured before is worth keeping, and the others may yet succeed.
            sys.stderr.write(f"bench: {name}: {error}\n")
            failed = True
            continue
        sections += found
        sys.stdout.write(table_of(found) + "\n")
        sys.stdout.flush()
        write_json(path, sections, began)
    sys.stdout.write(f"\nwritten to {path.relative_to(PROJECT)}\n" if sections else "")
    return 1 if failed else 0


def _exit(number: int, _frame: FrameType | None) -> None:
    """End by SIGTERM through every ``finally``, as Ctrl-C does."""
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
