"""What an adapter adds to the bare HTTP call: the same signed bytes, sent by the adapter and sent by hand.

The venue is the mock exchange, served in a thread of this process, so figures of wall time hold only beside each other;
the CPU is that of the calling thread alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import requests
from django.test.utils import override_settings

from moondev.domain.errors import NotSent
from moondev.domain.orders import PlaceOrder
from tests.bench.figures import Spread, ratio
from tests.bench.results import Row, Section
from tests.bench.servers import BenchError
from tests.contract.suite.orders import limit
from tests.contract.suite.scene import Trader, served
from tests.contract.suite.venue import VenueUnderTest, venues_under_test

ORDERS = 200
WARM_UP = 10
_TIMEOUT_S = 5.0


@dataclass(slots=True)
class Samples:
    """Wall milliseconds of each call, and CPU seconds of them all."""

    wall_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Measure one call."""
        cpu, wall = time.thread_time(), time.perf_counter()
        yield
        self.wall_ms.append((time.perf_counter() - wall) * 1000)
        self.cpu_s += time.thread_time() - cpu

    @property
    def cpu_ms(self) -> float:
        """Return the CPU milliseconds of one call."""
        return self.cpu_s * 1000 / len(self.wall_ms)

    def row(self, name: str, note: str) -> Row:
        """Return these samples as a line of the table."""
        return Row(name, Spread.of(self.wall_ms), cpu_ms=self.cpu_ms, note=note)


class _CaughtError(requests.exceptions.ConnectTimeout):
    """The request was caught on its way out; nothing left."""


def run() -> list[Section]:
    """Place orders at every venue of the contract suite, one by one and in the largest batches."""
    with override_settings(MOONDEV_RATE_LIMITS="off"):
        rows = [row for venue in venues_under_test() for row in _rows_of(venue)]
    setting = (
        f"{ORDERS} resting orders each way, in turn; CPU of the calling thread; the mock in the same process;"
        " requests not counted against budgets"
    )
    return [Section("adapters", setting, rows)]


def _rows_of(venue: VenueUnderTest) -> Iterator[Row]:
    with served(venue) as scene, scene.trader(deposit="10000000") as trader:
        bare, adapter = _singles(trader)
        overhead = ratio(adapter.cpu_ms, bare.cpu_ms)
        yield bare.row(f"{venue.name}: bare HTTP call", "the same signed request")
        yield adapter.row(f"{venue.name}: adapter", f"{overhead:.2f} x the bare call's CPU" if overhead else "")
        size = trader.client.max_batch
        if size > 1:
            batch = _batches(trader, size)
            yield batch.row(
                f"{venue.name}: adapter, {size} at once", f"{batch.cpu_ms / size:.2f} ms of CPU for one order"
            )


def _singles(trader: Trader) -> tuple[Samples, Samples]:
    """Send orders in turn by hand and by the adapter; return both samples."""
    bare, adapter = Samples(), Samples()
    # The first order asks for the list of instruments too.
    trader.send(_order(trader))
    with requests.Session() as session:
        session.trust_env = False
        for turn in range(WARM_UP + ORDERS):
            by_hand, by_adapter = (bare, adapter) if turn >= WARM_UP else (Samples(), Samples())
            prepared = _signed(trader, _order(trader))
            with by_hand.one():
                answer = session.send(prepared, timeout=_TIMEOUT_S, allow_redirects=False)
            answer.raise_for_status()
            order = _order(trader)
            with by_adapter.one():
                trader.send(order)
            _tidy(trader, turn)
    _require_taken(trader, 1 + 2 * (WARM_UP + ORDERS))
    return bare, adapter


def _require_taken(trader: Trader, sent: int) -> None:
    """Raise BenchError unless the venue has every order, once; a chain has them when the block has closed."""
    deadline = time.monotonic() + _TIMEOUT_S
    while (held := len(trader.orders_held)) < sent and time.monotonic() < deadline:
        time.sleep(0.1)
    if held != sent:
        raise BenchError(f"{trader.scene.venue.name} took {held} orders of {sent}")


def _batches(trader: Trader, size: int) -> Samples:
    samples = Samples()
    for turn in range(max(ORDERS // size, 5)):
        orders = [_order(trader) for _ in range(size)]
        with samples.one():
            trader.send(*orders)
        _tidy(trader, turn * size)
    return samples


def _order(trader: Trader) -> PlaceOrder:
    return limit(trader.scene.key())


def _tidy(trader: Trader, turn: int) -> None:
    """Clear the account now and then, so that no list of open orders grows with the run."""
    if turn % 20 == 0:
        trader.scene.engine(lambda engine: engine.cancel_all(trader.account.address))


def _signed(trader: Trader, order: PlaceOrder) -> requests.PreparedRequest:
    """Return the request with which the adapter would send `order`, caught before it leaves."""
    caught: list[requests.PreparedRequest] = []

    leave = requests.adapters.HTTPAdapter.send

    def catch(
        http: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, *details: Any, **options: Any
    ) -> requests.Response:
        if not _sends_orders(request):
            return leave(http, request, *details, **options)
        caught.append(request)
        raise _CaughtError

    with mock.patch.object(requests.adapters.HTTPAdapter, "send", catch):
        _expect_not_sent(lambda: trader.send(order))
    return caught[0]


def _sends_orders(request: requests.PreparedRequest) -> bool:
    """Return whether a request is more than a question; the chain's node takes transactions by GET."""
    return request.method != "GET" or "broadcast" in (request.url or "")


def _expect_not_sent(send: Callable[[], Sequence[object]]) -> None:
    try:
        send()
    except NotSent:
        return
    raise AssertionError("an order that was caught counts as sent")
