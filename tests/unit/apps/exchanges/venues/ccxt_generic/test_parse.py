"""ccxt's structures as domain values: what they say, and that nothing else comes of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.ports import ParseError, ReportSource
from apps.exchanges.venues.ccxt_generic import parse
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import OrderStatus
from moondev.domain.values import Price, Quantity, Side

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = UUID(int=7)
MARKET = {
    "id": "BTC-SWAP", "symbol": "BTC/USDT:USDT", "base": "BTC", "settle": "USDT", "contractSize": "0.01",
    "precision": {"price": "0.5", "amount": "1"}, "limits": {"cost": {"min": "5"}, "leverage": {"max": "75"}},
}  # fmt: skip
ORDER = {
    "id": "1", "clientOrderId": NAME.hex, "symbol": "BTC/USDT:USDT", "side": "buy", "status": "open", "price": "100",
    "amount": "300", "filled": "0", "timestamp": 1_767_225_600_000, "reduceOnly": None, "triggerPrice": None,
}  # fmt: skip
TRADE = {
    "id": "t", "order": "1", "symbol": "BTC/USDT:USDT", "side": "sell", "price": "100", "amount": "50",
    "takerOrMaker": "maker", "fee": {"cost": "0.01", "currency": "USDT"}, "timestamp": 1_767_225_600_000,
}  # fmt: skip
POSITION = {
    "symbol": "BTC/USDT:USDT", "contracts": "200", "side": "short", "markPrice": "90", "entryPrice": "100",
    "unrealizedPnl": "20", "leverage": "3",
}  # fmt: skip
FUNDING = {"symbol": "BTC/USDT:USDT", "amount": "-1.5", "code": "USDT", "timestamp": 1_767_225_600_000}


def contracts(unified: object) -> tuple[str, Decimal]:
    if unified != "BTC/USDT:USDT":
        raise InvalidValue("symbol", unified, "listed")
    return "BTC-SWAP", Decimal("0.01")


READERS: dict[str, tuple[dict[str, Any], Callable[[Any], object]]] = {
    "order": (ORDER, lambda row: parse.order_report(row, contracts, ReportSource.STREAM, NOW)),
    "open order": (ORDER, lambda row: parse.resting_order(row, contracts)),
    "trade": (TRADE, lambda row: parse.fill(row, contracts, NOW)),
    "public trade": (TRADE, lambda row: parse.trade(row, "BTC-SWAP", NOW)),
    "position": (POSITION, lambda row: parse.position(row, contracts, "USDT")),
    "funding": (FUNDING, lambda row: parse.funding_payment(row, contracts, NOW, 1)),
    "market": (MARKET, lambda row: parse.listing(row, "okx", ccxt.TICK_SIZE)),
}


def test_amounts_in_contracts_become_base_currency() -> None:
    listed = parse.listing(MARKET, "okx", ccxt.TICK_SIZE).instrument
    assert (listed.key, listed.lot, listed.max_leverage) == ("okx:BTC-SWAP", Quantity(Decimal("0.01")), 75)
    assert listed.price_grid.tick == Decimal("0.5")
    assert listed.max_market_quantity is None
    for limits, most in (
        ({"amount": {"max": 5_000}}, 50),
        ({"amount": {"max": 5_000}, "market": {"max": 120}}, Decimal("1.2")),
    ):
        told = MARKET | {"limits": MARKET["limits"] | limits}
        assert parse.listing(told, "okx", ccxt.TICK_SIZE).instrument.max_market_quantity == Quantity(Decimal(most))
    resting = parse.resting_order(ORDER | {"filled": "100"}, contracts)
    assert (resting.quantity, resting.remaining) == (Quantity(Decimal(3)), Quantity(Decimal(2)))
    assert (resting.client_order_id, resting.side, resting.price) == (NAME, Side.BUY, Price(Decimal(100)))
    fill = parse.fill(TRADE, contracts, NOW)
    assert (fill.venue_trade_id, fill.quantity.value, fill.fee.value) == (
        "BTC-SWAP-t-sell",
        Decimal("0.5"),
        Decimal("0.01"),
    )
    position = parse.position(POSITION, contracts, "USDT")
    assert position is not None
    assert (position.quantity.value, position.value.value, position.leverage) == (-2, -180, 3)
    assert parse.position(POSITION | {"contracts": "0"}, contracts, "USDT") is None
    assert parse.funding_payment(FUNDING, contracts, NOW, -1).amount.value == Decimal("1.5")


@pytest.mark.parametrize(
    ("said", "filled", "status"),
    [
        ("open", "0", OrderStatus.OPEN),
        ("open", "1", OrderStatus.PARTIALLY_FILLED),
        ("closed", "300", OrderStatus.FILLED),
        # An immediate order that found too little is "closed" at some exchanges.
        ("closed", "1", OrderStatus.CANCELLED),
        ("canceled", "1", OrderStatus.CANCELLED),
        ("expired", "0", OrderStatus.EXPIRED),
        ("rejected", "0", OrderStatus.REJECTED),
        (None, "0", None),
    ],
)
def test_an_order_is_where_its_status_and_its_fills_say(said: str | None, filled: str, status: OrderStatus) -> None:
    order = ORDER | {"status": said, "filled": filled}
    assert parse.order_report(order, contracts, ReportSource.SEND, NOW).status is status


def test_the_name_of_a_trade_fits_the_books_and_is_the_same_every_time() -> None:
    long, again = (parse.fill(TRADE | {"id": "x" * 80}, contracts, NOW).venue_trade_id for _ in range(2))
    assert long == again
    assert len(long) <= 64
    assert long != parse.fill(TRADE | {"id": "x" * 80, "side": "buy"}, contracts, NOW).venue_trade_id


def test_a_status_nobody_documented_is_no_status() -> None:
    with pytest.raises(ParseError, match="dancing"):
        parse.order_report(ORDER | {"status": "dancing"}, contracts, ReportSource.SEND, NOW)


def test_orders_of_others_have_no_name_of_ours() -> None:
    for text in (None, "", "x-abc", NAME.hex.upper() + "F", "0x" + NAME.hex):
        assert parse.client_order_id(text) is None


def test_precision_is_read_as_the_exchange_means_it() -> None:
    def tick(precision: object, mode: int) -> Decimal:
        return parse.listing(
            MARKET | {"precision": {"price": precision, "amount": "1"}}, "okx", mode
        ).instrument.price_grid.tick

    assert tick("0.05", ccxt.TICK_SIZE) == Decimal("0.05")
    assert tick("2", ccxt.DECIMAL_PLACES) == Decimal("0.01")
    five = parse.listing(MARKET | {"precision": {"price": "5", "amount": "3"}}, "okx", ccxt.SIGNIFICANT_DIGITS)
    assert five.instrument.price_grid.significant_figures == 5


def test_a_crossed_book_is_no_book_and_bars_that_cannot_be_are_no_bars() -> None:
    with pytest.raises(ParseError):
        parse.book({"bids": [[2.0, 1.0]], "asks": [[1.0, 1.0]]}, NOW)
    shuffled = parse.book({"bids": [[1.0, 1.0], [2.0, 1.0]], "asks": [[4.0, 1.0], [3.0, 1.0], [5.0, 0.0]]}, NOW)
    assert [level.price for level in shuffled.bids] == [2.0, 1.0]
    assert [level.price for level in shuffled.asks] == [3.0, 4.0]
    with pytest.raises(ParseError):
        parse.candles([[60_000, "5", "4", "3", "5", "1"]], timedelta(minutes=1))
    bars = parse.candles([[120_000, "1", "2", "1", "2", "0"], [60_000, "1", "2", "1", "2", "3"]], timedelta(minutes=1))
    assert list(bars.opened_ms) == [60_000, 120_000]
    assert len(parse.candles([], timedelta(minutes=1))) == 0


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["nan", "Infinity", "-1", "0", "1e999", "\u0663", "1_0", "buy", "open", "BTC/USDT:USDT"]),
)  # fmt: skip
nonsense = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@pytest.mark.parametrize("what", READERS)
@given(data=st.data())
def test_nonsense_in_any_field_is_an_error_that_shows_it_and_never_a_number(what: str, data: st.DataObject) -> None:
    row, read = READERS[what]
    spoilt = row | {data.draw(st.sampled_from(sorted(row))): data.draw(nonsense)}
    good, bad = parse.several(what, [spoilt], read)
    assert len(good) + len(bad) == 1
    for value in good:
        price = getattr(value, "price", None)
        if isinstance(price, float):
            assert 0 < price < float("inf")


@given(nonsense)
def test_answers_of_another_shape_are_errors(answer: Any) -> None:
    for read in (
        lambda: parse.book({"bids": answer, "asks": answer}, NOW),
        lambda: parse.candles(answer, timedelta(minutes=1)),
        lambda: parse.several("row", answer, lambda row: parse.fill(row, contracts, NOW)),
    ):
        try:
            read()
        except ParseError:
            continue
