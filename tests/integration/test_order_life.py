"""An order from its row to the ledger, over real signatures and HTTP, against the mock exchange."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
import requests

from apps.exchanges.accounts.balances import equity_mark
from apps.exchanges.accounts.equity import account_books
from apps.exchanges.execution import halt
from apps.exchanges.execution.sender import Sender
from apps.exchanges.execution.sessions import VenueSessions
from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import mock_in_thread
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.models import Account, InstrumentRow, Order, OrderCommand, Position, Signer, Transfer, Venue, Veto
from apps.exchanges.orders.reconcile import reconcile_account
from apps.monitor.demo.mock_accounts import open_account
from apps.monitor.demo.paper import PURPOSES, PaperAccount
from moondev.domain.clock import LiveClock
from moondev.domain.orders import Purpose, TimeInForce
from moondev.domain.values import Side
from tests.support.order_world import World, assert_books, make_world

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
D = Decimal
PAPER = PaperAccount("paper-1", D(100_000))


class Keys:
    """The paper account's keys, as the environment would hold them."""

    def secret(self, name: str) -> str:
        found = {PAPER.secret_name(purpose): PAPER.secret(purpose) for purpose in PURPOSES}
        return found[name]


@pytest.fixture
def live() -> Iterator[SimpleNamespace]:
    """A world whose venue is the mock exchange, with a market of its own and a funded account."""
    clock = LiveClock()
    specs = (InstrumentSpec("BTC", 0, 5, 40), InstrumentSpec("ETH", 1, 4, 25))
    engine = Exchange(specs, clock, {"BTC": D(50_000), "ETH": D(3_000)})
    with mock_in_thread(engine, clock, WireConfig(book_interval_ms=20)) as mock:
        world = make_world(clock)
        Venue.objects.update(rest_url=f"{mock.url}/hl", websocket_url=f"{mock.url}/hl/ws".replace("http", "ws", 1))
        Account.objects.update(address=PAPER.address)
        Transfer.objects.update(at=clock.now() - timedelta(seconds=1))
        for purpose in PURPOSES:
            Signer.objects.filter(purpose=purpose).update(
                address=PAPER.signer_address(purpose), secret_name=PAPER.secret_name(purpose)
            )
        for symbol, lot in (("BTC", "0.00001"), ("ETH", "0.0001")):
            InstrumentRow.objects.filter(symbol=symbol).update(lot=D(lot))
        open_account(mock.url, PAPER, clock)
        for coin, side, price, size in (("BTC", "buy", "49990", "5"), ("BTC", "sell", "50010", "5")):
            body = {"coin": coin, "side": side, "price": price, "size": size}
            requests.post(f"{mock.url}/admin/quote", json=body, timeout=5).raise_for_status()
        sessions = VenueSessions(Keys())
        yield SimpleNamespace(world=world, mock=mock, sessions=sessions, clock=clock, account=world.account.pk)


def fault(live: SimpleNamespace, kind: str, **more: object) -> None:
    requests.post(
        f"{live.mock.url}/admin/faults", json={"kind": kind, "venue": "hl", **more}, timeout=5
    ).raise_for_status()


def send(live: SimpleNamespace) -> int:
    return Sender(live.clock, live.sessions, "w1").send(live.account)


def reconcile(live: SimpleNamespace):
    return reconcile_account(live.account, live.sessions, live.clock)


def placed(live: SimpleNamespace, quantity: str, price: str, **kwargs) -> Order:
    world: World = live.world
    order = world.place(quantity, price, **kwargs)
    send(live)
    return world.order(order.client_order_id)


def assert_equal_to_the_venue(live: SimpleNamespace) -> None:
    """Our equity is the venue's account value, to the last decimal it quotes."""
    snapshot = live.sessions.session(live.account, Signer.Purpose.ORDERS).client.account_snapshot()
    books = account_books(live.account)
    assert books.agrees_on_positions(snapshot)
    assert books.equity(snapshot) == snapshot.equity.value
    mark = equity_mark(live.account, snapshot, live.clock.now())
    assert mark.ledger_equity == mark.venue_equity
    assert_books()


def test_an_order_rests_is_amended_and_cancelled(live: SimpleNamespace) -> None:
    order = placed(live, "0.01", "49000")
    assert order.status == "open"
    live.world.amend(order, "0.005", "49100")
    send(live)
    order.refresh_from_db()
    assert (order.status, order.quantity, order.price) == ("open", D("0.005"), 49100)
    live.world.cancel(order)
    send(live)
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert reconcile(live).complete
    assert_equal_to_the_venue(live)


def test_a_round_trip_leaves_ledger_and_venue_equal_to_the_last_decimal(live: SimpleNamespace) -> None:
    placed(live, "0.01234", "50500", tif=TimeInForce.IOC)
    placed(live, "0.02", "49500", tif=TimeInForce.IOC, side=Side.SELL)
    assert reconcile(live).fills == 2
    assert set(Order.objects.values_list("status", flat=True)) == {"filled"}
    assert Position.objects.get().quantity == D("-0.00766")
    assert_equal_to_the_venue(live)


def test_an_answer_lost_after_the_venue_accepted_is_found_not_repeated(live: SimpleNamespace) -> None:
    fault(live, "accept_then_drop", count=1)
    order = placed(live, "0.01", "50500", tif=TimeInForce.IOC)
    assert order.status == "unknown"
    reconcile(live)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("filled", D("0.01"))
    assert_equal_to_the_venue(live)


def test_a_refusal_of_the_venue_ends_the_order_with_its_words(live: SimpleNamespace) -> None:
    order = placed(live, "0.01", "60000", tif=TimeInForce.POST_ONLY)
    assert order.status == "rejected"
    assert "Post only" in order.reason
    assert_books()


def test_an_exit_without_a_position_is_refused_by_the_venue(live: SimpleNamespace) -> None:
    order = placed(live, "0.01", "49000", side=Side.SELL, purpose=Purpose.REDUCING, tif=TimeInForce.IOC)
    assert order.status == "rejected"
    assert_equal_to_the_venue(live)


def test_fifty_orders_travel_as_one_request(live: SimpleNamespace) -> None:
    entries = [live.world.entry("0.001", str(48_000 + n)) for n in range(50)]
    live.world.record(*entries)
    assert send(live) == 1
    assert Order.objects.filter(status="open").count() == 50
    assert not reconcile(live).errors
    assert_equal_to_the_venue(live)


def test_a_cancel_that_comes_too_late_finds_the_fill(live: SimpleNamespace) -> None:
    order = placed(live, "0.01", "49995")
    body = {"coin": "BTC", "side": "sell", "price": "49990", "size": "0.01"}
    requests.post(f"{live.mock.url}/admin/trade", json=body, timeout=5).raise_for_status()
    live.world.cancel(order)
    send(live)
    reconcile(live)
    order.refresh_from_db()
    assert (order.status, OrderCommand.objects.get().status) == ("filled", "done")
    assert_equal_to_the_venue(live)


def test_a_halt_cancels_and_flattens_through_its_own_keys(live: SimpleNamespace) -> None:
    placed(live, "0.02", "50500", tif=TimeInForce.IOC)
    placed(live, "0.01", "49000")
    waiting = live.world.place("0.01", "49000")
    state = trading_state_set(
        scope_kind="everything", scope_key="*", mode="halted", reason="test", actor="test", now=live.clock.now()
    )
    veto = Veto.objects.create(
        venue_id="hyperliquid", scope_kind="everything", scope_key="*", epoch=state.epoch, flatten=True, reason="test",
        actor="test", engaged_at=live.clock.now(),
    )  # fmt: skip
    assert halt.carry_out("hyperliquid", sessions=live.sessions, clock=live.clock) == [veto]
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
    assert Position.objects.get().quantity == 0
    assert not Order.objects.filter(status__in=["open", "partially_filled", "sending", "unknown"]).exists()
    assert_equal_to_the_venue(live)
