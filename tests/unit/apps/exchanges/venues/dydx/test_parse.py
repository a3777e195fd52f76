"""The indexer's orders, fills and accounts as domain values: recordings, each word of it, and what must not be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from apps.exchanges.ports import ParseError, RestingOrder, UnreadOrder
from apps.exchanges.venues.dydx import parse, parse_account
from apps.exchanges.venues.dydx.messages import FillMessage, NamedOrder, OrderMessage, PositionMessage
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillKind, Liquidity
from moondev.domain.orders import OrderStatus
from moondev.domain.values import Side
from tests.unit.apps.exchanges.venues.dydx.recordings import PRESENT, WHY_NOT, text
from tests.unit.apps.exchanges.venues.dydx.rows import ADDRESS, BANK, FILL, FUNDING, NAME, ORDER, POSITION, account

NOW = datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
OURS = uuid4()
D = Decimal
recording = pytest.mark.skipif(not PRESENT, reason=WHY_NOT)


def nobody(_: object) -> None:
    return None


def report(height: int = 0, **changes: Any) -> Any:
    message = msgspec.convert(ORDER | changes, OrderMessage)
    return parse.order_report(message, height, {77: OURS}.get, "stream", NOW)


@recording
def test_recorded_orders_are_named_by_their_parts_and_told_as_filled() -> None:
    rows = json.loads(text("http_get_orders"))
    owner = "dydx1n56z5fhmemtffzkt2eqyf9kuc7ycjfs86mvqy7"
    # The indexer's ids follow from the parts: the formula is the venue's.
    named = parse.named_orders(json.dumps(rows), owner)
    assert [sent.name.venue_order_id for sent in named.read] == [row["id"] for row in rows]
    assert named.read[0].last_block == 0
    for row in rows:
        found = parse.order_report(msgspec.convert(row, OrderMessage), 0, nobody, "reconcile", NOW)
        assert found.status is OrderStatus.FILLED
        assert found.filled_quantity is not None
        assert found.filled_quantity.value == D(row["totalFilled"])


@recording
def test_recorded_fills_accounts_and_streamed_news_are_read() -> None:
    fills = parse.fills(text("http_get_fills"), nobody, NOW)
    assert fills.unreadable == ()
    first = fills.read[0]
    assert (first.price.value, first.quantity.value, first.side, first.liquidity) == (
        D(105117),
        D("0.0001"),
        Side.BUY,
        Liquidity.TAKER,
    )
    snapshot = parse_account.account_snapshot(text("http_get_subaccount"), {}, NOW)
    assert snapshot.equity.value == snapshot.cash.value == D("45.201296")
    news = json.loads(text("ws_subaccounts_update"))["contents"]
    streamed = parse.streamed_fills(news["fills"], nobody, NOW)
    assert streamed.read[0].fee.value == D("10.75")


@pytest.mark.parametrize(
    ("word", "filled", "status"),
    [
        ("OPEN", "0", OrderStatus.OPEN),
        ("OPEN", "0.1", OrderStatus.PARTIALLY_FILLED),
        ("BEST_EFFORT_OPENED", "0", OrderStatus.OPEN),
        ("UNTRIGGERED", "0", OrderStatus.OPEN),
        ("FILLED", "0.5", OrderStatus.FILLED),
        ("CANCELED", "0.1", OrderStatus.CANCELLED),
    ],
)
def test_every_documented_status_has_a_meaning(word: str, filled: str, status: OrderStatus) -> None:
    found = report(status=word, totalFilled=filled)
    assert (found.status, found.client_order_id, found.venue_order_id) == (status, OURS, NAME.venue_order_id)


def test_an_undocumented_status_is_an_error_and_not_an_end() -> None:
    with pytest.raises(ParseError, match="nobody documented"):
        report(status="EVAPORATED")


@pytest.mark.parametrize(("height", "status"), [(99, None), (100, OrderStatus.CANCELLED), (101, OrderStatus.CANCELLED)])
def test_what_was_cancelled_with_best_effort_has_ended_once_its_last_block_is_over(
    height: int, status: OrderStatus | None
) -> None:
    words = {"status": "BEST_EFFORT_CANCELED", "orderFlags": "0", "goodTilBlock": "100"}
    assert report(height, **words).status is status


def test_live_orders_are_read_and_odd_ones_are_named_so_that_they_can_be_cancelled() -> None:
    trigger = ORDER | {"status": "UNTRIGGERED", "triggerPrice": "44000", "reduceOnly": True}
    odd = ORDER | {"price": "NaN"}
    hopeless = {"nothing": 1}
    answer = json.dumps([ORDER, trigger, odd, hopeless])
    good, bad = parse.open_orders(answer, {77: OURS}.get)
    plain, waiting = good.read
    assert isinstance(plain, RestingOrder)
    assert (plain.remaining.value, plain.client_order_id, plain.trigger_price) == (D("0.4"), OURS, None)
    assert waiting.trigger_price is not None
    assert waiting.reduce_only
    assert bad == [
        UnreadOrder("BTC-USD", NAME.venue_order_id, None, reduce_only=False),
        UnreadOrder("", "", None, reduce_only=False),
    ]
    assert len(good.unreadable) == 2
    # Even of the odd one the name is known, by which a cancel names it.
    assert [sent.name for sent in parse.named_orders(answer, ADDRESS).read] == [NAME, NAME, NAME]


@pytest.mark.parametrize(
    "changes",
    [{"orderFlags": "65"}, {"clientId": "78"}, {"clientId": "-1"}, {"clientId": str(2**32)}, {"clobPairId": "²"}],
)
def test_a_name_whose_parts_do_not_make_its_id_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(InvalidValue):
        parse.named(msgspec.convert(ORDER | changes, NamedOrder), ADDRESS)
    with pytest.raises(ParseError):
        parse.named_order(json.dumps(ORDER | changes), ADDRESS)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("LIMIT", FillKind.ORDER),
        ("MARKET", FillKind.ORDER),
        ("LIQUIDATION", FillKind.ORDER),
        ("LIQUIDATED", FillKind.LIQUIDATION),
        ("DELEVERAGED", FillKind.DELEVERAGING),
        ("OFFSETTING", FillKind.DELEVERAGING),
    ],
)
def test_a_fill_says_why_it_happened(word: str, kind: FillKind) -> None:
    known: dict[str, UUID] = {NAME.venue_order_id: OURS}
    found = parse.fill(msgspec.convert(FILL | {"type": word}, FillMessage), known.get, NOW)
    assert (found.kind, found.client_order_id, found.venue_trade_id) == (kind, OURS, FILL["id"])
    assert found.fee.value == D("-0.25")
    assert found.fee.currency == "USDC"


def test_a_fill_without_an_order_still_has_a_name_and_one_of_an_unknown_kind_is_left_out() -> None:
    liquidated = {name: value for name, value in FILL.items() if name != "orderId"} | {"type": "LIQUIDATED"}
    streamed = {name: value for name, value in FILL.items() if name != "market"} | {"ticker": "ETH-USD"}
    nowhere = {name: value for name, value in FILL.items() if name != "market"}
    page = parse.fills(json.dumps({"fills": [liquidated, streamed, FILL | {"type": "GIFT"}, nowhere]}), nobody, NOW)
    assert [fill.venue_order_id for fill in page.read] == [FILL["id"], NAME.venue_order_id]
    assert page.read[1].symbol == "ETH-USD"
    assert len(page.unreadable) == 2


def test_funding_is_positive_when_received() -> None:
    (payment,) = parse_account.funding_payments(json.dumps({"fundingPayments": [FUNDING]}), NOW).read
    assert (payment.symbol, payment.amount.value, payment.position.value) == ("BTC-USD", D("0.1875"), D("-0.3"))


def test_values_and_cash_add_up_to_the_equity_although_the_average_price_is_rounded() -> None:
    # Oracle 50,000: the short of 0.3 is worth -15,000; the long of 2 ETH at 3,000.1 is worth 6,000.2.
    short = POSITION | {"unrealizedPnl": "0.099999999999999999999"}
    long = {"market": "ETH-USD", "status": "OPEN", "size": "2", "entryPrice": "2999.6", "unrealizedPnl": "1"}
    answer = json.dumps({"subaccount": account("-7999.8", short, long)})
    snapshot = parse_account.account_snapshot(answer, {"BTC-USD": 50}, NOW)
    by_symbol = {held.symbol: held for held in snapshot.positions}
    assert by_symbol["BTC-USD"].value.value == D(-15_000)
    assert by_symbol["BTC-USD"].mark_price.value == D(50_000)
    assert (by_symbol["BTC-USD"].leverage, by_symbol["ETH-USD"].leverage) == (50, 1)
    assert by_symbol["ETH-USD"].value.value == D("6000.2")
    assert snapshot.cash.value == D(1000)


def test_what_rounding_leaves_over_goes_to_the_largest_position_and_no_more_than_that() -> None:
    off = account("-14000.0000005", POSITION)
    snapshot = parse_account.account_snapshot(json.dumps({"subaccount": off}), {}, NOW)
    assert snapshot.cash.value == D(1000)
    assert snapshot.positions[0].value.value == D("-15000.0000005")
    for equity in ("-14000.01", "1"):
        with pytest.raises(ParseError, match="equity"):
            parse_account.account_snapshot(json.dumps({"subaccount": account(equity, POSITION)}), {}, NOW)
    with pytest.raises(ParseError):
        parse_account.account_snapshot(json.dumps({"subaccount": account("1001")}), {}, NOW)


def test_debt_counts_below_zero_and_only_dollars_are_known() -> None:
    owed = parse_account.account_snapshot(
        json.dumps({"subaccount": account("-5", bank=BANK | {"side": "SHORT", "size": "5"})}), {}, NOW
    )
    assert owed.cash.value == D(-5)
    assert owed.withdrawable.value == 0
    with pytest.raises(ParseError, match="symbol"):
        parse_account.account_snapshot(
            json.dumps({"subaccount": account("5", bank=BANK | {"symbol": "DOGE"})}), {}, NOW
        )


def test_a_position_of_the_stream_that_is_closed_is_zero() -> None:
    closed = msgspec.convert({"market": "BTC-USD", "status": "CLOSED", "size": "0.3"}, PositionMessage)
    assert parse_account.position_news(closed, NOW).quantity.value == 0
    assert parse_account.position_news(msgspec.convert(POSITION, PositionMessage), NOW).quantity.value == D("-0.3")


@pytest.mark.parametrize("when", ["2026-01-01T00:00:00", "yesterday", ""])
def test_a_time_without_a_zone_is_no_time(when: str) -> None:
    page = parse.fills(json.dumps({"fills": [FILL | {"createdAt": when}]}), nobody, NOW)
    assert page.read == ()
    assert len(page.unreadable) == 1
