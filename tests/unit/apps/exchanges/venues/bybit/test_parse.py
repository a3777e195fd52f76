"""Orders, executions and accounts: the venue's words become ours, exactly or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from apps.exchanges.ports import FundingPayment, ParseError, ReportSource
from apps.exchanges.venues.bybit import parse
from moondev.domain.clock import milliseconds
from moondev.domain.fills import FillKind, FillReport, Liquidity
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Side
from tests.unit.apps.exchanges.venues.bybit import recordings
from tests.unit.apps.exchanges.venues.bybit.rows import (
    EXECUTION,
    NAME,
    ORDER,
    answered,
    listed,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
recorded = pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT)


def report(**fields: Any) -> OrderReport:
    found = parse.order_reports([ORDER | fields], ReportSource.STREAM, NOW)
    assert found.unreadable == (), found.unreadable
    return found.read[0]


def fill(**fields: Any) -> FillReport:
    found = parse.executions([EXECUTION | fields], NOW)
    assert found.unreadable == (), found.unreadable
    (one,) = found.read
    assert isinstance(one, FillReport)
    return one


# --- orders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("New", OrderStatus.OPEN),
        ("PartiallyFilled", OrderStatus.PARTIALLY_FILLED),
        ("Untriggered", OrderStatus.OPEN),
        ("Triggered", OrderStatus.OPEN),
        ("Filled", OrderStatus.FILLED),
        ("Cancelled", OrderStatus.CANCELLED),
        ("PartiallyFilledCanceled", OrderStatus.CANCELLED),
        ("Deactivated", OrderStatus.CANCELLED),
        ("Rejected", OrderStatus.REJECTED),
    ],
)
def test_statuses(word: str, status: OrderStatus) -> None:
    found = report(orderStatus=word, cumExecQty="0.04")
    assert (found.status, found.filled_quantity.value if found.filled_quantity else None) == (status, Decimal("0.04"))
    assert (found.client_order_id, found.venue_order_id) == (UUID(NAME), ORDER["orderId"])
    assert milliseconds(found.time_exchange or NOW) == 1684738540561


def test_an_unheard_of_status_is_not_guessed() -> None:
    found = parse.order_reports([ORDER | {"orderStatus": "Resting"}, ORDER], ReportSource.STREAM, NOW)
    assert len(found.read) == len(found.unreadable) == 1
    assert "Resting" in str(found.unreadable[0])


def test_the_reason_of_an_end_is_the_venue_s_word_for_it() -> None:
    # wire.md 2.7: a post-only order that would take is accepted, then cancelled with this reason alone.
    late = report(orderStatus="Cancelled", rejectReason="EC_PostOnlyWillTakeLiquidity", cancelType="UNKNOWN")
    assert (late.status, late.reason) == (OrderStatus.CANCELLED, "EC_PostOnlyWillTakeLiquidity")
    assert report(orderStatus="Cancelled", cancelType="CancelByUser").reason == "CancelByUser"
    assert report(orderStatus="Deactivated").reason == "Deactivated"
    assert report(cancelType="CancelByUser").reason == ""


def test_a_trigger_is_told_from_when_it_waits_no_more() -> None:
    assert not report(orderStatus="Untriggered", triggerPrice="48000").triggered
    assert report(orderStatus="New", triggerPrice="48000").triggered
    assert not report(orderStatus="New", triggerPrice="0.00").triggered
    assert not report(orderStatus="Deactivated", triggerPrice="48000").triggered


def test_orders_of_others_have_no_id_of_ours() -> None:
    assert report(orderLinkId="by-hand").client_order_id is None
    assert report(orderLinkId="").client_order_id is None


def test_open_orders_are_read_and_odd_ones_named() -> None:
    stop = ORDER | {"price": "0", "triggerPrice": "48000", "orderStatus": "Untriggered", "reduceOnly": True}
    odd = ORDER | {"qty": "a lot", "reduceOnly": True}
    nameless = {"orderId": 7, "symbol": None}
    found, unread = parse.open_orders([ORDER, stop, odd, nameless, "what"])
    plain, waiting = found.read
    assert (plain.price.value, plain.remaining.value, plain.trigger_price) == (Decimal(49_000), Decimal("0.1"), None)
    # It goes to the market once triggered and has no price, so its trigger stands for one.
    assert (waiting.price.value, waiting.trigger_price and waiting.trigger_price.value) == (48_000, 48_000)
    assert waiting.reduce_only
    assert len(found.unreadable) == 3
    first, second, third = unread
    assert (first.symbol, first.venue_order_id, first.client_order_id) == ("BTCUSDT", ORDER["orderId"], UUID(NAME))
    assert first.reduce_only
    assert (second.symbol, second.venue_order_id, second.client_order_id) == ("", "", None)
    assert (third.symbol, third.reduce_only) == ("", False)


def test_hedge_mode_is_no_position_of_ours() -> None:
    for found in (
        parse.order_reports([ORDER | {"positionIdx": 1}], ReportSource.STREAM, NOW),
        parse.open_orders([ORDER | {"positionIdx": 2}])[0],
    ):
        assert "one-way" in str(found.unreadable[0])


def test_what_was_seen_of_an_order_is_found_by_our_name() -> None:
    found = parse.seen([ORDER, {"odd": True}], NOW)
    assert list(found) == [NAME]
    assert (found[NAME].price, found[NAME].quantity) == (Decimal(49_000), Decimal("0.10"))
    assert found[NAME].report.source == ReportSource.SEND


# --- executions ---------------------------------------------------------------------------------------------------


def test_a_fill_is_exact_and_has_a_name_per_side() -> None:
    found = fill()
    assert (found.price.value, found.quantity.value) == (Decimal("50010.5"), Decimal("0.1"))
    assert (found.fee.value, found.fee.currency) == (Decimal("2.7505775"), "USDT")
    assert (found.side, found.liquidity, found.kind) == (Side.SELL, Liquidity.TAKER, FillKind.ORDER)
    assert found.client_order_id == UUID(NAME)
    # A trade with ourselves has two sides and perhaps one name.
    assert fill(side="Buy").venue_trade_id != found.venue_trade_id
    assert len(found.venue_trade_id) <= 64
    assert fill(isMaker=True, execFee="-0.5").fee.value == Decimal("-0.5")
    assert fill(symbol="BTCPERP").fee.currency == "USDC"


@pytest.mark.parametrize(
    ("word", "kind"),
    [("BustTrade", FillKind.LIQUIDATION), ("AdlTrade", FillKind.DELEVERAGING), ("BlockTrade", FillKind.ORDER)],
)
def test_what_happened_without_our_asking_says_so(word: str, kind: FillKind) -> None:
    assert fill(execType=word).kind is kind


def test_an_execution_of_an_unheard_of_kind_is_told_and_not_booked() -> None:
    found = parse.executions([EXECUTION | {"execType": "Gift"}, EXECUTION], NOW)
    assert len(found.read) == 1
    assert "Gift" in str(found.unreadable[0])


@pytest.mark.parametrize(
    ("side", "fee", "rate", "amount", "market_rate", "position"),
    [
        # Longs pay when the market's rate is above zero; each side sees the rate with its own sign.
        ("Buy", "0.1", "0.0001", "-0.1", "0.0001", "0.98"),
        ("Sell", "-0.1", "-0.0001", "0.1", "0.0001", "-0.98"),
        ("Sell", "0.2", "0.0002", "-0.2", "-0.0002", "-0.98"),
    ],
)
def test_funding_is_an_execution(side: str, fee: str, rate: str, amount: str, market_rate: str, position: str) -> None:
    row = EXECUTION | {"execType": "Funding", "side": side, "execFee": fee, "feeRate": rate, "execQty": "0.98"}
    (payment,) = parse.executions([row], NOW).read
    assert isinstance(payment, FundingPayment)
    assert (payment.amount.value, payment.rate, payment.position.value) == (
        Decimal(amount),
        Decimal(market_rate),
        Decimal(position),
    )
    assert payment.payment_id == "BTCUSDT:1672282722429"


# --- answers ------------------------------------------------------------------------------------------------------


def test_an_answer_that_has_not_the_known_shape_is_an_error_with_its_text() -> None:
    for text in ("", "<html>", "[]", '{"retCode":"0"}', answered([]), answered({"list": {}})):
        with pytest.raises(ParseError) as caught:
            parse.page("orders", text)
        assert caught.value.what == "orders"
    assert parse.page("orders", answered({"list": None})) == ([], "")
    assert parse.page("orders", listed(1, cursor="next")) == ([1], "next")


# --- recordings ---------------------------------------------------------------------------------------------------


@recorded
def test_recorded_answers_are_read() -> None:
    orders = recordings.result("Trading/GetOrders")["list"]
    # It is of an account in hedge mode, which is refused; in one-way mode everything else of it is read.
    assert "one-way" in str(parse.order_reports(orders, ReportSource.RECONCILE, NOW).unreadable[0])
    (one,) = parse.open_orders([orders[0] | {"positionIdx": 0}])[0].read
    assert (one.symbol, one.price.value, one.remaining.value) == ("ETHUSDT", 1600, Decimal("0.10"))
    history = [row | {"positionIdx": 0} for row in recordings.result("Trading/GetOrderHistory")["list"]]
    assert parse.order_reports(history, ReportSource.RECONCILE, NOW).unreadable == ()
    (trade,) = parse.executions(recordings.result("Trading/GetUserTrades")["list"], NOW).read
    assert isinstance(trade, FillReport)
    assert (trade.price.value, trade.fee.value, trade.fee.currency) == (
        Decimal("1190.15"),
        Decimal("0.071409"),
        "USDC",
    )
