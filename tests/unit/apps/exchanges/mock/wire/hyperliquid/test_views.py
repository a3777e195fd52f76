"""Engine objects in the venue's shapes, against answers recorded by others."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.exchanges.mock.engine.api import (
    AssetContext,
    BookView,
    Candle,
    Fill,
    ForcedClose,
    LevelView,
    OrderSnapshot,
    OrderStatus,
    Tif,
    TpSl,
    Trade,
    Trigger,
)
from apps.exchanges.mock.wire.hyperliquid import views
from apps.exchanges.mock.wire.hyperliquid.info_account import aggregated
from apps.exchanges.mock.wire.hyperliquid.info_market import thinned

RECORDED = Path(__file__).resolve().parents[7] / "../shared/fixtures/hyperliquid/ccxt_static"
D = Decimal
USER = "0x193bd350ec838b1e22d6f302da5343b920aa1c2b"

FILL = Fill(
    coin="HYPE",
    oid=314848230306,
    cloid=None,
    tid=882779857052503,
    is_buy=True,
    price=D("33.209"),
    size=D("0.73"),
    time_ms=1770458548926,
    start_position=D("0.00"),
    closed_pnl=D("0.000000"),
    fee=D("0.012896"),
    fee_asset="USDC",
    crossed=True,
    liquidation=None,
)
ORDER = OrderSnapshot(
    oid=323550506865,
    cloid=None,
    coin="HYPE",
    is_buy=False,
    price=D("40.000"),
    size=D("1.00"),
    remaining=D("1.00"),
    tif=Tif.GTC,
    reduce_only=False,
    trigger=None,
    position_tpsl=False,
    waiting=False,
    children=(),
    placed_ms=1771401340649,
    status=OrderStatus.OPEN,
    status_ms=1771401340649,
    reason=None,
)


def recorded(name: str) -> Any:
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"no recorded answers at {RECORDED}")
    return json.loads(path.read_text())


def test_an_order_is_spelled_as_recorded() -> None:
    rows = recorded("responses.json")["historicalOrders_dup_oid"]
    assert views.order_record(ORDER) == rows[1]


def test_a_fill_is_spelled_as_recorded() -> None:
    row = recorded("responses.json")["userFills"][0]
    expected = {name: value for name, value in row.items() if name not in {"builderFee", "hash"}}
    found = views.user_fill(FILL, USER)
    hash_ = found.pop("hash")
    assert {name: str(value) for name, value in found.items()} == {name: str(value) for name, value in expected.items()}
    assert len(hash_) == len(row["hash"])


def test_a_liquidation_is_told_in_the_recorded_form() -> None:
    row = recorded("responses.json")["userFills"][2]
    found = views.user_fill(replace(FILL, liquidation=ForcedClose(D("33.1"), takeover=False)), USER)["liquidation"]
    assert set(found) == set(row["liquidation"])
    assert (found["liquidatedUser"], found["method"]) == (USER, "market")


def test_trades_and_candles_are_spelled_as_recorded() -> None:
    streams = recorded("ws.json")
    row = streams["trades"][0]["data"][0]
    trade = Trade("BTC", 604438142537043, True, D("64097"), D("0.00033"), 1786539552700, *row["users"])
    found = views.public_trade(trade)
    assert {**found, "hash": row["hash"], "tid": row["tid"]} == row
    bar = Candle(
        "BTC", "1m", 1786539540000, 1786539599999, D(64082), D("64100"), D(64082), D("64099"), D("6.39125"), 124
    )
    assert views.candle(bar) == streams["candle"][1]["data"]


def test_an_asset_context_is_spelled_as_recorded() -> None:
    row = recorded("ws.json")["activeAssetCtx"][1]["data"]["ctx"]
    context = AssetContext(
        coin="BTC",
        mark=D("64040.0"),
        oracle=D("64063.1"),
        mid=D("64041.5"),
        funding=D("0.0000125"),
        premium=D("-0.0003293628"),
        open_interest=D("38485.06546"),
        day_notional_volume=D("1692146864.1761949062"),
        day_base_volume=D("26501.0297399999"),
        prev_day_px=D(64299),
        impact_bid=D(64041),
        impact_ask=D(64042),
    )
    assert views.asset_context(context) == row


@pytest.mark.parametrize(
    ("start", "is_buy", "words"),
    [
        ("0", True, "Open Long"),
        ("1", True, "Open Long"),
        ("0", False, "Open Short"),
        ("-1", False, "Open Short"),
        ("2", False, "Close Long"),
        ("-2", True, "Close Short"),
        ("0.5", False, "Long > Short"),
        ("-0.5", True, "Short > Long"),
        ("0.73", False, "Close Long"),
    ],
)
def test_a_fills_direction_follows_the_position(start: str, is_buy: bool, words: str) -> None:
    assert views.direction(replace(FILL, start_position=D(start), is_buy=is_buy)) == words


@pytest.mark.parametrize(
    ("is_buy", "tpsl", "is_market", "kind", "condition"),
    [
        (False, TpSl.SL, True, "Stop Market", "Price below 99.5"),
        (False, TpSl.TP, False, "Take Profit Limit", "Price above 99.5"),
        (True, TpSl.SL, False, "Stop Limit", "Price above 99.5"),
        (True, TpSl.TP, True, "Take Profit Market", "Price below 99.5"),
    ],
)
def test_a_trigger_order_tells_what_it_waits_for(
    is_buy: bool, tpsl: TpSl, is_market: bool, kind: str, condition: str
) -> None:
    order = replace(ORDER, is_buy=is_buy, trigger=Trigger(is_market, D("99.5"), tpsl), waiting=True, reduce_only=True)
    row = views.frontend_order(order)
    assert (row["orderType"], row["triggerCondition"], row["triggerPx"]) == (kind, condition, "99.5")
    assert (row["isTrigger"], row["tif"], row["reduceOnly"]) == (True, None, True)
    assert views.frontend_order(replace(order, waiting=False))["triggerCondition"] == "Triggered"


def test_pieces_of_one_crossing_order_are_merged_at_their_average_price() -> None:
    pieces = [
        replace(FILL, price=D(10), size=D(1), fee=D("0.1"), tid=1),
        replace(FILL, price=D(13), size=D(2), fee=D("0.2"), tid=2),
        replace(FILL, oid=5, tid=3, crossed=False),
        replace(FILL, oid=5, tid=4, crossed=False),
    ]
    merged = aggregated(pieces)
    assert [(fill.size, fill.price, fill.fee) for fill in merged[:1]] == [(D(3), D(12), D("0.3"))]
    assert [fill.tid for fill in merged[1:]] == [3, 4]


def test_a_thinned_book_promises_no_better_price_and_loses_no_size() -> None:
    bids = tuple(LevelView(D(px), D(1), 1) for px in ("50123", "50119", "50050"))
    asks = tuple(LevelView(D(px), D(2), 3) for px in ("50124", "50200", "50201"))
    book = thinned(BookView("BTC", 0, bids, asks), 3, 1)
    assert [(row.price, row.size) for row in book.bids] == [(D(50100), D(2)), (D(50000), D(1))]
    assert [(row.price, row.size, row.orders) for row in book.asks] == [(D(50200), D(4), 6), (D(50300), D(2), 3)]
    assert thinned(BookView("BTC", 0, (), ()), 3, 1).bids == ()


def test_an_order_for_the_whole_position_has_no_size_of_its_own_until_it_triggers() -> None:
    trigger = Trigger(is_market=True, trigger_px=D("35"), tpsl=TpSl.SL)
    waiting = replace(ORDER, trigger=trigger, position_tpsl=True, reduce_only=True, waiting=True)
    for row in (views.frontend_order(waiting), views.open_order(waiting), views.order_update(waiting, 1)["order"]):
        assert (row["sz"], row["origSz"]) == ("0.0", "0.0")
    triggered = views.frontend_order(replace(waiting, waiting=False))
    assert (triggered["sz"], triggered["origSz"], triggered["isPositionTpsl"]) == ("1.0", "1.0", True)
    assert views.frontend_order(replace(waiting, position_tpsl=False))["sz"] == "1.0"
