"""dYdX's adapter against the mock's chain: names that outlive a process, budgets that are asked, ends told honestly."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from apps.exchanges.adapters import Tools
from apps.exchanges.mock.threaded import ThreadedMock
from apps.exchanges.ports import Credentials, Environment, LiveOrder, UnreadOrder, VenueConfig
from apps.exchanges.short_ids import NoShortIds, PassingShortIds, ShortIds
from apps.exchanges.throttling import Lane, Unlimited
from apps.exchanges.venues.dydx.client import ACKNOWLEDGED, NO_ORDER, DydxClient
from apps.exchanges.venues.dydx.keys import address_of
from apps.exchanges.venues.dydx.market_data import DydxMarketData
from apps.exchanges.venues.dydx.statuses import LAPSED
from apps.risk.direct.accounts_file import DirectAccount
from apps.risk.direct.stop import DirectStop
from apps.risk.direct.stop import Tools as StopTools
from apps.risk.vetoes import AT_ONCE
from moondev.domain.clock import LiveClock, milliseconds
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Configuration, InvalidValue, NotSent, RateLimited, VenueRejected
from moondev.domain.orders import CancelOrder, OrderReport, OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side
from tests.contract.dydx_server import ADDRESS, OTHER, OTHER_KEY, ask, dydx_mock, fault, fund, indexer, wait_for
from tests.contract.suite.numbers import RememberedNumbers

pytestmark = pytest.mark.contract

INSTRUMENT = "dydx:BTC-USD"
D = Decimal
STOP = {
    "order_type": OrderType.STOP,
    "side": Side.SELL,
    "price": Price(D(44_000)),
    "trigger_price": Price(D(45_000)),
}


class Purse(Unlimited):
    """Lets everything pass and remembers what it cost; or, when `empty`, lets nothing pass."""

    def __init__(self) -> None:
        self.spent: list[tuple[dict[str, int], Lane]] = []
        self.empty = False

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
        if self.empty:
            raise RateLimited("nothing left", 1.0)
        self.spent.append((dict(cost), lane))


@pytest.fixture(scope="module")
def mock() -> Iterator[ThreadedMock]:
    with dydx_mock(limits=False) as running:
        yield running


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
def numbers() -> RememberedNumbers:
    return RememberedNumbers()


@pytest.fixture
def key(mock: ThreadedMock) -> str:
    """Open an account of the test's own; return its key."""
    key = uuid4().hex * 2
    fund(mock, key, "100000")
    return key


@pytest.fixture
def client(mock: ThreadedMock, purse: Purse, numbers: RememberedNumbers, key: str) -> Iterator[DydxClient]:
    with opened(mock, purse, numbers, key) as client:
        yield client
    mock.call(lambda engine: engine.cancel_all(address_of(key)))


def venue(mock: ThreadedMock) -> VenueConfig:
    url = f"{mock.url}/dydx"
    return VenueConfig("dydx", "dydx", Environment.PAPER, url, f"{url.replace('http', 'ws')}/v4/ws")


@contextmanager
def opened(
    mock: ThreadedMock, purse: Unlimited, numbers: ShortIds, key: str, address: str = ""
) -> Iterator[DydxClient]:
    """Open a client of the key's account, or of the one at `address`."""
    credentials = Credentials(address or address_of(key), key)
    client = DydxClient(venue(mock), credentials, Tools(LiveClock(), purse, numbers))
    yield client
    client.close()


def order(tif: TimeInForce = TimeInForce.GTC, at: int = 49_000, **changes: Any) -> PlaceOrder:
    fields: dict[str, Any] = {
        "client_order_id": uuid4(),
        "instrument": INSTRUMENT,
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "time_in_force": tif,
        "quantity": Quantity(D("0.01")),
        "price": Price(D(at)),
        "purpose": Purpose.OPENING,
        "signal_id": "s",
        "leg": "1",
    }
    return PlaceOrder(**(fields | changes))


def nonce() -> int:
    time.sleep(0.002)
    return milliseconds(LiveClock().now())


def soon(seconds: float = 20) -> datetime:
    return LiveClock().now() + timedelta(seconds=seconds)


def send(client: DydxClient, wanted: PlaceOrder, seconds: float = 20) -> OrderReport:
    (report,) = client.place([RiskApproved(wanted)], nonce(), soon(seconds))
    return report


def known(client: DydxClient, wanted: PlaceOrder, *statuses: OrderStatus) -> OrderReport:
    def look() -> OrderReport | None:
        report = client.order_status(wanted.client_order_id, INSTRUMENT)
        return report if report is not None and report.status in statuses else None

    return wait_for(look, f"{wanted.client_order_id} {statuses}")


def cancel(client: DydxClient, wanted: PlaceOrder) -> OrderReport:
    (report,) = client.cancel([CancelOrder(wanted.client_order_id, INSTRUMENT, "test")], nonce())
    return report


def test_an_acknowledgement_is_no_status_but_the_order_has_its_name_already(client: DydxClient) -> None:
    wanted = order()
    report = send(client, wanted)
    assert (report.status, report.reason) == (None, ACKNOWLEDGED)
    assert known(client, wanted, OrderStatus.OPEN).venue_order_id == report.venue_order_id
    for _ in range(5):
        resting = client.order_status(wanted.client_order_id)
        assert resting is not None
        assert resting.status is OrderStatus.OPEN, "nobody has cancelled it: there is no doubt"
    cancelled = cancel(client, wanted)
    assert (cancelled.status, cancelled.reason) == (None, ACKNOWLEDGED)
    # Until a block has carried the cancel, "open" would be as wrong as "cancelled".
    doubtful = client.order_status(wanted.client_order_id)
    assert doubtful is not None
    assert doubtful.status in (None, OrderStatus.CANCELLED)
    known(client, wanted, OrderStatus.CANCELLED)


def test_another_process_finds_and_cancels_an_order_by_its_stored_number(
    mock: ThreadedMock, client: DydxClient, numbers: RememberedNumbers, key: str
) -> None:
    wanted, stop = order(), order(**STOP)
    for one in (wanted, stop):
        send(client, one)
        known(client, one, OrderStatus.OPEN)
    with opened(mock, Unlimited(), numbers, key) as restarted:
        assert restarted.order_status(wanted.client_order_id, INSTRUMENT) is not None
        # Not a name this process knows: one look at the live orders tells of which kind it is.
        cancel(restarted, stop)
        cancel(restarted, wanted)
        for one in (wanted, stop):
            known(restarted, one, OrderStatus.CANCELLED)
    assert cancel(client, order()).reason == NO_ORDER, "an order that was never sent has no number"


def test_without_numbers_an_order_is_cancelled_by_the_venues_own_id(
    mock: ThreadedMock, client: DydxClient, key: str
) -> None:
    wanted = order()
    report = send(client, wanted)
    known(client, wanted, OrderStatus.OPEN)
    with opened(mock, Unlimited(), NoShortIds(), key) as direct:
        (live,) = [one for one in direct.live_orders() if one.venue_order_id == report.venue_order_id]
        assert live.client_order_id is None
        direct.cancel_resting([live], nonce())
        wait_for(lambda: direct.live_orders() == [], "no live order")
        with pytest.raises(Configuration):
            send(direct, order())
    # By name alone, and by a name nobody knows.
    named: LiveOrder = UnreadOrder("BTC-USD", str(report.venue_order_id), None, reduce_only=False)
    with opened(mock, Unlimited(), NoShortIds(), key) as fresh:
        (gone,) = fresh.cancel_resting([named], nonce())
        assert gone.status is None
        (unknown,) = fresh.cancel_resting([replace(named, venue_order_id=str(uuid4()))], nonce())
        assert unknown.reason == NO_ORDER
        (nameless,) = fresh.cancel_resting([replace(named, venue_order_id="")], nonce())
        assert "not sent" in nameless.reason


def test_an_immediate_order_that_found_nothing_ends_with_its_block_and_not_before(client: DydxClient) -> None:
    wanted = order(TimeInForce.IOC)
    send(client, wanted)
    # wire.md 1.4: the indexer's 404 means "never heard"; while a block may still carry the order, that is no end.
    assert client.order_status(wanted.client_order_id) is None
    ended = known(client, wanted, OrderStatus.EXPIRED)
    assert (ended.reason, ended.filled_quantity) == (LAPSED, Quantity(D(0)))


def test_costs_are_stated_before_anything_is_sent(client: DydxClient, purse: Purse, mock: ThreadedMock) -> None:
    send(client, order(TimeInForce.IOC, 50_100))
    stated = [cost for cost in purse.spent if "indexer" not in cost[0]]
    assert stated == [({"short_term": 1}, Lane.ORDINARY)]
    purse.spent.clear()
    reducing = order(TimeInForce.IOC, 49_900, side=Side.SELL, purpose=Purpose.REDUCING)
    send(client, reducing)
    resting = order()
    send(client, resting)
    known(client, resting, OrderStatus.OPEN)
    cancel(client, resting)
    assert [cost for cost in purse.spent if "indexer" not in cost[0]] == [
        ({"short_term": 1}, Lane.RESERVED),
        ({"stateful": 1, "stateful_block": 1}, Lane.ORDINARY),
    ]
    known(client, resting, OrderStatus.CANCELLED)
    questions = {lane for cost, lane in purse.spent if cost == {"indexer": 1}}
    assert questions == {Lane.RESERVED}, "what settles an order may use the last of the budget"
    seen = actions(mock)
    purse.empty = True
    for wanted in (order(), order(TimeInForce.IOC)):
        with pytest.raises(RateLimited):
            send(client, wanted)
    assert actions(mock) == seen


def actions(mock: ThreadedMock) -> int:
    """Return how many transactions the node has counted."""
    counts = mock.server.wires["dydx"].counts()["actions"]
    return sum(kind["received"] for kinds in counts.values() for kind in kinds.values())


def test_what_is_too_late_or_used_twice_is_refused(mock: ThreadedMock, client: DydxClient) -> None:
    send(client, order(TimeInForce.IOC, 50_100))
    before = actions(mock)
    for wanted in (order(), order(TimeInForce.IOC)):
        with pytest.raises(NotSent):
            send(client, wanted, seconds=-1)
        with pytest.raises(NotSent):
            send(client, wanted, seconds=0.2)
    assert actions(mock) == before
    used = nonce()
    client.place([RiskApproved(order())], used, soon())
    with pytest.raises(VenueRejected, match="nonce"):
        client.place([RiskApproved(order())], used, soon())


def test_the_same_order_sent_twice_is_there_once_and_not_called_rejected(client: DydxClient) -> None:
    wanted = order()
    send(client, wanted)
    known(client, wanted, OrderStatus.OPEN)
    again = send(client, wanted)
    assert again.status is None, "it rests: a report that says otherwise would bury it"
    assert "3005" in again.reason
    assert [one.client_order_id for one in client.live_orders()] == [wanted.client_order_id]


def test_a_question_that_fails_before_sending_sends_nothing(
    mock: ThreadedMock, client: DydxClient, purse: Purse
) -> None:
    before = actions(mock)
    fault(mock, "error_5xx", action="perpetualMarkets", count=1)
    with pytest.raises(NotSent):
        send(client, order())
    fault(mock, "drop_before", action="abci_info", count=1)
    with pytest.raises(NotSent):
        send(client, order())
    fault(mock, "error_5xx", action="account_info", count=1)
    with pytest.raises(NotSent):
        send(client, order())
    assert actions(mock) == before


def test_a_refused_order_is_told_in_the_chains_words_and_a_refused_account_by_an_error(
    mock: ThreadedMock, client: DydxClient, numbers: RememberedNumbers, key: str
) -> None:
    refused = send(client, order(quantity=Quantity(D(500))))
    assert refused.status is OrderStatus.REJECTED
    assert "collateralization" in refused.reason
    with opened(mock, Unlimited(), numbers, OTHER_KEY, address_of(key)) as stranger:
        assert stranger.signer_address == OTHER
        with pytest.raises(VenueRejected, match="pubKey"):
            send(stranger, order())
    for text in ("0x" + "1" * 40, ADDRESS.upper(), "cosmos1l3e9pgs3mmwuwrh95fecme0s0qtn2880ldp2yd", ADDRESS[:-1]):
        with pytest.raises(InvalidValue, match="account_address"), opened(mock, Unlimited(), numbers, key, text):
            pass


def test_a_stop_closes_what_the_mark_calls_for_although_the_chain_takes_no_resting_reduce_only_order(
    mock: ThreadedMock, client: DydxClient, key: str
) -> None:
    send(client, order(TimeInForce.IOC, 50_100))
    stop = order(**STOP, purpose=Purpose.PROTECTIVE)
    send(client, stop)
    known(client, stop, OrderStatus.OPEN)
    row = indexer(mock, "/orders", address=address_of(key), subaccountNumber=0, status="UNTRIGGERED")[0]
    assert (row["reduceOnly"], row["timeInForce"], row["orderFlags"]) == (True, "IOC", "32")
    mark = {"venue": "dydx", "coin": "BTC"}
    ask(f"{mock.url}/admin/mark", {**mark, "price": "44900"})
    known(client, stop, OrderStatus.FILLED)
    ask(f"{mock.url}/admin/mark", {**mark, "price": "50000"})
    assert [held for held in client.account_snapshot().positions if held.symbol == "BTC-USD"] == []


def test_an_account_is_cleared_without_a_database_by_numbers_that_pass(
    mock: ThreadedMock, client: DydxClient, key: str
) -> None:
    bought, resting = order(TimeInForce.IOC, 50_100), order()
    for wanted, status in ((bought, OrderStatus.FILLED), (resting, OrderStatus.OPEN)):
        send(client, wanted)
        known(client, wanted, status)
    said: list[str] = []
    account = DirectAccount("mine", address_of(key), "USDC", "KEY", venue(mock))
    with opened(mock, Unlimited(), PassingShortIds(), key) as direct:
        tools = StopTools(LiveClock(), time.sleep, said.append)
        assert DirectStop(account, direct, tools).run(closing=AT_ONCE, seconds=20), said
        assert direct.live_orders() == []
        assert direct.account_snapshot().positions == ()


def test_past_trades_and_funding_are_told_oldest_first(mock: ThreadedMock) -> None:
    reader = DydxMarketData(venue(mock), Tools(LiveClock()))
    trade = {"venue": "dydx", "coin": "ETH", "side": "buy", "price": "3001"}
    for size in ("0.1", "0.2"):
        ask(f"{mock.url}/admin/trade", {**trade, "size": size})
    mock.call(lambda engine: engine.pay_funding())
    now = LiveClock().now()
    trades = reader.trades("ETH-USD", now - timedelta(minutes=5), now + timedelta(seconds=5))
    assert [tick.size for tick in trades][-2:] == [0.1, 0.2]
    assert reader.trades("ETH-USD", now - timedelta(hours=2), now - timedelta(hours=1)) == []
    rates = reader.funding_history("ETH-USD", now - timedelta(hours=2), now + timedelta(hours=1))
    assert rates
    assert [rate.time_exchange for rate in rates] == sorted(rate.time_exchange for rate in rates)
    reader.close()
