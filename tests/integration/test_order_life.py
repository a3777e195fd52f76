"""An order from its row to the ledger, over real signatures and HTTP, against the mock exchange."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace

import pytest
import requests

from apps.exchanges.accounts.balances import equity_mark
from apps.exchanges.accounts.equity import account_books
from apps.exchanges.execution import halt
from apps.exchanges.execution.sender import Sender
from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.models import InstrumentRow, Order, OrderCommand, Position, Signer, Veto
from apps.exchanges.orders.reconcile import reconcile_account
from moondev.domain.clock import LiveClock
from moondev.domain.orders import Purpose, TimeInForce
from moondev.domain.values import Side
from tests.integration.live_world import live_world
from tests.support.order_world import World, assert_books

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
D = Decimal


@pytest.fixture
def live() -> Iterator[SimpleNamespace]:
    """A world whose venue is the mock exchange, with a market of its own and a funded account."""
    with live_world(LiveClock()) as world:
        yield world


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


def assert_told(order: Order, caplog: pytest.LogCaptureFixture) -> None:
    """Every step that the history has is a line, about the order by all its names."""
    lines = [record for record in caplog.records if record.name == "apps.exchanges.orders.life"]
    steps = [tuple(record.args[:3]) for record in lines]
    assert steps == [(e.status_from or "-", e.status_to, e.source) for e in order.events.all()]
    names = {
        "tick": order.tick_id, "strategy": order.strategy, "account": str(order.account_id),
        "venue": order.account.venue_id, "order": str(order.pk), "client_order": str(order.client_order_id),
    }  # fmt: skip
    assert all(names.items() <= record.about.items() for record in lines)
    assert lines[-1].about["venue_order"] == order.venue_order_id


def test_an_order_rests_is_amended_and_cancelled(live: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="apps.exchanges.orders.life")
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
    assert_told(order, caplog)
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
    # Known before, so that the fault falls on the order and not on the question for its number.
    live.sessions.session(live.account, Signer.Purpose.ORDERS).client.instruments()
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
    # Less than is held: the exit goes out in parts.
    InstrumentRow.objects.update(max_market_quantity=Decimal("0.008"))
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
    exits = Order.objects.filter(tick_id=f"veto-{veto.pk}")
    assert sorted(exits.values_list("quantity", flat=True)) == [D("0.00666"), D("0.00667"), D("0.00667")]
    assert not Order.objects.filter(status__in=["open", "partially_filled", "sending", "unknown"]).exists()
    assert_equal_to_the_venue(live)
