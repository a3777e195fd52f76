from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import IllegalTransition, InvalidValue
from moondev.domain.orders import (
    FINAL,
    MAYBE_AT_VENUE,
    NEXT,
    NON_FINAL,
    OrderReport,
    OrderStatus,
    OrderType,
    PlaceOrder,
    Purpose,
    TimeInForce,
    client_order_id,
    may_follow,
    transition,
)
from moondev.domain.values import Price, Quantity, Side

statuses = st.sampled_from(OrderStatus)


def place(**changes: object) -> PlaceOrder:
    fields: dict[str, object] = {
        "client_order_id": uuid4(),
        "instrument": "hyperliquid:BTC",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": Quantity(Decimal(1)),
        "price": Price(Decimal(100)),
        "purpose": Purpose.OPENING,
        "signal_id": "s1",
        "leg": "entry",
    }
    return PlaceOrder(**(fields | changes))  # type: ignore[arg-type]


def test_the_table_knows_every_state() -> None:
    assert set(NEXT) == set(OrderStatus)
    assert set(OrderStatus) == NON_FINAL | FINAL
    assert not NON_FINAL & FINAL


def test_only_a_raced_fill_leaves_a_final_state() -> None:
    leaving = {(state, after) for state in FINAL for after in NEXT[state]}
    assert leaving == {
        (OrderStatus.CANCELLED, OrderStatus.FILLED),
        (OrderStatus.EXPIRED, OrderStatus.FILLED),
    }


def test_nothing_is_sent_twice() -> None:
    """No state from which a send was begun leads back to one that may be claimed, but a send that did not happen."""
    leading_back = [state for state in MAYBE_AT_VENUE | FINAL if OrderStatus.APPROVED in NEXT[state]]
    assert leading_back == [OrderStatus.SENDING]
    assert [state for state in OrderStatus if OrderStatus.SENDING in NEXT[state]] == [OrderStatus.APPROVED]


def test_an_unheard_answer_is_a_state_only_a_send_can_reach() -> None:
    assert [state for state in OrderStatus if may_follow(state, OrderStatus.UNKNOWN)] == [OrderStatus.SENDING]


@given(statuses, statuses)
def test_a_step_is_taken_or_refused_by_name(current: OrderStatus, wanted: OrderStatus) -> None:
    if wanted in NEXT[current]:
        assert transition(current, wanted) is wanted
        return
    with pytest.raises(IllegalTransition, match=f"{current} to {wanted}"):
        transition(current, wanted)


@given(st.lists(statuses, max_size=30))
def test_every_life_ends_and_stays_ended(wishes: list[OrderStatus]) -> None:
    state, ended = OrderStatus.CREATED, False
    for wish in wishes:
        if may_follow(state, wish):
            assert not ended or wish is OrderStatus.FILLED
            state = wish
        ended = ended or state in FINAL


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_the_same_leg_of_the_same_tick_has_one_id(strategy: str, tick: str, leg: str) -> None:
    assert client_order_id(strategy, tick, leg) == client_order_id(strategy, tick, leg)
    assert client_order_id(strategy, tick, leg) != client_order_id(strategy, tick, leg + "x")


def test_refuses_an_order_of_nothing() -> None:
    with pytest.raises(InvalidValue, match="quantity"):
        place(quantity=Quantity(Decimal(0)))


@pytest.mark.parametrize(
    "changes",
    [{"order_type": OrderType.STOP}, {"trigger_price": Price(Decimal(90))}],
    ids=["a stop without its trigger", "a limit order with one"],
)
def test_a_trigger_price_belongs_to_triggered_orders_only(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidValue, match="trigger_price"):
        place(**changes)


@pytest.mark.parametrize(("purpose", "expected"), [(p, p is not Purpose.OPENING) for p in Purpose])
def test_only_opening_orders_may_grow_a_position(purpose: Purpose, expected: bool) -> None:
    assert place(purpose=purpose).reduce_only is expected


def test_a_report_names_an_order() -> None:
    with pytest.raises(InvalidValue, match="no id"):
        OrderReport("stream", None, None, OrderStatus.OPEN, None, from_milliseconds(0))


def test_client_ids_are_uuids_of_version_five() -> None:
    assert client_order_id("a", "b", "c").version == 5
    assert isinstance(client_order_id("a", "b", "c"), UUID)
