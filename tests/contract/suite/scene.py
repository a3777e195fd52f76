"""One venue as the suite sees it: a served mock with a quiet market, and clients from the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import requests

from apps.exchanges import registry
from apps.exchanges.capabilities import Capabilities
from apps.exchanges.mock.engine.api import InstrumentSpec, OrderSnapshot
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import ThreadedMock, venues_in_thread
from apps.exchanges.mock.venues import VENUES, mark_on_grid
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.ports import (
    Environment,
    ExecutionClient,
    MarketDataClient,
    MarketHandler,
    MarketSubscription,
    Stream,
    UserHandler,
    VenueConfig,
)
from moondev.domain.clock import LiveClock, milliseconds
from moondev.domain.decisions import RiskApproved
from moondev.domain.orders import CancelOrder, OrderReport, OrderStatus, PlaceOrder
from tests.contract.suite.numbers import RememberedNumbers
from tests.contract.suite.venue import Account, VenueUnderTest
from tests.contract.suite.waiting import until

T = TypeVar("T")

MARKS = {"BTC": Decimal(50_000), "ETH": Decimal(3_000)}
SPECS = (InstrumentSpec("BTC", 0, 5, 40), InstrumentSpec("ETH", 1, 4, 25))
QUOTES = (("BTC", "buy", "49990"), ("BTC", "sell", "50010"), ("ETH", "buy", "2999"), ("ETH", "sell", "3001"))
DEPOSIT = "100000"
# Far more than all tests of a module take.
QUOTED_SIZE = "40"


def soon() -> datetime:
    """Return when a request that nobody delays may lapse."""
    return LiveClock().now() + timedelta(seconds=30)


class VenueScene:
    """A venue that is being served. Every test opens accounts of its own, so none sees another's orders."""

    def __init__(self, venue: VenueUnderTest, mock: ThreadedMock) -> None:
        self.venue, self.mock = venue, mock
        address = mock.url.removeprefix("http://")
        self.config = VenueConfig(
            venue.mock,
            venue.protocol,
            Environment.PAPER,
            f"http://{address}{venue.rest_path}",
            f"ws://{address}{venue.websocket_path}",
        )
        self._numbers = count(1)
        for coin, side, price in QUOTES:
            self.quote(side, price, QUOTED_SIZE, coin=coin)

    @property
    def capabilities(self) -> Capabilities:
        """Return what the adapter says it can do."""
        return registry.capabilities(self.config.protocol)

    def key(self, coin: str = "BTC") -> str:
        """Return our key of the instrument."""
        return f"{self.config.code}:{self.venue.symbols[coin]}"

    def symbol(self, coin: str = "BTC") -> str:
        """Return the venue's name of the instrument."""
        return self.venue.symbols[coin]

    # what the mock is told
    def admin(self, path: str, /, **body: object) -> dict[str, Any]:
        """Tell the mock's control something about this venue."""
        answer = requests.post(f"{self.mock.url}/admin/{path}", json={"venue": self.venue.mock, **body}, timeout=5)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def quote(self, side: str, price: str, size: str, coin: str = "BTC") -> None:
        """Rest an order of the market's own."""
        self.admin("quote", coin=coin, side=side, price=price, size=size)

    def trade(self, side: str, price: str, size: str, coin: str = "BTC") -> None:
        """Let the market's own taker trade."""
        self.admin("trade", coin=coin, side=side, price=price, size=size)

    def fault(self, kind: str, /, **body: object) -> None:
        """Let something go wrong."""
        self.admin("faults", kind=kind, **body)

    def fault_when_placing(self, kind: str, /, **body: object) -> None:
        """Let something go wrong, once, with the next request that sends orders."""
        self.fault(kind, count=1, **self.venue.placing, **body)

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        requests.delete(f"{self.mock.url}/admin/faults", json={"venue": self.venue.mock}, timeout=5)

    def cut(self, stream: Stream) -> None:
        """Cut every stream of the venue, and wait until this one has noticed."""
        self.fault("ws_disconnect" if self.venue.sockets else "error_5xx")
        until(lambda: not stream.connected, "the stream down")
        self.heal()

    def stall(self, seconds: float) -> None:
        """Let nothing be heard for so long, though nothing breaks."""
        if self.venue.sockets:
            self.fault("ws_stall", value=seconds)
        else:
            self.fault("latency_ms", value=seconds * 1000, count=1)

    @contextmanager
    def mark_at(self, price: int, coin: str = "BTC") -> Iterator[None]:
        """Hold the mark at `price` for a while."""
        self.admin("mark", coin=coin, price=price)
        try:
            yield
        finally:
            self.admin("mark", coin=coin, price=int(MARKS[coin]))

    # what the mock knows
    def engine(self, work: Callable[[Exchange], T]) -> T:
        """Return what `work` makes of the engine, in its thread."""
        return self.mock.call(work, self.venue.mock)

    def requests_of(self, address: str) -> int:
        """Return how many signed requests that change something the venue has counted from an account."""
        body = {"venue": self.venue.mock}
        state = requests.get(f"{self.mock.url}/admin/state", json=body, timeout=5).json()
        counted = state["accounts"].get(address, {}).get("actions", {})
        return sum(kind["received"] for kind in counted.values())

    # our side
    def open_account(self, deposit: str = DEPOSIT) -> Account:
        """Open an account nobody else uses."""
        return self.venue.open_account(self, next(self._numbers), deposit)

    @contextmanager
    def trader(self, deposit: str = DEPOSIT, **changes: str) -> Iterator[Trader]:
        """Open an account and its client; `changes` are to the VenueConfig."""
        trader = Trader(self, self.open_account(deposit), replace(self.config, **changes))
        try:
            yield trader
        finally:
            trader.client.close()
            # The next test's book is the market's own again.
            self.engine(lambda engine: engine.cancel_all(trader.account.address))

    @contextmanager
    def reader(self) -> Iterator[MarketDataClient]:
        """Open a client for public reads."""
        client = registry.market_data_for(self.config)
        try:
            yield client
        finally:
            client.close()

    def market_stream(self, handler: MarketHandler, *wanted: MarketSubscription) -> Stream:
        """Return a public stream of `wanted`."""
        return registry.market_stream_for(self.config, wanted, handler)


class Trader:
    """One account with its client: what the platform would do, with its waiting."""

    def __init__(self, scene: VenueScene, account: Account, config: VenueConfig) -> None:
        self.scene, self.account, self.config = scene, account, config
        self.numbers = RememberedNumbers()
        self.instruments: dict[UUID, str] = {}
        self._nonces = count(milliseconds(LiveClock().now()))
        self.client: ExecutionClient = registry.client_for(config, account.credentials, self.numbers)

    def user_stream(self, handler: UserHandler) -> Stream:
        """Return the account's stream."""
        return registry.user_stream_for(self.config, self.account.credentials, handler, self.numbers)

    @property
    def nonce(self) -> int:
        """Return a nonce that was not used before."""
        return next(self._nonces)

    def send(self, *orders: PlaceOrder) -> list[OrderReport]:
        """Send orders as one request; return the answer as it is."""
        self.instruments |= {order.client_order_id: order.instrument for order in orders}
        return self.client.place([RiskApproved(order) for order in orders], self.nonce, soon())

    def place(self, *orders: PlaceOrder) -> list[OrderReport]:
        """Send orders, in as many requests as it takes, and return what became of them once that is settled."""
        reports: list[OrderReport] = []
        for start in range(0, len(orders), self.client.max_batch):
            reports += self.send(*orders[start : start + self.client.max_batch])
        return [self.settled(report) for report in reports]

    def settled(self, report: OrderReport) -> OrderReport:
        """Return the report, or what `order_status` says when this one does not settle it."""
        if report.status is not None:
            return report
        assert report.client_order_id is not None
        return self.known(report.client_order_id)

    def status(self, name: UUID) -> OrderReport | None:
        """Return what the venue says of an order in the suite's main instrument or in the one it was sent for."""
        key = self.instruments.get(name, f"{self.config.code}:{self.scene.symbol()}")
        return self.client.order_status(name, key)

    def known(self, name: UUID, *statuses: OrderStatus) -> OrderReport:
        """Return what the venue says of an order, once it has one of `statuses` (any, when none is given)."""
        return until(partial(self._heard, name, statuses), f"{name} is {', '.join(statuses) or 'known'}")

    def cancel(self, *orders: PlaceOrder) -> list[OrderReport]:
        """Cancel by client order id, as one request."""
        return self.client.cancel([_cancel_of(order) for order in orders], self.nonce)

    @property
    def requests(self) -> int:
        """Return how many requests that change something the venue has had from this account."""
        return self.scene.requests_of(self.account.address)

    @property
    def orders_held(self) -> list[OrderSnapshot]:
        """Return every order the engine has of the account, live or ended."""
        address = self.account.address
        return self.scene.engine(lambda engine: [*engine.open_orders(address), *engine.order_history(address)])

    def engine_positions(self) -> Mapping[str, Decimal]:
        """Return the positions the engine has of the account, by coin."""
        state = self.scene.engine(lambda engine: engine.account_state(self.account.address))
        return {position.coin: position.size for position in state.positions if position.size}

    def _heard(self, name: UUID, statuses: Sequence[OrderStatus]) -> OrderReport | None:
        report = self.status(name)
        if report is None or report.status is None or (statuses and report.status not in statuses):
            return None
        return report


def _cancel_of(order: PlaceOrder) -> CancelOrder:
    return CancelOrder(order.client_order_id, order.instrument, "test")


@contextmanager
def served(venue: VenueUnderTest) -> Iterator[VenueScene]:
    """Serve the mock of `venue` while the block runs."""
    clock = LiveClock()
    rules = VENUES[venue.mock]
    specs = [rules.spec(spec, MARKS[spec.coin]) for spec in SPECS]
    marks: Mapping[str, Decimal] = {spec.coin: mark_on_grid(spec, MARKS[spec.coin]) for spec in specs}
    options: Mapping[str, Any] = {"book_interval_ms": 20, "limits": False, **venue.wire}
    with ExitStack() as stack:
        engine = Exchange(specs, clock, marks, rules.engine())
        mock = stack.enter_context(venues_in_thread({venue.mock: engine}, clock, WireConfig(**options)))
        yield VenueScene(venue, mock)
