"""The mock's Bybit sockets: driven by ccxt.pro, and frame by frame where ccxt hides them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
import websocket

from apps.exchanges.mock.engine.api import NewOrder
from tests.contract.bybit_world import ALICE, BOB, BTC, Trader, World, bybit_world

pytestmark = pytest.mark.contract

WAIT_SECONDS = 5.0


@pytest.fixture
def world() -> Iterator[World]:
    with bybit_world(limits=False) as running:
        yield running


class Line:
    """A websocket that is read frame by frame."""

    def __init__(self, world: World, path: str) -> None:
        self.socket = websocket.create_connection(f"{world.websocket_url}/{path}", timeout=WAIT_SECONDS)

    def send(self, **message: object) -> None:
        self.socket.send(json.dumps(message))

    def next(self, where: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the next message that is meant, passing over the others."""
        while True:
            message = json.loads(self.socket.recv())
            if where(message):
                return message

    def topic(self, name: str, where: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the next message of a topic that is meant."""
        return self.next(lambda message: message.get("topic") == name and where(message))

    def sign_in(self, trader: Trader, *, seconds: float = 10) -> Any:
        expires = int((time.time() + seconds) * 1000)
        signature = hmac.new(trader.secret.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
        self.send(op="auth", args=[trader.key, expires, signature])
        return self.next(lambda message: message.get("op") == "auth")


@contextmanager
def line(world: World, path: str) -> Iterator[Line]:
    opened = Line(world, path)
    try:
        yield opened
    finally:
        opened.socket.close()


# --- by ccxt.pro --------------------------------------------------------------------------------------------------


def test_ccxt_watches_the_market_and_an_account_and_trades_by_socket(world: World) -> None:
    async def scenario() -> None:
        client = world.ccxt_pro()
        try:
            await asyncio.wait_for(_watch_everything(client), 30)
        finally:
            await client.close()

    asyncio.run(scenario())


async def _watch_everything(client: Any) -> None:
    await client.load_markets()
    book = await client.watch_order_book(BTC)
    assert (book["bids"], book["asks"]) == ([[49990.0, 5.0]], [[50010.0, 5.0]])
    assert (await client.watch_ticker(BTC))["bid"] == 49990.0
    (bar,) = await client.watch_ohlcv(BTC, "1m")
    assert bar[4] == 50000.0
    watched = [
        asyncio.create_task(task)
        for task in (client.watch_balance(), client.watch_orders(), client.watch_my_trades(), client.watch_trades(BTC))
    ]
    ids = []
    for _ in range(40):
        # ccxt does not say when it has subscribed, so orders are placed until everybody has heard of one.
        ids.append((await client.create_order(BTC, "market", "buy", 0.01))["id"])
        _, waiting = await asyncio.wait(watched, timeout=0.1)
        if not waiting:
            break
    balance, orders, fills, trades = [task.result() for task in watched]
    assert balance["USDT"]["total"] < 100_000
    assert orders[-1]["id"] in ids
    # Without `tpslMode` in the event ccxt would take the order for one of the spot market.
    assert (orders[-1]["symbol"], orders[-1]["status"], orders[-1]["type"]) == (BTC, "closed", "market")
    assert fills[-1]["order"] in ids
    assert fills[-1]["amount"] == 0.01
    assert trades[-1]["price"] == 50010.0
    placed = await client.create_order_ws(BTC, "limit", "buy", 0.1, 49000)
    changed = await client.edit_order_ws(placed["id"], BTC, "limit", "buy", 0.1, 48000)
    cancelled = await client.cancel_order_ws(placed["id"], BTC)
    assert placed["id"] == changed["id"] == cancelled["id"]


# --- the market, frame by frame -----------------------------------------------------------------------------------


def test_a_book_begins_with_a_snapshot_and_goes_on_without_a_hole(world: World) -> None:
    with line(world, "public/linear") as public:
        public.send(op="subscribe", req_id="r1", args=["orderbook.50.BTCUSDT", "orderbook.1.BTCUSDT"])
        answer = public.next()
        assert (answer["success"], answer["op"], answer["req_id"]) == (True, "subscribe", "r1")
        snapshot = public.topic("orderbook.50.BTCUSDT")
        assert (snapshot["type"], snapshot["data"]["b"]) == ("snapshot", [["49990", "5"]])
        world.admin("quote", coin="BTC", side="buy", price="49980", size="2")
        delta = public.topic("orderbook.50.BTCUSDT")
        assert (delta["type"], delta["data"]["b"], delta["data"]["a"]) == ("delta", [["49980", "2"]], [])
        world.admin("trade", coin="BTC", side="sell", price="49990", size="5")
        taken = public.topic("orderbook.50.BTCUSDT")
        assert ["49990", "0"] in taken["data"]["b"]
        assert [message["data"]["u"] for message in (delta, taken)] == [snapshot["data"]["u"] + n for n in (1, 2)]
        assert snapshot["data"]["seq"] < delta["data"]["seq"] < taken["data"]["seq"]
        # The best price alone is told in full every time.
        top = public.topic("orderbook.1.BTCUSDT", lambda message: message["data"]["b"] == [["49980", "2"]])
        assert top["type"] == "snapshot"


def test_trades_bars_and_tickers_have_the_words_of_the_venue(world: World) -> None:
    with line(world, "public/linear") as public:
        public.send(op="subscribe", args=["publicTrade.BTCUSDT", "kline.1.BTCUSDT", "tickers.BTCUSDT"])
        first = public.topic("tickers.BTCUSDT")
        assert (first["type"], first["data"]["markPrice"]) == ("snapshot", "50000")
        assert Decimal(first["data"]["openInterestValue"]) == 0
        world.admin("trade", coin="BTC", side="buy", price="50010", size="0.5")
        (trade,) = public.topic("publicTrade.BTCUSDT")["data"]
        assert (trade["S"], trade["p"], trade["v"], trade["s"]) == ("Buy", "50010", "0.5", "BTCUSDT")
        (bar,) = public.topic("kline.1.BTCUSDT", lambda message: message["data"][0]["volume"] == "0.5")["data"]
        assert (bar["high"], bar["confirm"], bar["interval"]) == ("50010", False, "1")
        world.admin("mark", coin="BTC", price="50005")
        changed = public.topic("tickers.BTCUSDT", lambda message: "markPrice" in message["data"])
        assert (changed["type"], changed["data"]["markPrice"]) == ("delta", "50005")
        public.send(op="ping", req_id="p1")
        pong = public.next(lambda message: message.get("ret_msg") == "pong")
        assert (pong["op"], pong["req_id"]) == ("ping", "p1")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("public/linear", {"op": "subscribe", "args": ["orderbook.7.BTCUSDT"]}),
        ("public/linear", {"op": "subscribe", "args": ["publicTrade.NOPEUSDT"]}),
        ("public/linear", {"op": "subscribe", "args": [7]}),
        ("public/linear", {"op": "dance"}),
        ("private", {"op": "subscribe", "args": ["order"]}),
    ],
)
def test_what_makes_no_sense_is_refused_and_the_line_stays_up(world: World, path: str, message: Any) -> None:
    with line(world, path) as opened:
        opened.send(**message)
        assert opened.next()["success"] is False
        opened.socket.send("{not json")
        assert opened.next()["success"] is False
        opened.send(op="ping")
        assert opened.next()["op"] in {"ping", "pong"}


# --- an account ---------------------------------------------------------------------------------------------------


def test_only_who_signs_hears_of_an_account(world: World) -> None:
    with line(world, "private") as private:
        assert private.sign_in(Trader("alice", ALICE.key, BOB.secret))["success"] is False
        assert private.sign_in(Trader("x", "nobody", "x"))["success"] is False
        assert private.sign_in(ALICE, seconds=-1)["success"] is False
        assert private.sign_in(ALICE)["success"] is True
        private.send(op="subscribe", args=["order", "execution", "position", "wallet"])
        assert private.next()["success"] is True
        bob = world.ccxt(BOB)
        bob.load_markets()
        bob.create_order(BTC, "limit", "buy", 0.1, 49000)
        order = NewOrder("BTC", True, Decimal("0.2"), Decimal(50_010), cloid="mine")
        world.mock.call(lambda exchange: exchange.place("alice", [order]))
        (execution,) = private.topic("execution")["data"]
        assert (execution["orderLinkId"], execution["execQty"], execution["isMaker"]) == ("mine", "0.2", False)
        (row,) = private.topic("order")["data"]
        assert (row["orderStatus"], row["cumExecQty"], row["tpslMode"]) == ("Filled", "0.2", "")
        (position,) = private.topic("position")["data"]
        # The stream has another word for the average price than position/list.
        assert (position["size"], position["side"], position["entryPrice"]) == ("0.2", "Buy", "50010")
        assert "avgPrice" not in position
        (wallet,) = private.topic("wallet")["data"]
        assert Decimal(wallet["coin"][0]["walletBalance"]) == 100_000 - Decimal(execution["execFee"])


def test_the_cancel_on_silence_is_bound_to_the_private_connection(world: World) -> None:
    """wire.md 0.13: not a timer; seconds, 3 to 300; without a subscription to `dcp` it does nothing at all."""
    alice = world.ccxt()
    alice.load_markets()
    order = alice.create_order(BTC, "limit", "buy", 0.1, 49000)
    for seconds in (2, 301):
        with pytest.raises(Exception, match="timeWindow"):
            alice.cancel_all_orders_after(seconds * 1000)
    with line(world, "private") as deaf:
        deaf.sign_in(ALICE)
    assert alice.cancel_all_orders_after(3_000)["retCode"] == 0
    (info,) = alice.privateGetV5AccountQueryDcpInfo()["result"]["dcpInfos"]
    assert (info["dcpStatus"], info["timeWindow"]) == ("ON", "3")
    with line(world, "private") as private:
        private.sign_in(ALICE)
        private.send(op="subscribe", args=["dcp.future"])
        assert private.next()["success"] is True
    cut = time.monotonic()
    while alice.fetch_open_orders(BTC) and time.monotonic() < cut + 10:
        time.sleep(0.1)
    assert time.monotonic() - cut > 2
    ended = alice.fetch_order(order["id"], BTC, {"acknowledged": True})
    assert (ended["status"], ended["info"]["cancelType"]) == ("canceled", "CancelByDCP")


# --- orders by socket ---------------------------------------------------------------------------------------------


def test_orders_by_socket_need_a_signature_a_fresh_stamp_and_a_known_word() -> None:
    with bybit_world() as world, line(world, "trade") as trade:
        order = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.1"}

        def ask(op: str, *args: object, age_ms: int = 0) -> Any:
            stamp = str(int(time.time() * 1000) - age_ms)
            trade.send(reqId="q", op=op, args=args, header={"X-BAPI-TIMESTAMP": stamp, "X-BAPI-RECV-WINDOW": "5000"})
            return trade.next(lambda message: message.get("reqId") == "q")

        priced = {**order, "price": "49000"}
        assert ask("order.create", priced)["retCode"] == 10004
        assert trade.sign_in(ALICE)["retCode"] == 0
        assert ask("order.create", priced, age_ms=6_000)["retCode"] == 10002
        assert ask("order.dance", priced)["retCode"] == 10404
        placed = ask("order.create", priced)
        assert (placed["retCode"], placed["op"]) == (0, "order.create")
        assert placed["header"]["X-Bapi-Limit"] == "10"
        batch = ask("order.create-batch", {"category": "linear", "request": [{**priced, "qty": q} for q in ("1", "0")]})
        assert [row["code"] for row in batch["retExtInfo"]["list"]] == [0, 10001]
        named = {"category": "linear", "symbol": "BTCUSDT", "orderId": placed["data"]["orderId"]}
        assert ask("order.amend", {**named, "price": "48000"})["retCode"] == 0
        assert ask("order.cancel", named)["retCode"] == 0
        assert ask("order.cancel", named)["retCode"] == 110001


# --- faults on the line -------------------------------------------------------------------------------------------


def test_gaps_duplicates_and_disorder_reach_the_client_as_asked(world: World) -> None:
    with line(world, "public/linear") as public:
        public.send(op="subscribe", args=["orderbook.50.BTCUSDT"])
        start = public.topic("orderbook.50.BTCUSDT")["data"]["u"]
        topic = "orderbook.50.BTCUSDT"
        world.fault("ws_duplicate", count=1, action=topic)
        world.admin("quote", coin="BTC", side="buy", price="49980", size="1")
        assert [public.topic(topic)["data"]["u"] for _ in range(2)] == [start + 1, start + 1]
        world.fault("ws_gap", value=0.3, action=topic)
        world.admin("quote", coin="BTC", side="buy", price="49970", size="1")
        time.sleep(0.4)
        world.heal()
        world.admin("quote", coin="BTC", side="buy", price="49960", size="1")
        assert public.topic(topic)["data"]["u"] > start + 2
        assert world.admin("faults", kind="ws_disconnect")["disconnected"] == 1
        with pytest.raises((websocket.WebSocketException, OSError)):
            public.next(lambda _: False)
