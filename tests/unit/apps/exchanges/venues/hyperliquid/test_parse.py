"""Orders, fills and accounts are read exactly or not at all."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.ports import ParseError, ReportSource, UnreadOrder
from apps.exchanges.venues.hyperliquid import actions, parse
from moondev.domain.fills import FillKind, Liquidity
from moondev.domain.instruments import Rounding
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Money, Price, Quantity, Side, SignedQuantity
from tests.unit.apps.exchanges.venues.hyperliquid import recordings

recorded = pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
US = "0x193bd350ec838b1e22d6f302da5343b920aa1c2b"
NAME = "0x0123456789abcdef0123456789abcdef"


def fill(**changes: Any) -> dict[str, Any]:
    plain = {
        "coin": "BTC",
        "px": "64000.5",
        "sz": "0.01",
        "side": "B",
        "time": 1_770_458_548_926,
        "startPosition": "0.0",
        "dir": "Open Long",
        "closedPnl": "0.0",
        "hash": "0x00",
        "oid": 31,
        "crossed": False,
        "fee": "-0.0096",
        "tid": 88,
        "feeToken": "USDC",
        "cloid": NAME,
    }
    return plain | changes


def update(status: str = "open", **changes: Any) -> dict[str, Any]:
    order = {
        "coin": "BTC",
        "side": "A",
        "limitPx": "64000.0",
        "sz": "0.5",
        "oid": 31,
        "timestamp": 1_770_458_548_000,
        "origSz": "0.5",
        "cloid": NAME,
    }
    return {"order": order | changes, "status": status, "statusTimestamp": 1_770_458_549_000}


def status(answer: dict[str, Any]) -> OrderReport:
    report = parse.order_status({"status": "order", "order": answer}, NOW)
    assert report is not None
    return report


def test_a_fill_keeps_both_times_and_a_rebate_stays_negative() -> None:
    (found,) = parse.fills([fill()], US, NOW).read
    assert found.venue_trade_id == "31-88"
    assert found.client_order_id == UUID("01234567-89ab-cdef-0123-456789abcdef")
    assert (found.side, found.price, found.quantity) == (
        Side.BUY,
        Price(Decimal("64000.5")),
        Quantity(Decimal("0.01")),
    )
    assert found.fee == Money(Decimal("-0.0096"), "USDC")
    assert found.liquidity is Liquidity.MAKER
    assert found.time_exchange == datetime(2026, 2, 7, 10, 2, 28, 926_000, tzinfo=UTC)
    assert found.time_received == NOW


def test_both_sides_of_a_trade_with_ourselves_are_two_fills() -> None:
    bought, sold = parse.fills([fill(), fill(oid=30, side="A")], US, NOW).read
    assert bought.venue_trade_id != sold.venue_trade_id


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, FillKind.ORDER),
        ({"liquidation": {"liquidatedUser": US.upper().replace("0X", "0x"), "markPx": "1"}}, FillKind.LIQUIDATION),
        ({"liquidation": {"liquidatedUser": "0x" + "1" * 40, "markPx": "1"}}, FillKind.ORDER),
        ({"dir": "Auto-Deleveraging"}, FillKind.DELEVERAGING),
        ({"liquidation": None, "cloid": None}, FillKind.ORDER),
    ],
)
def test_only_our_own_liquidation_is_one(changes: dict[str, Any], kind: FillKind) -> None:
    (found,) = parse.fills([fill(**changes)], US, NOW).read
    assert found.kind is kind


@pytest.mark.parametrize(
    "changes",
    [
        {"px": "NaN"},
        {"px": "0"},
        {"px": "-1"},
        {"px": 64000.5},
        {"px": "64000,5"},
        {"px": None},
        {"sz": "0"},
        {"sz": "Infinity"},
        {"side": "buy"},
        {"fee": ""},
        {"oid": "31"},
        {"tid": None},
        {"time": "yesterday"},
        {"cloid": "0x12"},
        {"cloid": "0x" + "g" * 32},
        {"feeToken": ""},
        {"crossed": "true"},
        {"time": 10**18},
        {"time": 10**30},
    ],
)
def test_a_malformed_fill_is_left_out_with_its_evidence_and_costs_no_other(changes: dict[str, Any]) -> None:
    found = parse.fills([fill(tid=1), fill(**changes), "not a fill", fill(tid=2)], US, NOW)
    assert [one.venue_trade_id for one in found.read] == ["31-1", "31-2"]
    odd, nonsense = found.unreadable
    assert "31" in odd.evidence
    assert "not a fill" in nonsense.evidence
    assert found.count == 4


@pytest.mark.parametrize("answer", [None, {"fills": []}, "down for maintenance"])
def test_an_answer_that_is_no_list_is_refused_as_a_whole(answer: object) -> None:
    for read in (lambda: parse.fills(answer, US, NOW), lambda: parse.open_orders(answer)):
        with pytest.raises(ParseError):
            read()


def test_a_missing_field_is_named() -> None:
    broken = fill()
    del broken["px"]
    (error,) = parse.fills([broken], US, NOW).unreadable
    assert "px" in error.why


@given(st.uuids())
def test_client_order_ids_survive_the_wire(name: UUID) -> None:
    assert parse.client_order_id(actions.cloid(name)) == name


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("open", OrderStatus.OPEN),
        ("triggered", OrderStatus.OPEN),
        ("filled", OrderStatus.FILLED),
        ("canceled", OrderStatus.CANCELLED),
        ("marginCanceled", OrderStatus.CANCELLED),
        ("selfTradeCanceled", OrderStatus.CANCELLED),
        ("reduceOnlyCanceled", OrderStatus.CANCELLED),
        ("siblingFilledCanceled", OrderStatus.CANCELLED),
        ("liquidatedCanceled", OrderStatus.CANCELLED),
        ("scheduledCancel", OrderStatus.CANCELLED),
        ("internalCancel", OrderStatus.CANCELLED),
        ("rejected", OrderStatus.REJECTED),
        ("iocCancelRejected", OrderStatus.REJECTED),
        ("badAloPxRejected", OrderStatus.REJECTED),
    ],
)
def test_every_status_word_has_its_state(word: str, expected: OrderStatus) -> None:
    report = status(update(word))
    assert report.status is expected
    assert report.triggered is (word == "triggered")
    assert report.reason == ("" if word in {"open", "filled"} else word)


def test_a_status_nobody_documented_is_refused() -> None:
    with pytest.raises(ParseError, match="dancing"):
        status(update("dancing"))


def test_what_remains_tells_how_much_is_filled() -> None:
    assert status(update("open", sz="0.2")).status is OrderStatus.PARTIALLY_FILLED
    assert status(update("open", sz="0.2")).filled_quantity == Quantity(Decimal("0.3"))
    assert status(update("filled", sz="0.0")).filled_quantity == Quantity(Decimal("0.5"))
    assert status(update("canceled", sz="0.2")).filled_quantity is None


def test_more_left_than_asked_for_is_refused() -> None:
    with pytest.raises(ParseError):
        status(update("open", sz="0.6"))


def test_an_order_the_venue_never_heard_of_is_none() -> None:
    assert parse.order_status({"status": "unknownOid"}, NOW) is None


@pytest.mark.parametrize("answer", [{"status": "order"}, {"status": "maybe"}, None, [], "unknownOid"])
def test_an_unclear_answer_is_never_taken_for_never_heard_of_it(answer: object) -> None:
    with pytest.raises(ParseError):
        parse.order_status(answer, NOW)


def test_stream_reports_come_in_the_order_they_were_said() -> None:
    messages = [update("filled", oid=1), update("dancing", oid=3), update("open", oid=2)]
    found = parse.order_updates(messages, ReportSource.STREAM, NOW)
    assert ["dancing" in error.why for error in found.unreadable] == [True]
    first, second = found.read
    assert [first.venue_order_id, second.venue_order_id] == ["1", "2"]
    assert first.source == ReportSource.STREAM


def test_open_orders_show_triggers_and_strangers() -> None:
    plain = update()["order"]
    trigger = plain | {"isTrigger": True, "triggerPx": "63000.0", "reduceOnly": True, "cloid": None}
    found, unread = parse.open_orders([plain, trigger])
    assert unread == []
    ours, foreign = found.read
    assert (ours.client_order_id, ours.trigger_price) == (UUID(hex=NAME[2:]), None)
    assert (foreign.client_order_id, foreign.trigger_price, foreign.reduce_only) == (None, Price(Decimal(63000)), True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"limitPx": "0.0"}, UnreadOrder("BTC", "31", UUID(hex=NAME[2:]), reduce_only=False)),
        ({"side": "?", "reduceOnly": True}, UnreadOrder("BTC", "31", UUID(hex=NAME[2:]), reduce_only=True)),
        ({"cloid": "0x12"}, UnreadOrder("BTC", "31", None, reduce_only=False)),
        ({"cloid": 12, "oid": "31"}, UnreadOrder("BTC", "31", None, reduce_only=False)),
        ({"coin": None, "oid": None}, UnreadOrder("", "", UUID(hex=NAME[2:]), reduce_only=False)),
        ({"reduceOnly": "yes"}, UnreadOrder("BTC", "31", UUID(hex=NAME[2:]), reduce_only=False)),
    ],
)
def test_of_an_open_order_with_an_odd_row_its_name_is_kept(changes: dict[str, Any], expected: UnreadOrder) -> None:
    good = update(oid=7)["order"]
    found, unread = parse.open_orders([good, update()["order"] | changes])
    assert [order.venue_order_id for order in found.read] == ["7"]
    assert unread == [expected]
    assert len(found.unreadable) == 1


def test_an_open_order_that_is_no_row_at_all_is_a_live_order_without_a_name() -> None:
    found, unread = parse.open_orders(["what?"])
    assert (found.read, unread) == ((), [UnreadOrder("", "", None, reduce_only=False)])


ACCOUNT = {
    "assetPositions": [
        {
            "type": "oneWay",
            "position": {
                "coin": "BTC",
                "szi": "-0.00785",
                "entryPx": "26951.0",
                "leverage": {"type": "cross", "value": 20},
                "positionValue": "211.64542",
                "unrealizedPnl": "-0.08007",
            },
        },
        {
            "type": "oneWay",
            "position": {
                "coin": "ETH",
                "szi": "0.0",
                "entryPx": None,
                "leverage": {"type": "cross", "value": 20},
                "positionValue": "0.0",
                "unrealizedPnl": "0.0",
            },
        },
    ],
    "marginSummary": {"accountValue": "1000.5", "totalMarginUsed": "10.58"},
    "withdrawable": "989.92",
    "time": 1_770_458_549_000,
}


def test_an_account_adds_up_exactly() -> None:
    account = parse.account_snapshot(ACCOUNT, NOW)
    (short,) = account.positions
    assert short.quantity == SignedQuantity(Decimal("-0.00785"))
    assert short.mark_price == Price(Decimal("26961.2"))
    assert short.value == Money(Decimal("-211.64542"), "USDC")
    assert account.cash == Money(Decimal("1212.14542"), "USDC")
    assert account.equity == Money(Decimal("1000.5"), "USDC")


def test_an_account_without_its_total_is_refused() -> None:
    with pytest.raises(ParseError, match="marginSummary"):
        parse.account_snapshot({key: value for key, value in ACCOUNT.items() if key != "marginSummary"}, NOW)


def test_instruments_carry_the_venues_rules_and_numbers() -> None:
    answer = {
        "universe": [
            {"name": "OLD", "szDecimals": 1, "maxLeverage": 3, "isDelisted": True},
            {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "marginTableId": 56},
        ]
    }
    (btc,) = parse.listings(answer, "hyperliquid")
    assert btc.venue_asset_id == 1
    assert btc.instrument.key == "hyperliquid:BTC"
    assert btc.instrument.lot == Quantity(Decimal("0.00001"))
    assert btc.instrument.min_notional == Money(Decimal(10), "USDC")
    assert btc.instrument.max_leverage == 40
    grid = btc.instrument.price_grid
    assert grid.rounded(Decimal("64000.55"), Rounding.NEAREST) == Price(Decimal(64001))
    assert grid.rounded(Decimal("0.123456"), Rounding.DOWN) == Price(Decimal("0.1"))


@pytest.mark.parametrize("decimals", [-1, 7, "5", None])
def test_an_instrument_with_impossible_rules_is_refused(decimals: object) -> None:
    with pytest.raises(ParseError):
        parse.listings({"universe": [{"name": "X", "szDecimals": decimals, "maxLeverage": 3}]}, "h")


def test_funding_is_positive_when_received() -> None:
    delta = {
        "type": "funding",
        "coin": "BTC",
        "usdc": "-3.6",
        "szi": "0.5",
        "fundingRate": "0.0000125",
        "nSamples": None,
    }
    (paid,) = parse.funding([{"time": 1_770_458_400_000, "hash": "0x0", "delta": delta}, {"time": 1}], NOW).read
    assert paid.amount == Money(Decimal("-3.6"), "USDC")
    assert paid.payment_id == "BTC:1770458400000"
    assert paid.position == SignedQuantity(Decimal("0.5"))


@recorded
def test_reads_the_recorded_account() -> None:
    (answer,) = recordings.bodies("test_get_user_state.yaml")
    account = parse.account_snapshot(answer, NOW)
    assert {position.symbol for position in account.positions} >= {"BTC", "ETH", "SOL"}
    value = sum((position.value.value for position in account.positions), Decimal(0))
    assert account.cash.value + value == account.equity.value
    assert account.time_exchange is None


@recorded
def test_reads_the_recorded_fills_and_orders() -> None:
    found = recordings.numeric(recordings.transcript("responses.json"))
    fills = parse.fills(found["userFills"], US, NOW).read
    assert [one.kind for one in fills] == [FillKind.ORDER, FillKind.LIQUIDATION, FillKind.LIQUIDATION]
    assert fills[1].fee.currency == "USDH"
    statuses = [status(row).status for row in found["historicalOrders_dup_oid"]]
    assert statuses == [OrderStatus.CANCELLED, OrderStatus.OPEN]


@recorded
def test_reads_the_recorded_instruments() -> None:
    meta = recordings.bodies("test_get_l2_snapshot.yaml")[0]
    listings = parse.listings(meta, "hyperliquid")
    assert listings[0].instrument.symbol == "BTC"
    assert [listing.venue_asset_id for listing in listings] == list(range(len(listings)))
