"""Every position has its stop at the venue: as it grows, after a restart, when the stop vanishes, and after a halt."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
import requests
from django.db import transaction

from apps.exchanges.execution.halt import carry_out
from apps.exchanges.execution.rearming import Rearming
from apps.exchanges.execution.sender import Sender
from apps.exchanges.execution.sessions import VenueSessions
from apps.exchanges.market_data.cache import MarketCache, redis_client
from apps.exchanges.models import AccountEvent, Order, Signer, TradingMode
from apps.exchanges.orders.entries import OrderEntry
from apps.exchanges.orders.protection import brackets_arm, idle_end
from apps.exchanges.orders.reconcile import reconcile_account
from apps.exchanges.orders.services import orders_record
from apps.exchanges.ports import RestingOrder
from apps.risk import vetoes
from moondev.domain.clock import LiveClock, milliseconds
from moondev.domain.decisions import RiskApproved
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce, client_order_id
from moondev.domain.values import Price, Quantity, Side
from tests.contract.suite.waiting import until
from tests.integration.live_world import Keys, live_world
from tests.support.order_world import assert_books

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
D = Decimal
CODE = "hyperliquid"
ACCOUNT = ("account", "paper-1")
STOP, PROFIT = D(45_000), D(55_000)


class Desk:
    """The processes of one venue, each taken for a step when a test says so; `restart` puts new ones in their place."""

    def __init__(self, live) -> None:
        self.live, self.world, self.clock, self.account = live, live.world, live.clock, live.account
        self.count = 0
        self.restart()

    def restart(self) -> None:
        """Begin again with nothing but the rows."""
        self.sessions = VenueSessions(Keys())
        self.sender = Sender(self.clock, self.sessions, f"worker {self.count}")
        self.rearming = Rearming(CODE, self.clock, MarketCache(redis_client()))

    def send(self, side: Side, price: str, quantity: str, tif: TimeInForce, purpose=Purpose.OPENING, **levels) -> Order:
        self.count += 1
        request = PlaceOrder(
            client_order_id=client_order_id("turtle", f"{self.clock.now()}", f"leg{self.count}"),
            instrument=self.world.btc.key, side=side, order_type=OrderType.LIMIT, time_in_force=tif,
            quantity=Quantity(D(quantity)), price=Price(D(price)), purpose=purpose, signal_id="s", leg="", **levels,
        )  # fmt: skip
        reserved = request.quantity.value * request.price.value if purpose is Purpose.OPENING else D(0)
        valid = self.clock.now() + timedelta(seconds=60)
        entry = OrderEntry(RiskApproved(request), self.account, self.world.btc.pk, "turtle", "tick", reserved, valid)
        with transaction.atomic():
            self.world.reserve([entry])
            orders_record(entries=[entry], commands=[], now=self.clock.now())
        self.sender.send(self.account)
        return self.world.order(request.client_order_id)

    def market_sells(self, price: str, size: str) -> None:
        """Let somebody trade with what rests at the venue."""
        body = {"coin": "BTC", "side": "sell", "price": price, "size": size}
        requests.post(f"{self.live.mock.url}/admin/trade", json=body, timeout=5).raise_for_status()

    def settle(self) -> None:
        """Hear what the venue has to say, protect what filled, write again what was lost, and send."""
        reconcile_account(self.account, self.sessions, self.clock)
        brackets_arm(CODE, self.clock.now())
        idle_end(CODE, self.clock.now())
        self.rearming.look()
        self.sender.send(self.account)

    def stops(self) -> list[RestingOrder]:
        """Return what waits for a trigger at the venue."""
        found = self.client.live_orders()
        return [one for one in found if isinstance(one, RestingOrder) and one.trigger_price is not None]

    def position(self) -> Decimal:
        return sum((p.quantity.value for p in self.client.account_snapshot().positions), start=D(0))

    def covers(self, position: str) -> bool:
        """Take a step; return whether the position is so large, and both ends of it protected to the last lot."""
        self.settle()
        held, resting = self.position(), self.stops()
        sizes = {
            level: sum(o.remaining.value for o in resting if o.trigger_price.value == level) for level in (STOP, PROFIT)
        }
        return held == D(position) and sizes == {STOP: held, PROFIT: held} and all(o.reduce_only for o in resting)

    @property
    def client(self):
        return self.sessions.session(self.account, Signer.Purpose.ORDERS).client


@pytest.fixture
def desk(settings, tmp_path, monkeypatch):
    settings.MOONDEV_HALT_FILE = tmp_path / "halt"
    monkeypatch.setattr(vetoes, "send", lambda *_, **__: None)
    with live_world(LiveClock(), limits=False) as live:
        yield Desk(live)


def test_a_position_keeps_its_stop_at_the_venue_whatever_happens_to_it(desk: Desk) -> None:
    # Filled in two parts, each is protected with its own size as soon as it is heard.
    levels = {"stop": Price(STOP), "take_profit": Price(PROFIT)}
    desk.send(Side.BUY, "49995", "0.4", TimeInForce.GTC, **levels)
    desk.market_sells("49995", "0.1")
    until(partial(desk.covers, "0.1"), "the first part protected")
    desk.market_sells("49995", "0.3")
    until(partial(desk.covers, "0.4"), "the whole of it protected")

    # Another process finds the same stops and adds nothing.
    before = sorted(one.venue_order_id for one in desk.stops())
    desk.restart()
    for _ in range(2):
        desk.settle()
    assert sorted(one.venue_order_id for one in desk.stops()) == before

    # Somebody at the venue cancels them: they are placed again, once, and a person is told.
    taken = desk.stops()
    desk.client.cancel_resting(taken, milliseconds(desk.clock.now()) + 1_000)
    assert desk.stops() == []
    until(partial(desk.covers, "0.4"), "what vanished is back")
    assert len(desk.stops()) == len(before)
    assert AccountEvent.objects.filter(kind="unprotected", message__contains="lost and is written again").exists()

    # A halt takes them out, and nothing is put in their place while it lasts; released, the position has them again.
    vetoes.engage(
        scope=ACCOUNT, mode=TradingMode.HALTED, flatten=False, reason="test", actor="ann", now=desk.clock.now()
    )
    assert len(carry_out(CODE, sessions=desk.sessions, clock=desk.clock)) == 1
    assert desk.stops() == []
    for _ in range(3):
        desk.settle()
    assert desk.stops() == []
    assert desk.position() == D("0.4")
    vetoes.release(scope=ACCOUNT, reason="over", actor="ann", now=desk.clock.now())
    until(partial(desk.covers, "0.4"), "what the halt took out is back")

    # With the position they go.
    desk.send(Side.SELL, "49000", "0.4", TimeInForce.IOC, Purpose.REDUCING)
    until(lambda: (desk.settle(), desk.position() == 0 and not desk.stops())[1], "flat, with nothing left resting")
    assert not Order.objects.filter(purpose="protective", status__in=["open", "approved", "sending"]).exists()
    assert_books()
