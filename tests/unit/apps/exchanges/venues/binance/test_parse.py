"""Orders, fills and accounts, from the venue's own transcripts and from answers built to be awkward."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.exchanges.ports import ParseError, ReportSource
from apps.exchanges.venues.binance import parse, parse_account
from apps.exchanges.venues.binance.messages import ErrorBody, OrderRow
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import Liquidity
from moondev.domain.orders import OrderStatus
from moondev.domain.values import Quantity, Side
from tests.unit.apps.exchanges.venues.binance import recordings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = UUID("6f0f2f0e-6d0c-5b57-9a52-6d6f6f6e6465")
recorded = pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT)

ORDER = {
    "symbol": "BTCUSDT", "orderId": 7, "clientOrderId": str(NAME), "status": "NEW", "side": "BUY", "type": "LIMIT",
    "price": "49000.0", "origQty": "0.030", "executedQty": "0.010", "reduceOnly": False, "updateTime": 1_000,
    "time": 900, "stopPrice": "0",
}  # fmt: skip
ALGO = {
    "algoId": 3, "clientAlgoId": str(NAME), "orderType": "STOP_MARKET", "symbol": "BTCUSDT", "side": "SELL",
    "quantity": "0.01", "algoStatus": "NEW", "triggerPrice": "45000", "price": "0", "reduceOnly": True,
    "createTime": 900, "updateTime": 1_000,
}  # fmt: skip
POSITION = {
    "symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "-0.020", "unrealizedProfit": "-0.20000000",
    "notional": "-1000.00000000", "initialMargin": "100.00000000",
}  # fmt: skip


def holding(**position: object) -> str:
    money = {"marginBalance": "99999.50", "availableBalance": "99000", "initialMargin": "100"}
    held = [{"asset": "BNB", **money}, {"asset": "USDT", **money}]
    return json.dumps({"assets": held, "positions": [{**POSITION, **position}]})


@recorded
def test_the_venue_s_own_examples_of_orders_are_read() -> None:
    report = parse.order(recordings.text("Trading/GetOrder"), ReportSource.RECONCILE, NOW)
    assert (report.client_order_id, report.venue_order_id, report.status) == (None, "1917641", OrderStatus.OPEN)
    placed = parse.decoded("order", recordings.text("Trading/PlaceOrder"), OrderRow)
    assert (placed.orderId, placed.status, placed.time) == (22542179, "NEW", None)
    assert parse.decoded("order", recordings.text("Trading/EditOrder"), OrderRow).price == "30005"
    first, second = parse.answers(recordings.text("Trading/CancelMultipleOrders"), 2)
    assert isinstance(first, OrderRow)
    assert isinstance(second, ErrorBody)
    assert second.code == -2011
    placed_one, refused = parse.answers(recordings.text("Trading/PlaceMultipleOrders"), 2)
    assert isinstance(placed_one, OrderRow)
    assert isinstance(refused, ErrorBody)


@recorded
def test_the_venue_s_own_examples_of_lists_are_read() -> None:
    waiting, odd = parse.waiting_orders(recordings.text("Trading/GetOpenConditionalOrders"))
    assert odd == []
    assert [(order.venue_order_id, order.trigger_price.value) for order in waiting.read if order.trigger_price] == [
        ("algo:2148627", Decimal(750))
    ]
    fills = parse.fills(recordings.text("Trading/GetUserTrades"), NOW)
    assert fills.unreadable == ()
    assert [(fill.venue_trade_id, fill.liquidity) for fill in fills.read] == [
        ("BTCUSDT-25851813-698759", Liquidity.TAKER)
    ]
    assert parse.incomes(recordings.text("Account/GetIncomeHistory")).count == 2
    assert parse.funding_rows(recordings.text("ExchangeData/GetFundingRates")).unreadable == ()
    account = recordings.answer("Account/GetAccountInfoV3")
    # The example holds one bitcoin worth nothing, which is no position that can be told.
    with pytest.raises(ParseError):
        parse_account.account_snapshot(json.dumps(account), NOW)
    snapshot = parse_account.account_snapshot(json.dumps({**account, "positions": []}), NOW)
    # Only what is held in USDT counts: three currencies never add up.
    assert snapshot.equity.value == Decimal("23.72469206")


@recorded
def test_the_venue_s_own_list_of_instruments_gives_a_grid() -> None:
    rows = parse_account.listings(recordings.text("ExchangeData/GetExchangeInfo"), "binance")
    assert rows.unreadable == ()
    for listing in rows.read:
        assert listing.instrument.quote == "USDT"
        assert listing.instrument.price_grid.tick > 0


def test_an_order_of_ours_is_known_by_its_name_and_others_are_strangers() -> None:
    assert parse.client_order_id(str(NAME)) == NAME
    # What ccxt, the web site and the venue itself call their orders; and a UUID written as nobody here writes it.
    for text in ("x-cvBPrNm9a47520862ef34295895232", "web_abc", "autoclose-1", "", str(NAME).upper(), NAME.hex):
        assert parse.client_order_id(text) is None
    assert len(str(uuid4())) == 36


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NEW", OrderStatus.OPEN),
        ("PARTIALLY_FILLED", OrderStatus.PARTIALLY_FILLED),
        ("FILLED", OrderStatus.FILLED),
        ("CANCELED", OrderStatus.CANCELLED),
        ("EXPIRED", OrderStatus.EXPIRED),
        ("EXPIRED_IN_MATCH", OrderStatus.EXPIRED),
        ("REJECTED", OrderStatus.REJECTED),
    ],
)
def test_every_status_has_its_meaning(word: str, status: OrderStatus) -> None:
    report = parse.order(json.dumps({**ORDER, "status": word}), ReportSource.SEND, NOW)
    assert report.status is status
    assert report.filled_quantity is not None
    assert report.filled_quantity.value == Decimal("0.010")
    assert bool(report.reason) is (status not in {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})


@pytest.mark.parametrize(
    "change",
    [
        {"status": "SUSPENDED"},
        {"orderId": "7"},
        {"executedQty": 0.01},
        {"executedQty": "NaN"},
        {"executedQty": "1_0"},
        {"side": "LONG"},
        {"updateTime": 10**30},
        {"clientOrderId": None},
    ],
)
def test_an_order_that_is_not_as_documented_is_an_error_with_the_evidence(change: dict[str, Any]) -> None:
    with pytest.raises(ParseError) as caught:
        parse.order(json.dumps({**ORDER, **change}), ReportSource.SEND, NOW)
    assert "BTCUSDT" in caught.value.evidence


def test_a_conditional_order_waits_without_a_venue_id_until_it_is_released() -> None:
    """Its fills come under the id of the ordinary order it becomes, so that is the one to keep (wire.md 2.3)."""
    rows, odd = parse.waiting_orders(json.dumps([ALGO]))
    (listed,) = rows.read
    assert odd == []
    assert (listed.venue_order_id, listed.client_order_id, listed.side) == ("algo:3", NAME, Side.SELL)
    # No price of its own: it executes at the market.
    assert listed.price == listed.trigger_price
    report = parse.algo_report(parse.decoded("algo", json.dumps(ALGO), parse.AlgoRow), ReportSource.SEND, NOW)
    assert (report.venue_order_id, report.status) == (None, OrderStatus.OPEN)
    stranger = {**ALGO, "clientAlgoId": "web_1", "algoStatus": "CANCELED"}
    other = parse.algo_report(parse.decoded("algo", json.dumps(stranger), parse.AlgoRow), ReportSource.SEND, NOW)
    assert (other.client_order_id, other.venue_order_id, other.status) == (None, "algo:3", OrderStatus.CANCELLED)
    with pytest.raises(InvalidValue, match="TRIGGERED"):
        parse.algo_status("TRIGGERED")


def test_a_trailing_order_shows_where_its_trigger_started() -> None:
    trailing = {**ALGO, "orderType": parse.TRAILING, "triggerPrice": "0", "activatePrice": "50000", "callbackRate": "1"}
    (sells,) = parse.waiting_orders(json.dumps([trailing]))[0].read
    (buys,) = parse.waiting_orders(json.dumps([{**trailing, "side": "BUY"}]))[0].read
    assert sells.trigger_price is not None
    assert buys.trigger_price is not None
    assert (sells.trigger_price.value, buys.trigger_price.value) == (Decimal(49_500), Decimal(50_500))
    rows, odd = parse.waiting_orders(json.dumps([{**trailing, "activatePrice": ""}]))
    assert (rows.read, len(rows.unreadable), [order.venue_order_id for order in odd]) == ((), 1, ["algo:3"])


def test_an_odd_order_costs_itself_only_and_can_still_be_cancelled() -> None:
    odd = [{**ORDER, "price": "0"}, {**ORDER, "orderId": 8, "side": 1}, {**ORDER, "orderId": None}, "nonsense"]
    rows, unread = parse.resting_orders(json.dumps([ORDER, *odd]))
    assert [order.venue_order_id for order in rows.read] == ["7"]
    assert len(rows.unreadable) == 4
    assert [(order.symbol, order.venue_order_id) for order in unread] == [
        ("BTCUSDT", "7"),
        ("BTCUSDT", "8"),
        ("BTCUSDT", ""),
        ("", ""),
    ]
    assert unread[0].client_order_id == NAME


def test_a_batch_with_another_number_of_answers_is_not_guessed_at() -> None:
    with pytest.raises(ParseError, match="1 answers to 2"):
        parse.answers(json.dumps([ORDER]), 2)
    with pytest.raises(ParseError):
        parse.answers(json.dumps({"code": -1, "msg": ""}), 1)


def test_a_snapshot_is_of_one_moment_and_adds_up() -> None:
    snapshot = parse_account.account_snapshot(holding(), NOW)
    (position,) = snapshot.positions
    assert (position.quantity.value, position.value.value) == (Decimal("-0.020"), Decimal(-1000))
    assert position.mark_price.value == 50_000
    assert position.entry_price is not None
    # Sold at 49,990 and worth ten cents a hundredth less by now.
    assert position.entry_price.value == 49_990
    assert position.leverage == 10
    assert snapshot.cash.value == Decimal("99999.50") + 1000
    assert parse_account.account_snapshot(holding(positionAmt="0"), NOW).positions == ()
    assert parse_account.account_snapshot(json.dumps({"assets": [], "positions": []}), NOW).equity.value == 0


@pytest.mark.parametrize(
    "change", [{"positionSide": "LONG"}, {"notional": "x"}, {"notional": "-0.0"}, {"initialMargin": None}]
)
def test_a_position_that_cannot_be_told_right_is_not_told(change: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        parse_account.account_snapshot(holding(**change), NOW)


def test_only_perpetuals_in_usdt_that_trade_are_listed() -> None:
    rules = [
        {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
        {"filterType": "LOT_SIZE", "stepSize": "0.001"},
        {"filterType": "MIN_NOTIONAL", "notional": "100"},
    ]
    btc = {
        "symbol": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "BTC",
        "quoteAsset": "USDT", "marginAsset": "USDT", "filters": rules,
    }  # fmt: skip
    others = [
        {**btc, "symbol": "BTCUSDC", "quoteAsset": "USDC", "marginAsset": "USDC"},
        {**btc, "symbol": "BTCUSDT_261225", "contractType": "CURRENT_QUARTER"},
        {**btc, "symbol": "OLDUSDT", "status": "SETTLING"},
    ]
    odd = [{**btc, "symbol": "ODDUSDT", "filters": rules[:2]}, 7]
    rows = parse_account.listings(json.dumps({"symbols": [*others, *odd, btc]}), "here")
    (listing,) = rows.read
    assert (listing.instrument.key, listing.venue_asset_id) == ("here:BTCUSDT", 5)
    assert (listing.instrument.price_grid.tick, listing.instrument.lot.value) == (Decimal("0.1"), Decimal("0.001"))
    assert len(rows.unreadable) == 2
    assert listing.instrument.max_market_quantity is None
    told = {**btc, "filters": [*rules, {"filterType": "MARKET_LOT_SIZE", "maxQty": "120.000", "stepSize": "0.001"}]}
    (listing,) = parse_account.listings(json.dumps({"symbols": [told]}), "here").read
    assert listing.instrument.max_market_quantity == Quantity(Decimal(120))
