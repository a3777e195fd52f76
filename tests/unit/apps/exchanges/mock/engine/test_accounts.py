from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.mock.engine.accounts import Position
from apps.exchanges.mock.engine.api import (
    CancelReason,
    Done,
    OrderStatus,
    RejectCode,
    UnknownAccount,
)
from apps.exchanges.mock.engine.exchange import EngineConfig
from apps.exchanges.mock.engine.venue import HOUSE_MAKER
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue

D = Decimal


def test_charges_taker_and_maker_their_own_rate_to_the_sixth_decimal(desk):
    desk.place("ann", "sell", "0.12345", 100)
    desk.ioc("bob", "buy", "0.12345", 100)
    [maker], [taker] = desk.exchange.fills("ann"), desk.exchange.fills("bob")
    assert maker.fee == D("0.001852")  # 12.345 x 1.5 bp = 0.00185175
    assert taker.fee == D("0.005555")  # 12.345 x 4.5 bp = 0.00555525


def test_account_value_is_deposit_plus_flows_less_fees_plus_position_at_the_mark(desk):
    desk.give_position("ann", "1.5", 100)
    desk.give_position("ann", "-0.7", 103)
    desk.exchange.set_mark("BTC", D(110))
    state = desk.exchange.account_state("ann")
    fees = sum(fill.fee for fill in desk.exchange.fills("ann"))
    flows = D("-1.5") * 100 + D("0.7") * 103
    assert state.account_value == D(1_000_000) + flows - fees + D("0.8") * 110
    assert state.fees == fees


def test_profit_closed_plus_profit_open_is_the_change_in_value_before_fees(desk):
    desk.give_position("ann", "0.3", 100)
    desk.give_position("ann", "0.4", "100.7")
    desk.give_position("ann", "-0.5", "101.3")
    desk.exchange.set_mark("BTC", D("99.9"))
    state = desk.exchange.account_state("ann")
    closed = sum(fill.closed_pnl for fill in desk.exchange.fills("ann"))
    assert closed + state.positions[0].unrealised_pnl == state.account_value - state.deposit + state.fees


def test_reports_the_position_before_and_after_each_fill(desk):
    desk.give_position("ann", 1)
    desk.give_position("ann", -3)
    fills = desk.exchange.fills("ann")
    assert [(f.start_position, f.end_position) for f in fills] == [(D(0), D(1)), (D(1), D(-2))]


@given(st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 200)), min_size=1, max_size=30))
def test_a_position_loses_no_unit_of_money_however_it_is_traded(trades):
    position, flows, closed = Position(), 0, 0
    for signed, px in trades:
        flows -= signed * px
        closed += position.apply(signed, px)
    assert closed - position.cost == flows
    assert (position.size == 0) <= (position.cost == 0)


@given(st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 200)), min_size=1, max_size=30))
def test_a_short_earns_what_the_mirrored_long_loses(trades):
    one, other = Position(), Position()
    assert all(one.apply(signed, px) == -other.apply(-signed, px) for signed, px in trades)
    assert one.cost == -other.cost


def test_position_shows_entry_margin_and_liquidation_price(desk):
    desk.exchange.update_leverage("ann", "BTC", 10, is_cross=True)
    desk.give_position("ann", 100_000, 100)
    state = desk.exchange.account_state("ann")
    [position] = state.positions
    assert (position.entry_px, position.leverage, position.margin_used) == (D(100), 10, D(1_000_000))
    # Value and maintenance meet where 1,000,000 - fee + 100,000 (p - 100) = 100,000 p / 100.
    expected = (D(10_000_000) - state.account_value) / D(99_000)
    assert abs(position.liquidation_px - expected) <= D("0.1")


def test_lets_no_liquidation_price_below_zero_appear(desk):
    desk.give_position("ann", 1)
    assert desk.exchange.account_state("ann").positions[0].liquidation_px is None


def test_spares_an_account_above_maintenance(desk):
    desk.give_position("ann", 100_000, 100)
    desk.place("cat", "buy", 100_000, 95)
    desk.exchange.set_mark("BTC", D(95))
    assert desk.position("ann") == D(100_000)


def test_expires_a_resting_order_that_its_owner_cannot_margin_any_more(desk):
    desk.give_position("ann", 100_000, 100)
    resting = desk.place("ann", "buy", 90_000, 94)
    desk.exchange.set_mark("BTC", D("93.5"))
    desk.ioc("bob", "sell", 90_000, 94)
    order = desk.exchange.order_by_oid("ann", resting.oid)
    assert (order.status, order.reason) == (OrderStatus.CANCELED, CancelReason.MARGIN)
    assert desk.position("ann") == D(100_000)
    assert desk.exchange.fills("bob") == []


@pytest.mark.parametrize("leverage", [0, 51])
def test_refuses_a_leverage_beyond_the_coins_range(desk, leverage):
    answer = desk.exchange.update_leverage("ann", "BTC", leverage, is_cross=True)
    assert answer.code is RejectCode.INVALID_LEVERAGE
    assert desk.exchange.leverage("ann", "BTC") == 20


def test_refuses_a_leverage_the_position_could_not_be_held_with(desk):
    desk.give_position("ann", 100_000, 100)
    answer = desk.exchange.update_leverage("ann", "BTC", 5, is_cross=True)
    assert answer.code is RejectCode.INSUFFICIENT_MARGIN
    assert desk.exchange.leverage("ann", "BTC") == 20


def test_refuses_leverage_of_an_unknown_coin(desk):
    assert desk.exchange.update_leverage("ann", "NOPE", 5, is_cross=True).code is RejectCode.UNKNOWN_COIN


def in_an_hour(desk) -> int:
    return milliseconds(desk.clock.now()) + 3_600_000


def test_an_agent_acts_for_its_master_until_it_expires(desk):
    assert desk.exchange.approve_agent("ann", "0xA9", "bot", in_an_hour(desk)) == Done()
    assert desk.exchange.master_of("0xa9") == "ann"
    desk.later(hours=2)
    assert desk.exchange.master_of("0xa9") is None
    assert desk.exchange.agents("ann") == ()


def test_an_agent_of_the_same_name_replaces_the_old_one(desk):
    for agent in ("0xa1", "0xa2"):
        desk.exchange.approve_agent("ann", agent, "bot", in_an_hour(desk))
    assert desk.exchange.master_of("0xa1") is None
    assert [agent.address for agent in desk.exchange.agents("ann")] == ["0xa2"]


def test_refuses_an_agent_of_somebody_else(desk):
    desk.exchange.approve_agent("ann", "0xa1", None, in_an_hour(desk))
    assert desk.exchange.approve_agent("bob", "0xa1", None, in_an_hour(desk)).code is RejectCode.AGENT_IN_USE
    assert desk.exchange.approve_agent("bob", "ann", None, in_an_hour(desk)).code is RejectCode.AGENT_IN_USE
    assert desk.exchange.master_of("0xa1") == "ann"


def test_knows_no_master_of_strangers_and_of_the_market_itself(desk):
    assert desk.exchange.master_of("0xdead") is None
    assert desk.exchange.master_of(HOUSE_MAKER) is None


def test_adds_a_second_deposit_to_the_same_account(desk):
    desk.exchange.open_account("ann", D(5))
    assert desk.exchange.account_state("ann").deposit == D(1_000_005)


@pytest.mark.parametrize("deposit", ["-1", "0.0000001", "NaN"])
def test_refuses_a_deposit_that_is_no_amount(desk, deposit):
    with pytest.raises(InvalidValue, match="deposit"):
        desk.exchange.open_account("dan", D(deposit))
    with pytest.raises(UnknownAccount):
        desk.exchange.account_state("dan")


def test_refuses_to_open_the_markets_own_account(desk):
    with pytest.raises(InvalidValue, match="address"):
        desk.exchange.open_account(HOUSE_MAKER, D(1))


def test_refuses_fees_finer_than_a_hundredth_of_a_basis_point(desk_with):
    with pytest.raises(InvalidValue, match="maker_fee_bps"):
        desk_with(EngineConfig(maker_fee_bps=D("0.001")))


def test_returns_fills_of_the_span_asked_for(desk):
    desk.give_position("ann", 1)
    desk.later(seconds=10)
    desk.give_position("ann", 1)
    start = milliseconds(desk.clock.now())
    assert len(desk.exchange.fills("ann", start)) == 1
    assert len(desk.exchange.fills("ann", 0, start - 1)) == 1
    assert len(desk.exchange.fills("ann")) == 2
