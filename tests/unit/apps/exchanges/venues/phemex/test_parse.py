"""Answers over HTTP as domain values."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from apps.exchanges.ports import ParseError, ReportSource
from apps.exchanges.venues.phemex import parse, words
from moondev.domain.fills import FillKind, Liquidity
from moondev.domain.orders import OrderStatus
from moondev.domain.values import Quantity, Side
from tests.unit.apps.exchanges.venues.phemex.recordings import recorded
from tests.unit.apps.exchanges.venues.phemex.rows import (
    ACCOUNT,
    FUNDING,
    NAME,
    NOW,
    ORDER,
    PAST,
    POSITION,
    PRODUCT,
    STAMP,
    TRADE,
    answer,
)


def page(*rows: object) -> str:
    return answer({"rows": list(rows), "nextPageArg": ""})


# --- names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "CCXT123456b0f25b71ea5d0112", "x" * 36, str(NAME).upper(), NAME.hex, f"{{{NAME}}}"]
)
def test_only_the_form_we_write_is_our_name(text: str) -> None:
    assert words.client_order_id(text) is None


def test_our_name_comes_back() -> None:
    assert words.client_order_id(str(NAME)) == NAME


# --- orders -----------------------------------------------------------------------------------------


def test_live_orders_are_listed_strangers_too() -> None:
    found, unread = parse.open_orders(page(ORDER, ORDER | {"clOrdID": "somebody", "execInst": "CloseOnTrigger"}))
    ours, theirs = found.read
    assert (ours.symbol, ours.client_order_id, ours.side) == ("BTCUSDT", NAME, Side.SELL)
    assert (ours.price.value, ours.quantity.value, ours.remaining.value) == (
        Decimal("22490.4"),
        Decimal("0.005"),
        Decimal("0.005"),
    )
    assert (ours.reduce_only, ours.trigger_price) == (False, None)
    assert (theirs.client_order_id, theirs.reduce_only) == (None, True)
    assert unread == []


def test_an_order_that_waits_shows_nothing_left_and_all_of_it_is() -> None:
    """Recorded so: leavesQtyRq is 0 while the order is untriggered."""
    for case in recorded("create_order.json")["cases"][:2]:
        row = case["httpResponse"]["data"] | {"actionTimeNs": STAMP, "transactTimeNs": STAMP}
        found, _ = parse.open_orders(page(row))
        (waiting,) = found.read
        assert row["leavesQtyRq"] == "0"
        assert waiting.remaining.value == waiting.quantity.value == Decimal("0.01")
        assert waiting.trigger_price is not None
        assert waiting.price == waiting.trigger_price


def test_an_odd_row_costs_itself_only_and_can_still_be_cancelled() -> None:
    odd = ORDER | {"orderQtyRq": "-1", "reduceOnly": True}
    found, unread = parse.open_orders(page(ORDER, odd, "nonsense", {"orderID": 7}))
    assert len(found.read) == 1
    assert len(found.unreadable) == 3
    assert [(one.venue_order_id, one.symbol, one.reduce_only) for one in unread] == [
        (ORDER["orderID"], "BTCUSDT", True),
        ("", "", False),
        ("", "", False),
    ]


def test_more_orders_than_one_answer_tells_are_told_of() -> None:
    found, unread = parse.open_orders(answer({"rows": [ORDER], "nextPageArg": "abc"}))
    assert len(found.read) == 1
    assert "more than one answer" in str(found.unreadable[0])
    assert unread == []


@pytest.mark.parametrize(
    ("word", "filled", "status"),
    [
        ("Created", "0", OrderStatus.OPEN),
        ("Init", "0", OrderStatus.OPEN),
        ("New", "0", OrderStatus.OPEN),
        ("New", "0.001", OrderStatus.PARTIALLY_FILLED),
        ("Untriggered", "0", OrderStatus.OPEN),
        ("Triggered", "0", OrderStatus.OPEN),
        ("PartiallyFilled", "0.001", OrderStatus.PARTIALLY_FILLED),
        ("Filled", "0.005", OrderStatus.FILLED),
        ("Canceled", "0.001", OrderStatus.CANCELLED),
        ("Deactivated", "0", OrderStatus.CANCELLED),
        ("Rejected", "0", OrderStatus.REJECTED),
    ],
)
def test_the_history_tells_how_an_order_stands(word: str, filled: str, status: OrderStatus) -> None:
    report = parse.past_report(answer([PAST | {"ordStatus": word, "cumQtyRq": filled}]), NAME, NOW)
    assert report is not None
    assert (report.status, report.source) == (status, ReportSource.RECONCILE)
    assert report.filled_quantity is not None
    assert report.filled_quantity.value == Decimal(filled)
    assert report.triggered == (word == "Triggered")


def test_a_name_is_looked_for_and_the_newest_of_two_counts() -> None:
    older = PAST | {"ordStatus": "Canceled", "transactTimeNs": STAMP - 1_000_000}
    report = parse.past_report(answer([older, PAST]), NAME, NOW)
    assert report is not None
    assert report.status is OrderStatus.FILLED
    assert parse.past_report(answer([]), NAME, NOW) is None
    assert parse.past_report(answer([PAST]), uuid4(), NOW) is None
    live = parse.live_report(page(ORDER | {"clOrdID": "another"}, ORDER), NAME, NOW)
    assert live is not None
    assert live.status is OrderStatus.OPEN
    assert parse.live_report(page(ORDER), uuid4(), NOW) is None


# --- fills, funding, money --------------------------------------------------------------------------


def test_fills_carry_their_whole_name_and_their_order() -> None:
    taker = TRADE | {"execStatus": "TakerFill", "execID": "another", "clOrdID": "", "tradeType": "LiqTrade"}
    maker, liquidated = parse.fills(answer([TRADE, taker]), NOW).read
    assert (maker.venue_trade_id, maker.venue_order_id, maker.client_order_id) == (
        f"{TRADE['execID']}-Sell",
        TRADE["orderID"],
        NAME,
    )
    assert (maker.side, maker.price.value, maker.quantity.value) == (Side.SELL, Decimal(16_600), Decimal("0.25"))
    assert (maker.fee.value, maker.fee.currency) == (Decimal("0.415"), "USDT")
    assert (maker.liquidity, maker.kind) == (Liquidity.MAKER, FillKind.ORDER)
    assert (liquidated.liquidity, liquidated.kind) == (Liquidity.TAKER, FillKind.LIQUIDATION)
    assert liquidated.client_order_id is None


def test_funding_among_the_fills_is_none_of_them() -> None:
    found = parse.fills(answer([TRADE | {"tradeType": "Funding"}, TRADE]), NOW)
    assert (len(found.read), found.unreadable) == (1, ())
    assert parse.count(answer([1, 2])) == 2


def test_a_fee_in_the_venue_s_token_says_so() -> None:
    (fill,) = parse.fills(answer([TRADE | {"execFeeRv": "0", "ptFeeRv": "0.11"}]), NOW).read
    assert (fill.fee.value, fill.fee.currency) == (Decimal("0.11"), "PT")
    (free,) = parse.fills(answer([TRADE | {"execFeeRv": "0", "ptFeeRv": 0}]), NOW).read
    assert (free.fee.value, free.fee.currency) == (0, "USDT")


@pytest.mark.parametrize(
    "odd",
    [
        {"execStatus": "Canceled"},
        {"tradeType": "Gift"},
        {"execQtyRq": "0"},
        {"execPriceRp": "NaN"},
        {"execPriceRp": "1_0"},
        {"execPriceRp": " 10"},
        {"execPriceRp": "\u0663"},
        {"execPriceRp": 16600},
        {"execID": ""},
        {"transactTimeNs": "yesterday"},
        {"transactTimeNs": 10**40},
    ],
)
def test_an_odd_fill_is_told_of_and_not_booked(odd: dict[str, object]) -> None:
    found = parse.fills(answer([TRADE | odd, TRADE]), NOW)
    assert len(found.read) == len(found.unreadable) == 1


def test_cash_is_the_balance_less_what_positions_cost_whatever_the_mark() -> None:
    short = POSITION | {"symbol": "ETHUSDT", "side": "Sell", "size": "2", "valueRv": "6000", "markPriceRp": "3010"}
    flat = POSITION | {"symbol": "SOLUSDT", "side": "None", "size": "0", "valueRv": "0", "avgEntryPriceRp": "0"}
    text = answer({"account": ACCOUNT, "positions": [POSITION, short, flat]})
    snapshot = parse.account_snapshot(text, NOW)
    long, other = snapshot.positions
    assert (long.value.value, long.unrealised.value, long.leverage) == (10_050, 50, 10)
    assert (other.quantity.value, other.value.value, other.unrealised.value) == (-2, -6_020, -20)
    assert snapshot.equity.value == 1_000 + 50 - 20
    assert snapshot.cash.value == 1_000 - 10_000 + 6_000
    assert (snapshot.margin_used.value, snapshot.withdrawable.value) == (10, 990)
    moved = text.replace('"20100"', '"19000"').replace('"3010"', '"2500"')
    assert parse.account_snapshot(moved, NOW).cash == snapshot.cash
    assert parse.touched_symbols(text) == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]


def test_what_is_lost_on_paper_cannot_be_spent() -> None:
    losing = POSITION | {"markPriceRp": "18100"}
    snapshot = parse.account_snapshot(answer({"account": ACCOUNT, "positions": [losing]}), NOW)
    assert snapshot.withdrawable.value == 1_000 - 950 - 10
    ruined = POSITION | {"markPriceRp": "1"}
    assert parse.account_snapshot(answer({"account": ACCOUNT, "positions": [ruined]}), NOW).withdrawable.value == 0


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"account": ACCOUNT | {"currency": "BTC"}, "positions": []},
        {"account": ACCOUNT | {"accountBalanceRv": "a lot"}, "positions": []},
        {"account": ACCOUNT, "positions": [POSITION | {"size": "NaN"}]},
        {"account": ACCOUNT, "positions": [POSITION | {"markPriceRp": "0"}]},
        {"account": ACCOUNT, "positions": [POSITION | {"side": "Up"}]},
    ],
)
def test_an_account_that_cannot_be_read_is_not_flat(data: object) -> None:
    with pytest.raises(ParseError):
        parse.account_snapshot(answer(data), NOW)


def test_funding_is_positive_when_it_was_received() -> None:
    received = FUNDING | {"side": "Sell", "execFeeRv": "-0.5"}
    paid, got = parse.funding(answer({"rows": [FUNDING, received]}), NOW).read
    assert (paid.amount.value, paid.position.value, paid.rate) == (
        Decimal("-0.02116552"),
        Decimal("0.16"),
        Decimal("0.0001"),
    )
    assert (got.amount.value, got.position.value) == (Decimal("0.5"), Decimal("-0.16"))
    assert paid.payment_id == "ETHUSDT:1671004800021"


# --- instruments ------------------------------------------------------------------------------------


def test_usdt_perpetuals_are_listed_and_nothing_else() -> None:
    others = [
        PRODUCT | {"symbol": "BTCUSD", "type": "Perpetual"},
        PRODUCT | {"symbol": "ETHUSDC", "settleCurrency": "USDC"},
        PRODUCT | {"symbol": "OLDUSDT", "status": "Delisted"},
        PRODUCT | {"symbol": "ODDUSDT", "tickSize": "0"},
        "nonsense",
    ]
    found = parse.listings(answer({"perpProductsV2": [PRODUCT, *others]}), "px")
    (listing,) = found.read
    instrument = listing.instrument
    assert (instrument.key, instrument.asset, instrument.quote) == ("px:BTCUSDT", "BTC", "USDT")
    assert (instrument.lot.value, instrument.min_notional.value, instrument.max_leverage) == (
        Decimal("0.001"),
        Decimal(1),
        100,
    )
    assert instrument.price_grid.tick == Decimal("0.1")
    assert len(found.unreadable) == 2
    (listing,) = parse.listings(answer({"perpProductsV2": [PRODUCT | {"maxOrderQtyRq": "500"}]}), "px").read
    assert listing.instrument.max_market_quantity == Quantity(Decimal(500))
