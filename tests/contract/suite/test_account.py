"""What a venue says of an account, the same everywhere: fills, funding, worth, leverage, and its dead man's switch."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges import registry
from apps.exchanges.capabilities import SilenceGuard, Support
from apps.exchanges.mock.engine.api import NewOrder, Tif
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.ports import MarginMode
from moondev.domain.clock import LiveClock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import InvalidValue, NotSent, VenueRejected
from moondev.domain.fills import FillKind, Liquidity
from moondev.domain.orders import OrderStatus
from moondev.domain.values import Side
from tests.contract.suite.orders import limit, market
from tests.contract.suite.scene import DEPOSIT, Trader, VenueScene, soon
from tests.contract.suite.waiting import until

pytestmark = pytest.mark.contract

TIMERS = {SilenceGuard.ACCOUNT_TIMER, SilenceGuard.SYMBOL_TIMER}


def test_fills_positions_and_cash_agree_to_the_last_decimal(scene: VenueScene, trader: Trader) -> None:
    since = LiveClock().now() - timedelta(seconds=5)
    first, second = market(scene.key(), Side.BUY, "0.03"), market(scene.key(), Side.SELL, "0.01")
    trader.place(first)
    trader.place(second)
    fills = until(lambda: found if len(found := trader.client.fills(since)) == 2 else None, "two fills")
    assert [(fill.side, fill.quantity.value, fill.price.value) for fill in fills] == [
        (Side.BUY, Decimal("0.03"), Decimal(50_010)),
        (Side.SELL, Decimal("0.01"), Decimal(49_990)),
    ]
    assert [fill.client_order_id for fill in fills] in ([first.client_order_id, second.client_order_id], [None, None])
    assert [fill.venue_order_id for fill in fills] == [
        trader.known(order.client_order_id, OrderStatus.FILLED).venue_order_id for order in (first, second)
    ]
    assert {(fill.symbol, fill.liquidity, fill.kind) for fill in fills} == {
        (scene.symbol(), Liquidity.TAKER, FillKind.ORDER)
    }
    assert len({fill.venue_trade_id for fill in fills}) == 2
    assert all(fill.fee.value > 0 for fill in fills)
    paid = sum((one.side.sign * one.quantity.value * one.price.value + one.fee.value for one in fills), Decimal(0))
    account = trader.client.account_snapshot()
    assert account.cash.value == Decimal(DEPOSIT) - paid
    (position,) = account.positions
    assert (position.symbol, position.quantity.value) == (scene.symbol(), Decimal("0.02"))
    assert position.mark_price.value == 50_000
    assert position.value.value == Decimal("0.02") * 50_000
    assert account.equity.currency == position.value.currency == fills[0].fee.currency
    engine = scene.engine(lambda engine: engine.account_state(trader.account.address))
    assert account.equity.value == engine.account_value


def test_a_maker_s_fill_says_so(scene: VenueScene, trader: Trader) -> None:
    since = LiveClock().now() - timedelta(seconds=5)
    trader.place(limit(scene.key(), at=49_995))
    scene.trade("sell", "49995", "0.01")
    (fill,) = until(lambda: trader.client.fills(since) or None, "the fill")
    assert (fill.liquidity, fill.price.value) == (Liquidity.MAKER, 49_995)


def test_short_positions_are_negative(scene: VenueScene, trader: Trader) -> None:
    trader.place(market(scene.key("BTC"), Side.SELL))
    (position,) = until(lambda: trader.client.account_snapshot().positions or None, "a position")
    assert position.quantity.value == Decimal("-0.01")
    assert position.value.value == Decimal(-500)
    assert position.unrealised.value == Decimal("-0.1")
    assert position.entry_price is None or position.entry_price.value == 49_990


def test_an_account_without_anything_is_flat_and_says_what_it_has(trader: Trader) -> None:
    account = trader.client.account_snapshot()
    assert account.positions == ()
    assert account.equity.value == account.cash.value == account.withdrawable.value == Decimal(DEPOSIT)
    assert account.margin_used.value == 0
    now = LiveClock().now()
    assert trader.client.fills(now - timedelta(minutes=5)) == []
    assert trader.client.funding(now - timedelta(minutes=5)) == []
    assert trader.client.open_orders() == []


def test_fills_are_told_from_every_page_oldest_first(scene: VenueScene, trader: Trader) -> None:
    since = LiveClock().now() - timedelta(seconds=5)
    wanted = scene.venue.many_fills

    def trade(engine: Exchange) -> None:
        for number in range(wanted):
            buys = number % 2 == 0
            price = Decimal(50_010 if buys else 49_990)
            order = NewOrder("BTC", buys, Decimal("0.01"), price, Tif.IOC)
            engine.place(trader.account.address, [order])

    scene.engine(trade)
    fills = until(lambda: found if len(found := trader.client.fills(since)) >= wanted else None, f"{wanted} fills")
    assert len({fill.venue_trade_id for fill in fills}) == len(fills) == wanted
    assert [fill.time_exchange for fill in fills] == sorted(fill.time_exchange for fill in fills)
    assert sum(fill.side.sign for fill in fills) == wanted % 2
    assert trader.client.fills(LiveClock().now() + timedelta(seconds=5)) == []


def test_funding_is_told_with_its_sign(scene: VenueScene, trader: Trader) -> None:
    since = LiveClock().now() - timedelta(seconds=5)
    trader.place(market(scene.key(), Side.BUY))
    scene.engine(lambda engine: engine.pay_funding())
    (payment,) = until(lambda: trader.client.funding(since) or None, "the payment")
    paid = scene.engine(lambda engine: engine.funding_payments(trader.account.address))[0]
    assert (payment.symbol, payment.amount.value) == (scene.symbol(), -paid.paid)
    assert payment.amount.value < 0
    assert abs(payment.time_exchange - LiveClock().now()) < timedelta(minutes=1)
    assert trader.client.funding(LiveClock().now() + timedelta(seconds=5)) == []


def test_leverage_is_set_or_refused(scene: VenueScene, trader: Trader) -> None:
    before = trader.requests
    if scene.capabilities.leverage is not Support.NATIVE:
        with pytest.raises(InvalidValue):
            trader.client.set_leverage(scene.key(), 3, MarginMode.CROSS, trader.nonce)
        assert trader.requests == before
        return
    trader.client.set_leverage(scene.key(), 3, MarginMode.CROSS, trader.nonce)
    # The same again is no error: whoever restarts says it again.
    trader.client.set_leverage(scene.key(), 3, MarginMode.CROSS, trader.nonce)
    trader.place(market(scene.key(), Side.BUY))
    (position,) = until(lambda: trader.client.account_snapshot().positions or None, "a position")
    assert position.leverage == 3
    with pytest.raises(VenueRejected):
        trader.client.set_leverage(scene.key(), 1_000, MarginMode.CROSS, trader.nonce)


def test_the_dead_man_s_switch_is_armed_or_refused(scene: VenueScene, trader: Trader) -> None:
    in_a_minute = LiveClock().now() + timedelta(seconds=60)
    # Where the timer is one per symbol, it guards symbols in which there are orders.
    trader.place(limit(scene.key()))
    before = trader.requests
    if scene.capabilities.silence_guard in TIMERS:
        trader.client.schedule_cancel(in_a_minute, trader.nonce)
        trader.client.schedule_cancel(None, trader.nonce)
        assert trader.requests > before
        with pytest.raises((VenueRejected, InvalidValue)):
            trader.client.schedule_cancel(LiveClock().now(), trader.nonce)
        return
    with pytest.raises(InvalidValue):
        trader.client.schedule_cancel(in_a_minute, trader.nonce)
    assert trader.requests == before


def test_the_signer_has_a_name_and_the_client_no_secret_in_its_repr(trader: Trader) -> None:
    assert trader.client.signer_address
    secret = trader.account.credentials.signer_key
    for shown in (repr(trader.client), trader.client.signer_address, repr(trader.account.credentials)):
        assert secret not in shown
        assert secret.rpartition(":")[2] not in shown


def test_a_key_that_is_not_the_account_s_is_refused(scene: VenueScene, trader: Trader) -> None:
    stranger = registry.client_for(scene.config, scene.venue.wrong_key(trader.account), trader.numbers)
    order = limit(scene.key())
    try:
        reports = stranger.place([RiskApproved(order)], trader.nonce, soon())
    except (VenueRejected, NotSent):
        pass
    else:
        assert [report.status for report in reports] == [OrderStatus.REJECTED]
    stranger.close()
    assert trader.orders_held == []
