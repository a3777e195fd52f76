"""The account's channel as events."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from apps.exchanges.ports import BalanceBatch, FillBatch, OrderBatch, PositionBatch, Unreadable
from apps.exchanges.venues.phemex.parse_account import account_events
from apps.exchanges.venues.phemex.stream_messages import AccountMessage
from moondev.domain.fills import FillKind, Liquidity
from moondev.domain.orders import OrderStatus
from tests.unit.apps.exchanges.venues.phemex.recordings import recorded
from tests.unit.apps.exchanges.venues.phemex.rows import EVENT, NAME, NOW, account, sent


def events(message: Any) -> list[Any]:
    return list(account_events(msgspec.json.decode(sent(message), type=AccountMessage), NOW))


def reports(message: Any) -> list[Any]:
    return [report for event in events(message) if isinstance(event, OrderBatch) for report in event.reports]


def test_a_fill_comes_before_the_order_it_belongs_to() -> None:
    fills, orders = events(account(orders_p=[EVENT]))
    (fill,), (report,) = fills.fills, orders.reports
    assert isinstance(fills, FillBatch)
    assert not fills.snapshot
    assert (fill.venue_trade_id, fill.client_order_id, fill.liquidity) == (
        f"{EVENT['execID']}-Buy",
        NAME,
        Liquidity.TAKER,
    )
    assert (fill.price.value, fill.quantity.value, fill.fee.value) == (20_849, Decimal("0.001"), Decimal("0.0125"))
    assert (report.status, report.filled_quantity.value) == (OrderStatus.FILLED, Decimal("0.003"))
    assert report.fills == ()


def test_a_cancel_carries_a_quantity_and_is_no_fill() -> None:
    """Recorded so: execQty is what was cancelled, with an execID of zeros."""
    gone = EVENT | {
        "action": "Cancel",
        "execStatus": "Canceled",
        "ordStatus": "Canceled",
        "execQty": "0.002",
        "cumQty": "0.001",
        "execID": "00000000-0000-0000-0000-000000000000",
    }
    (orders,) = events(account(orders_p=[gone]))
    (report,) = orders.reports
    assert (report.status, report.filled_quantity.value) == (OrderStatus.CANCELLED, Decimal("0.001"))


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"ordStatus": "New", "execStatus": "New", "cumQty": "0"}, OrderStatus.OPEN, ""),
        ({"ordStatus": "New", "execStatus": "Replaced", "cumQty": "0"}, OrderStatus.OPEN, ""),
        ({"ordStatus": "Untriggered", "execStatus": "Registered", "cumQty": "0"}, OrderStatus.OPEN, ""),
        (
            {"ordStatus": "Rejected", "execStatus": "CreateRejected", "cumQty": "0", "cxlRejReason": 101},
            OrderStatus.REJECTED,
            "101: CE_WILLCROSS",
        ),
        (
            {"ordStatus": "Canceled", "execStatus": "Canceled", "cumQty": "0", "cxlRejReason": "100"},
            OrderStatus.CANCELLED,
            "100: CE_NO_ENOUGH_QTY",
        ),
        (
            {"ordStatus": "Rejected", "execStatus": "Aborted", "cumQty": "0", "message": "TE_RISK"},
            OrderStatus.REJECTED,
            "TE_RISK",
        ),
    ],
)
def test_what_happened_is_told_with_its_reason(changes: dict[str, object], status: OrderStatus, reason: str) -> None:
    (report,) = reports(account(orders_p=[EVENT | changes]))
    assert (report.status, report.reason) == (status, reason)


def test_a_trigger_that_fired_is_told() -> None:
    (report,) = reports(account(orders_p=[EVENT | {"ordStatus": "Triggered", "execStatus": "Triggered"}]))
    assert report.triggered


def test_the_venue_s_own_trades_say_why() -> None:
    kinds = {"LiqTrade": FillKind.LIQUIDATION, "AdlTrade": FillKind.DELEVERAGING}
    for word, kind in kinds.items():
        (fills, _) = events(account(orders_p=[EVENT | {"tradeType": word, "execStatus": "MakerFill"}]))
        assert (fills.fills[0].kind, fills.fills[0].liquidity) == (kind, Liquidity.MAKER)


def test_funding_is_asked_for_and_not_taken_from_here() -> None:
    """The two ways give one payment different times, and the time is part of its name: it would be booked twice."""
    settled = EVENT | {"action": "SettleFundingFee", "tradeType": "Funding", "orderID": ""}
    assert events(account(orders_p=[settled])) == []


def test_an_odd_row_costs_itself_only() -> None:
    odd = EVENT | {"execPriceRp": "cheap"}
    fills, orders, left_out = events(account(orders_p=[odd, EVENT, {"symbol": 1}]))
    assert len(fills.fills) == len(orders.reports) == 1
    assert isinstance(left_out, Unreadable)
    assert len(left_out.reasons) == 2


def test_positions_and_money_are_hints() -> None:
    money = {"currency": "USDT", "accountBalanceRv": "512.097", "accountID": 1}
    place = {"symbol": "ETHUSDT", "side": "Sell", "size": "0.5", "transactTimeNs": 0}
    flat = place | {"symbol": "BTCUSDT", "side": "None", "size": "0"}
    positions, balances = events(account(accounts_p=[money], positions_p=[place, flat]))
    assert isinstance(positions, PositionBatch)
    # What has just been closed is news.
    assert [(one.symbol, one.quantity.value) for one in positions.positions] == [
        ("ETHUSDT", Decimal("-0.5")),
        ("BTCUSDT", 0),
    ]
    assert isinstance(balances, BalanceBatch)
    assert balances.balances[0].wallet == Decimal("512.097")


def test_a_snapshot_tells_every_position_there_is_and_the_past_as_past() -> None:
    flat = {"symbol": "BTCUSDT", "side": "None", "size": "0"}
    fills, _, positions = events(account("snapshot", orders_p=[EVENT], positions_p=[flat]))
    assert fills.snapshot
    assert (positions.snapshot, positions.positions) == (True, ())


def test_recorded_messages_are_read() -> None:
    messages = recorded("ws.json")["aop_p_positions"]["messages"][2:]
    found = [event for message in messages for event in events(message)]
    assert [(one.symbol, one.quantity.value) for batch in found for one in batch.positions] == [
        ("SOLUSDT", Decimal("0.08")),
        ("SOLUSDT", 0),
    ]
