"""The direct stop: one surprise costs one step of one account, never the stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.exchanges.ports import Environment, UnreadOrder, VenueConfig
from apps.exchanges.venue_types import AccountSnapshot, Listing, PositionSnapshot
from apps.risk.direct import stop as direct_stop
from apps.risk.direct import without_database
from apps.risk.direct.accounts_file import DirectAccount
from apps.risk.direct.stop import DirectStop, Tools
from apps.risk.direct.without_database import stop_without_database
from apps.risk.vetoes import AT_ONCE, Closing
from moondev.domain.clock import FixedClock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity
from moondev.domain.instruments import Instrument
from moondev.domain.orders import OrderReport, OrderStatus, PlaceOrder, TimeInForce
from moondev.domain.values import Money, Price, Quantity, SignedQuantity
from tests.support.deaths import Killed, Life, mortal

D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
VENUE = VenueConfig("hyperliquid", "hyperliquid", Environment.PAPER, "http://127.0.0.1:1", "ws://127.0.0.1:1")


class StubClient:
    """A venue that lists BTC, holds what the test says and closes what it is asked to."""

    max_batch = 20

    def __init__(self, instrument: Instrument, **held: str) -> None:
        self.listing = Listing(instrument, 0)
        self.held = {symbol: D(quantity) for symbol, quantity in held.items()}
        self.orders_error: Exception | None = None
        self.asked = 0

    def live_orders(self) -> list[object]:
        self.asked += 1
        if self.orders_error:
            raise self.orders_error
        return []

    def account_snapshot(self) -> AccountSnapshot:
        nothing = Money(D(0), "USDC")
        positions = [
            PositionSnapshot(
                symbol, SignedQuantity(quantity), None, Price(D(100)), Money(quantity * 100, "USDC"), nothing, 1
            )
            for symbol, quantity in self.held.items()
            if quantity
        ]
        return AccountSnapshot(nothing, nothing, nothing, tuple(positions), None, NOW)

    def instruments(self) -> list[Listing]:
        return [self.listing]

    def place(self, orders: Sequence, nonce: int, expires_at: datetime) -> list[object]:
        for order in orders:
            symbol = order.request.instrument.partition(":")[2]
            self.held[symbol] += order.request.quantity.value * order.request.side.sign
        return []


def account(code: str = "paper-1") -> DirectAccount:
    return DirectAccount(code, "0x1", "USDC", "KEY", VENUE)


def stop(client: StubClient, closing: Closing = AT_ONCE) -> tuple[bool, list[str]]:
    said: list[str] = []
    tools = Tools(FixedClock(NOW), lambda _: None, said.append)
    return DirectStop(account(), client, tools).run(closing=closing, seconds=0.2), said


def test_a_position_without_rules_is_named_and_the_others_are_closed(instrument) -> None:
    client = StubClient(instrument, GONE="3", BTC="-0.5")
    clear, said = stop(client)
    assert not clear
    assert client.held == {"GONE": 3, "BTC": 0}
    assert said[0] == "paper-1: 3 GONE is not closed: the venue states no rules for it; close it by hand"
    assert said.count("paper-1: closing 1 positions") == 1


@pytest.mark.parametrize("error", [KeyError("a word nobody knows"), Connectivity("timed out")])
def test_orders_that_cannot_be_read_keep_no_position_open(instrument, error) -> None:
    client = StubClient(instrument, BTC="0.5")
    client.orders_error = error
    clear, said = stop(client)
    assert not clear
    assert client.held == {"BTC": 0}
    assert client.asked > 1
    assert any(str(error) in line for line in said)


def test_an_account_is_clear_once_the_surprise_is_over(instrument) -> None:
    client = StubClient(instrument, BTC="0.5")
    answer = client.live_orders

    def only_once() -> list[object]:
        client.live_orders = answer
        raise KeyError("odd")

    client.live_orders = only_once
    assert stop(client)[0]


def test_one_account_that_fails_hides_no_other(instrument, monkeypatch) -> None:
    client = StubClient(instrument, BTC="0.5")

    def client_for(venue: VenueConfig, credentials: object, *_: object) -> StubClient:
        if credentials.account_address == "odd":
            raise ZeroDivisionError("a bug in an adapter")
        return client

    odd = DirectAccount("paper-0", "odd", "USDC", "KEY", VENUE)
    monkeypatch.setenv("KEY", "0x1")
    monkeypatch.setattr(without_database, "client_for", client_for)
    monkeypatch.setattr(without_database, "read_file", lambda: [odd, account()])
    said: list[str] = []
    assert not stop_without_database(closing=AT_ONCE, seconds=5, say=said.append)
    assert client.held == {"BTC": 0}
    assert {"paper-0: NOT clear", "paper-1: clear"} <= set(said)
    assert any("a bug in an adapter" in line for line in said)


def test_a_position_that_is_larger_than_the_venue_takes_at_once_is_closed_in_parts(instrument) -> None:
    small = replace(instrument, max_market_quantity=Quantity(D("0.2")))
    client = StubClient(small, BTC="-0.5")
    sizes = []
    place = client.place

    def noted(orders: Sequence, nonce: int, expires_at: datetime) -> list[object]:
        sizes.extend(order.request.quantity.value for order in orders)
        return place(orders, nonce, expires_at)

    client.place = noted  # type: ignore[method-assign]
    clear, said = stop(client)
    assert clear
    assert client.held == {"BTC": 0}
    assert max(sizes) <= D("0.2")
    assert sum(sizes) == D("0.5")
    assert said.count("paper-1: closing 1 positions") == 1


class CountingVenue(StubClient):
    """Two orders rest beside the position; what it is asked to do, it does."""

    def __init__(self, instrument: Instrument) -> None:
        super().__init__(instrument, BTC="3")
        self.resting = [UnreadOrder("BTC", str(number), None, False) for number in (1, 2)]
        self.most = D(3)

    def live_orders(self) -> list[UnreadOrder]:
        return list(self.resting)

    def cancel_resting(self, orders: Sequence, nonce: int) -> list[OrderReport]:
        self.resting = [order for order in self.resting if order not in orders]
        return [OrderReport("send", None, order.venue_order_id, OrderStatus.CANCELLED, None, NOW) for order in orders]

    def place(self, orders: Sequence, nonce: int, expires_at: datetime) -> list[object]:
        super().place(orders, nonce, expires_at)
        assert abs(self.held["BTC"]) <= self.most, "the stop itself made the position grow"
        self.most = abs(self.held["BTC"])
        return []


def test_killed_around_any_request_the_command_given_again_clears_the_account(instrument) -> None:
    at, died = 1, True
    while died:
        venue, life = CountingVenue(instrument), Life(at)
        tools = Tools(FixedClock(NOW), lambda _: None, lambda _: None)
        try:
            DirectStop(account(), mortal(venue, life), tools).run(closing=AT_ONCE, seconds=5)
        except Killed:
            assert life.dead
        died = life.dead
        assert stop(venue)[0]
        assert (venue.resting, venue.held) == ([], {"BTC": D(0)})
        at += 1
    assert at == 6, "before and after the cancel and the close"


class Clock:
    """Real seconds that pass only while the stop sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def timed(client: StubClient, closing: Closing, monkeypatch, seconds: float = 60) -> tuple[bool, list[str], float]:
    clock, said = Clock(), []
    monkeypatch.setattr(direct_stop, "monotonic", clock)
    tools = Tools(FixedClock(NOW), clock.sleep, said.append)
    clear = DirectStop(account(), client, tools).run(closing=closing, seconds=seconds)
    return clear, said, clock.now


class Picky(StubClient):
    """Trades only with who goes as far as `reach`, a share off its mark of 100; `life`: how many exits it survives."""

    reach, life = D("0.03"), 1_000

    def place(self, orders: Sequence, nonce: int, expires_at: datetime) -> list[OrderReport]:
        self.offered = [*getattr(self, "offered", []), *(order.request for order in orders)]
        self.life -= 1
        met = [order for order in orders if abs(order.request.price.value - 100) >= 100 * self.reach]
        super().place(met, nonce, expires_at)
        if self.life <= 0:
            raise KeyboardInterrupt
        return [_report(order, OrderStatus.FILLED if order in met else OrderStatus.EXPIRED) for order in orders]


def _report(order: RiskApproved[PlaceOrder], status: OrderStatus) -> OrderReport:
    reason = "" if status is OrderStatus.FILLED else "nobody there"
    return OrderReport("send", order.request.client_order_id, None, status, None, NOW, reason=reason)


def test_it_goes_through_the_book_first_and_then_as_far_as_the_cap(instrument, monkeypatch) -> None:
    client = Picky(instrument, BTC="0.5")
    clear, said, took = timed(client, Closing(deadline_seconds=20), monkeypatch)
    assert (clear, client.held) == (True, {"BTC": 0})
    prices = list(dict.fromkeys(order.price.value for order in client.offered))
    assert prices == [D("99.5"), D(95)]
    assert 10 <= took < 12
    assert all(order.reduce_only and order.time_in_force is TimeInForce.IOC for order in client.offered)
    assert "paper-1: not filled yet: sell 0.5 hyperliquid:BTC to 99.5 nobody there" in said


def test_at_once_means_the_cap_from_the_first_order_on(instrument, monkeypatch) -> None:
    client = Picky(instrument, BTC="-0.5")
    assert timed(client, AT_ONCE, monkeypatch)[0]
    assert [order.price.value for order in client.offered] == [D(105)]


def test_beyond_the_cap_it_never_trades_and_says_what_is_left(instrument, monkeypatch) -> None:
    client = Picky(instrument, BTC="0.5")
    client.reach = D("0.2")
    clear, said, _ = timed(client, Closing(slippage_bps=300), monkeypatch)
    assert (clear, client.held) == (False, {"BTC": D("0.5")})
    assert min(order.price.value for order in client.offered) == D(97)
    assert said[-2].startswith("paper-1: not filled yet: sell 0.5 hyperliquid:BTC to 97")


def test_killed_with_an_exit_on_its_way_the_next_one_closes_what_is_left_and_no_more(instrument, monkeypatch) -> None:
    client = Picky(instrument, BTC="0.5", ETH="0")
    client.life = 1
    with pytest.raises(KeyboardInterrupt):
        timed(client, AT_ONCE, monkeypatch)
    client.life = 1_000
    assert timed(client, AT_ONCE, monkeypatch)[0]
    assert client.held["BTC"] == 0
    assert len(client.offered) == 1
