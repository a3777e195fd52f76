"""The four outcomes of a write, the same on every venue: told, refused, not sent, unknown. Nothing is sent twice."""

from __future__ import annotations

from datetime import timedelta
from socket import AF_INET, SOCK_STREAM, socket

import pytest

from moondev.domain.clock import LiveClock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity, InvalidValue, NotSent, RateLimited, VenueRejected
from moondev.domain.orders import OrderStatus
from moondev.domain.values import Side
from tests.contract.suite.orders import limit, market
from tests.contract.suite.scene import Trader, VenueScene
from tests.contract.suite.waiting import until

pytestmark = pytest.mark.contract


@pytest.fixture
def ready(trader: Trader) -> Trader:
    """Give a trader whose client has asked what it needs to know before it sends."""
    trader.place(market(trader.scene.key(), Side.BUY))
    return trader


def unclosed_port() -> int:
    """Return a port at which nobody listens."""
    with socket(AF_INET, SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_answer_lost_after_the_venue_accepted_is_unknown_and_found_by_name(ready: Trader) -> None:
    before = ready.requests
    ready.scene.fault_when_placing("accept_then_drop")
    order = limit(ready.scene.key())
    with pytest.raises(Connectivity) as caught:
        ready.send(order)
    assert not isinstance(caught.value, NotSent)
    assert ready.known(order.client_order_id, OrderStatus.OPEN)
    assert ready.requests == before + 1
    assert [one.status.value for one in ready.orders_held].count("open") == 1


def test_a_line_that_drops_before_the_venue_acted_is_unknown_and_nothing_is_sent_again(ready: Trader) -> None:
    before = ready.requests
    ready.scene.fault_when_placing("drop_before")
    order = limit(ready.scene.key())
    with pytest.raises(Connectivity):
        ready.send(order)
    assert ready.status(order.client_order_id) is None
    assert ready.requests == before
    assert len(ready.orders_held) == 1


def test_a_venue_that_is_broken_leaves_the_outcome_unknown(ready: Trader) -> None:
    before = ready.requests
    ready.scene.fault_when_placing("error_5xx")
    order = limit(ready.scene.key())
    with pytest.raises(Connectivity):
        ready.send(order)
    assert ready.status(order.client_order_id) is None
    assert ready.requests == before


def test_a_door_that_is_shut_means_that_nothing_was_sent(scene: VenueScene) -> None:
    nowhere = f"127.0.0.1:{unclosed_port()}"
    changes = {
        "code": f"{scene.config.code}-away",
        "rest_url": f"http://{nowhere}{scene.venue.rest_path}",
        "websocket_url": f"ws://{nowhere}{scene.venue.websocket_path}",
    }
    with scene.trader(**changes) as trader:
        key = scene.key().replace(scene.config.code, changes["code"], 1)
        with pytest.raises(NotSent):
            trader.send(limit(key))
        with pytest.raises(Connectivity):
            trader.client.account_snapshot()
        with pytest.raises(Connectivity):
            trader.client.open_orders()
        assert trader.orders_held == []


def test_too_many_requests_are_told_with_when_to_come_back(scene: VenueScene) -> None:
    # A name of its own: whoever was told to rest, rests, and the other tests would with it.
    code = f"{scene.config.code}-hasty"
    with scene.trader(code=code) as trader:
        key = scene.key().replace(scene.config.code, code, 1)
        trader.place(market(key, Side.BUY))
        before = trader.requests
        scene.fault_when_placing("rate_limit")
        with pytest.raises(RateLimited) as caught:
            trader.send(limit(key))
        assert caught.value.retry_after_seconds > 0
        assert trader.requests == before
        assert len(trader.orders_held) == 1


def test_a_refusal_is_told_in_the_venue_s_words(ready: Trader) -> None:
    ready.scene.fault_when_placing("reject", value="no room today")
    order = limit(ready.scene.key())
    try:
        (report,) = ready.send(order)
    except VenueRejected as refusal:
        words = str(refusal)
    else:
        assert report.status is OrderStatus.REJECTED
        words = report.reason
    assert "no room today" in words
    assert len(ready.orders_held) == 1


def test_money_that_is_not_there_is_a_refusal(scene: VenueScene) -> None:
    with scene.trader(deposit="20") as poor:
        order = limit(scene.key(), quantity="1")
        try:
            (report,) = poor.place(order)
        except VenueRejected:
            pass
        else:
            assert report.status is OrderStatus.REJECTED
            assert report.reason
        assert [one for one in poor.orders_held if one.status.value == "open"] == []


def test_what_comes_too_late_is_not_carried_out(ready: Trader) -> None:
    late = limit(ready.scene.key())
    with pytest.raises((VenueRejected, NotSent, InvalidValue)):
        ready.client.place([RiskApproved(late)], ready.nonce, LiveClock().now() - timedelta(seconds=5))
    assert ready.status(late.client_order_id) is None
    assert len(ready.orders_held) == 1


def test_a_lost_cancel_is_unknown_and_the_order_tells(ready: Trader) -> None:
    order = limit(ready.scene.key())
    ready.place(order)
    until(lambda: ready.client.open_orders() or None, "the order open")
    ready.scene.fault("accept_then_drop", count=1, **ready.scene.venue.cancelling)
    with pytest.raises(Connectivity):
        ready.cancel(order)
    assert ready.known(order.client_order_id, OrderStatus.CANCELLED)


def test_a_question_that_fails_is_an_error_and_never_an_empty_answer(ready: Trader) -> None:
    questions = (
        ready.client.open_orders,
        ready.client.live_orders,
        ready.client.account_snapshot,
        ready.client.instruments,
        lambda: ready.client.fills(LiveClock().now() - timedelta(minutes=1)),
        lambda: ready.client.funding(LiveClock().now() - timedelta(minutes=1)),
        lambda: ready.status(limit(ready.scene.key()).client_order_id),
    )
    ready.scene.fault("error_5xx")
    for question in questions:
        with pytest.raises(Connectivity):
            question()
    ready.scene.heal()
    assert ready.client.account_snapshot().positions != ()
