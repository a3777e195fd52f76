"""The load of the sustained benchmark, in a process of its own: ``python -m tests.bench.load``.

Says ``ready``, waits for a line, records batches of IOC orders at a stated rate, prints one line of JSON, and stays
until its input ends, so that what it used can be read. It stands for the tick workers of a
platform whose strategies want this many orders; what a tick costs before it records is measured by the latency rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import django

BATCH = 50
# As many as the platform has tick workers: while one waits for a lock the other can go on.
WORKERS = 2
_FACTS_FOR_S = 1.0


def main() -> None:
    """Put the load on the platform that the environment names."""
    cli = argparse.ArgumentParser(prog="python -m tests.bench.load", description=__doc__)
    cli.add_argument("--rate", type=float, required=True, help="orders per second")
    cli.add_argument("--seconds", type=float, required=True)
    cli.add_argument("--mock-url", required=True)
    options = cli.parse_args()
    django.setup()
    _say("ready")
    sys.stdin.readline()
    _say(json.dumps(run(options.rate, options.seconds, options.mock_url)))
    sys.stdin.read()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run(rate: float, seconds: float, mock_url: str) -> dict[str, float]:
    """Record orders for so long; return how many were asked for and approved, and how late the last batch was."""
    batches, began = round(rate * seconds / BATCH), time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        shares = [(batches - worker + WORKERS - 1) // WORKERS for worker in range(WORKERS)]
        each = [
            pool.submit(_record, worker, share, rate / BATCH / WORKERS, mock_url) for worker, share in enumerate(shares)
        ]
        done = [future.result() for future in each]
    took = time.monotonic() - began
    approved, lag = sum(count for count, _ in done), max(lag for _, lag in done)
    return {"asked": batches * BATCH, "approved": approved, "seconds": took, "lag_s": lag}


def _record(worker: int, batches: int, per_second: float, mock_url: str) -> tuple[int, float]:
    """Record one worker's share, for its own accounts; return how many orders were approved, and the lag."""
    from apps.exchanges.models import Account, InstrumentRow
    from tests.bench.orders import TAKER, Desk, Market, known_facts
    from tests.bench.pace import paced

    instruments = list(InstrumentRow.objects.order_by("pk"))
    accounts = list(Account.objects.select_related("venue").order_by("pk"))[worker::WORKERS]
    desks = [Desk(account, instruments) for account in accounts]
    market, facts, fresh_until = Market.read(mock_url), known_facts(desks), time.monotonic() + _FACTS_FOR_S
    approved = 0

    def batch(number: int) -> None:
        nonlocal market, facts, fresh_until, approved
        if time.monotonic() > fresh_until:
            market, facts, fresh_until = market.newer(mock_url), known_facts(desks), time.monotonic() + _FACTS_FOR_S
        approved += desks[number % len(desks)].record(BATCH, TAKER, market, facts, run="load")

    lag = paced(batches, per_second, batch)
    return approved, lag


if __name__ == "__main__":
    main()
