"""A venue of the scenario behind the port: it trades, it fails as the day says, it cuts winners."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from apps.exchanges.mock.faults import FaultKind, FaultRule
from apps.risk.scenario.books import grant
from apps.risk.scenario.client import ScenarioClient
from apps.risk.scenario.day import LOW, Day
from apps.risk.scenario.holdings import Holdings, Stake
from apps.risk.scenario.market import ScenarioVenue
from moondev.domain.clock import FixedClock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity, InvalidValue, NotSent, RateLimited, VenueRejected
from moondev.domain.fills import FillKind
from moondev.domain.orders import CancelOrder, OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side

D = Decimal
NOW = datetime(2025, 10, 10, 20, 50, tzinfo=UTC)
SOON = NOW + timedelta(seconds=5)


class Desk:
    """A venue with one account that is long bitcoin and short SOL."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOW)
        self.venue = ScenarioVenue("binance", Day.drawn(("binance",), 7), self.clock, 7)
        stakes = (Stake("binance", "BTC", D(11_700)), Stake("binance", "SOL", D(-22_000)))
        grant(self.venue, Holdings({"binance": D(100_000)}, stakes))
        (address,) = self.venue.exchange.addresses()
        self.client = ScenarioClient(self.venue, address, self.clock)
        self.address = address

    def held(self) -> dict[str, Decimal]:
        return {p.symbol: p.quantity.value for p in self.client.account_snapshot().positions}

    def fail(self, kind: FaultKind) -> None:
        self.venue.faults.add(FaultRule(kind, "binance"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def order(side: Side, size: str, price: str, tif=TimeInForce.GTC, purpose=Purpose.OPENING, **more) -> RiskApproved:
    return RiskApproved(
        PlaceOrder(
            uuid4(), "binance:BTC", side, OrderType.LIMIT, tif, Quantity(D(size)), Price(D(price)), purpose, "s", "l",
            **more,
        )
    )  # fmt: skip


def test_an_order_rests_is_listed_and_is_cancelled_by_either_name(desk: Desk) -> None:
    orders = [order(Side.BUY, "0.1", "100000"), order(Side.BUY, "0.2", "99000")]
    reports = desk.client.place(orders, 1, SOON)
    assert [report.status for report in reports] == [OrderStatus.OPEN] * 2
    first, second = desk.client.live_orders()
    assert (first.symbol, first.remaining.value, first.client_order_id) == (
        "BTC", D("0.1"), orders[0].request.client_order_id,
    )  # fmt: skip
    (gone,) = desk.client.cancel([CancelOrder(orders[0].request.client_order_id, "binance:BTC", "test")], 2)
    assert gone.status is OrderStatus.CANCELLED
    (gone, never) = desk.client.cancel_resting([second, first], 3)
    assert (gone.status, never.status) == (OrderStatus.CANCELLED, None)
    assert desk.client.open_orders() == []
    assert desk.client.order_status(orders[0].request.client_order_id).status is OrderStatus.CANCELLED
    assert desk.client.order_status(UUID(int=1)) is None


def test_what_crosses_trades_and_its_fill_names_the_order(desk: Desk) -> None:
    bought = order(Side.BUY, "0.1", "118000", TimeInForce.IOC)
    (report,) = desk.client.place([bought], 1, SOON)
    assert (report.status, report.filled_quantity.value) == (OrderStatus.FILLED, D("0.1"))
    (fill,) = desk.client.fills(NOW)[-1:]
    assert (fill.client_order_id, fill.quantity.value, fill.kind) == (
        bought.request.client_order_id, D("0.1"), FillKind.ORDER,
    )  # fmt: skip
    assert desk.held()["BTC"] == D("0.2")


def test_refuses_in_the_venue_s_words_and_what_no_scenario_knows(desk: Desk) -> None:
    wrong_way = order(Side.BUY, "0.1", "118000", TimeInForce.IOC, Purpose.REDUCING)
    (report,) = desk.client.place([wrong_way], 1, SOON)
    assert report.status is OrderStatus.REJECTED
    assert report.reason
    with pytest.raises(VenueRejected, match="after its time"):
        desk.client.place([order(Side.BUY, "0.1", "118000")], 1, NOW)
    with pytest.raises(InvalidValue, match="trigger_price"):
        desk.client.place([order(Side.SELL, "0.1", "90000", trigger_price=Price(D(100_000)))], 1, SOON)
    with pytest.raises(NotSent):
        desk.client.amend([], 1, SOON)
    assert desk.held()["BTC"] == D("0.1")
    assert desk.client.open_orders() == []


@pytest.mark.parametrize(("fault", "error"), [(FaultKind.ERROR_5XX, Connectivity), (FaultKind.RATE_LIMIT, RateLimited)])
def test_a_silent_venue_does_nothing_and_says_nothing(desk: Desk, fault, error) -> None:
    desk.fail(fault)
    asks = (
        desk.client.account_snapshot, desk.client.live_orders, desk.client.mids, lambda: desk.client.fills(NOW),
        lambda: desk.client.funding(NOW), lambda: desk.client.order_status(uuid4()),
        lambda: desk.client.place([order(Side.BUY, "0.1", "118000", TimeInForce.IOC)], 1, SOON),
    )  # fmt: skip
    for ask in asks:
        with pytest.raises(error):
            ask()
    desk.venue.faults.clear()
    assert desk.held()["BTC"] == D("0.1")


def test_a_lost_answer_hides_what_was_done(desk: Desk) -> None:
    desk.fail(FaultKind.ACCEPT_THEN_DROP)
    with pytest.raises(Connectivity, match="reset"):
        desk.client.place([order(Side.BUY, "0.1", "118000", TimeInForce.IOC)], 1, SOON)
    assert desk.held()["BTC"] == D("0.2")


def test_winners_are_cut_in_half_and_told_as_such(desk: Desk) -> None:
    desk.venue.step(LOW)
    before = desk.held()
    assert len(desk.venue.deleverage(desk.address)) == 1
    after = desk.held()
    # The short has won, the long has lost.
    assert after["SOL"] == before["SOL"] / 2
    assert after["BTC"] == before["BTC"]
    (fill,) = desk.client.fills(NOW)[-1:]
    assert (fill.symbol, fill.kind, fill.client_order_id) == ("SOL", FillKind.DELEVERAGING, None)
