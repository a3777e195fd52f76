"""The stream process of the platform with a stopwatch in it: ``python -m tests.bench.flood.listener``.

Everything between socket and Redis is the platform's own code; added are one stamp per message and, when Redis has
said that a write is done, one sample for each message in it. Every second it prints a line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from array import array

import django

from tests.bench.flood.samples import histogram

django.setup()

from apps.exchanges.market_data.cache import Batch, MarketWriter, redis_client  # noqa: E402 - Django first
from apps.exchanges.market_data.service import run_until_signalled, venue_named  # noqa: E402
from apps.exchanges.market_data.stream import MarketStreamProcess  # noqa: E402
from apps.exchanges.ports import MarketEvent  # noqa: E402
from apps.exchanges.registry import market_data_for, market_stream_for  # noqa: E402
from moondev.domain.clock import process_clock  # noqa: E402
from tests.bench.plan import VENUE  # noqa: E402


class TimedWriter(MarketWriter):
    """Knows of every batch when its messages came."""

    arrivals: array[float] = array("d")
    taken: array[float] = array("d")

    def take(self) -> Batch:
        """Begin a new batch."""
        self.taken, self.arrivals = self.arrivals, array("d")
        return super().take()


class TimedProcess(MarketStreamProcess):
    """Measures from the handler's call to Redis's answer."""

    samples: array[float]

    def _take(self, event: MarketEvent) -> None:
        self.writer.arrivals.append(time.perf_counter())
        super()._take(event)

    def _written(self, batch: Batch, received_from: float | None, error: Exception | None) -> None:
        now = time.perf_counter()
        self.samples.extend([now - moment for moment in self.writer.taken])
        super()._written(batch, received_from, error)

    def _keep_house(self) -> None:
        super()._keep_house()
        taken, self.samples = self.samples, array("d")
        counts, worst = histogram(taken)
        said = {"at": time.time(), "messages": self.messages, "counts": counts, "worst": worst}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Listen until SIGTERM."""
    config = venue_named(VENUE).to_config()
    process = TimedProcess(
        VENUE,
        market_data_for(config),
        lambda subscriptions, handler: market_stream_for(config, subscriptions, handler),
        TimedWriter(redis_client()),
        process_clock(),
    )
    process.samples = array("d")
    run_until_signalled(process)


if __name__ == "__main__":
    main()
