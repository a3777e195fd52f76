"""The mock's websocket: driven by the SDK's own manager, and frame by frame where the SDK hides them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import eth_account
import pytest
import requests
import websocket
from hyperliquid.exchange import Exchange as SdkExchange
from hyperliquid.info import Info
from hyperliquid.utils import signing as sdk_signing

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import ThreadedMock, mock_in_thread
from apps.exchanges.mock.wire.config import SocketLimits, WireConfig
from moondev.domain.clock import LiveClock

pytestmark = pytest.mark.contract

TRADER = eth_account.Account.from_key("0x" + "11" * 32)
USER = TRADER.address.lower()
SPECS = (InstrumentSpec("BTC", 0, 5, 40), InstrumentSpec("ETH", 1, 4, 25))
GTC, IOC = ({"limit": {"tif": tif}} for tif in ("Gtc", "Ioc"))
WAIT_SECONDS = 5.0
SILENCE_SECONDS = 0.4


def post(running: ThreadedMock, path: str, /, **body: object) -> dict[str, Any]:
    answer = requests.post(running.url + path, json=body, timeout=5)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.fixture
def config() -> WireConfig:
    return WireConfig(book_interval_ms=20)


@pytest.fixture
def venue(config: WireConfig) -> Iterator[ThreadedMock]:
    clock = LiveClock()
    engine = Exchange(SPECS, clock, {"BTC": Decimal(50_000), "ETH": Decimal(3_000)})
    with mock_in_thread(engine, clock, config) as running:
        post(running, "/admin/accounts", address=USER, deposit="100000")
        post(running, "/admin/quote", coin="BTC", side="buy", price="49990", size="5")
        post(running, "/admin/quote", coin="BTC", side="sell", price="50010", size="5")
        yield running


@pytest.fixture
def trader(venue: ThreadedMock) -> SdkExchange:
    return SdkExchange(TRADER, venue.hyperliquid_url, timeout=5)


class Line:
    """A websocket that is read frame by frame."""

    def __init__(self, venue: ThreadedMock) -> None:
        url = venue.hyperliquid_url.replace("http", "ws", 1) + "/ws"
        self.socket = websocket.create_connection(url, timeout=WAIT_SECONDS)
        assert self.socket.recv() == "Websocket connection established."

    def send(self, **message: object) -> None:
        self.socket.send(json.dumps(message))

    def subscribe(self, **subscription: object) -> None:
        self.send(method="subscribe", subscription=subscription)
        echo = self.next("subscriptionResponse")
        assert echo == {"method": "subscribe", "subscription": subscription}

    def next(self, channel: str, *, where: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the data of the next message of `channel`, passing over the others."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            message = json.loads(self.socket.recv())
            if message["channel"] == channel and where(message.get("data")):
                return message.get("data")
        raise AssertionError(f"no {channel} in {WAIT_SECONDS} s")

    def heard(self, seconds: float = SILENCE_SECONDS) -> list[Any]:
        """Return everything said within `seconds`."""
        self.socket.settimeout(seconds)
        messages = []
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                messages.append(json.loads(self.socket.recv()))
        except websocket.WebSocketTimeoutException:
            pass
        self.socket.settimeout(WAIT_SECONDS)
        return messages


@pytest.fixture
def dial(venue: ThreadedMock) -> Iterator[Callable[[], Line]]:
    lines: list[Line] = []

    def connect() -> Line:
        lines.append(Line(venue))
        return lines[-1]

    yield connect
    for line in lines:
        line.socket.close()


@pytest.fixture
def line(dial: Callable[[], Line]) -> Line:
    return dial()


# --- the SDK's manager ----------------------------------------------------------------------------


def test_the_sdks_manager_hears_books_trades_and_its_own_orders(venue: ThreadedMock, trader: SdkExchange) -> None:
    info = Info(venue.hyperliquid_url, timeout=5)
    heard: dict[str, list[Any]] = {}
    done = threading.Event()
    wanted = {"l2Book", "bbo", "trades", "candle", "allMids", "orderUpdates", "userFills", "user", "activeAssetCtx"}

    def hear(message: Any) -> None:
        heard.setdefault(message["channel"], []).append(message["data"])
        if wanted <= set(heard):
            done.set()

    try:
        for subscription in (
            {"type": "l2Book", "coin": "BTC"},
            {"type": "bbo", "coin": "BTC"},
            {"type": "trades", "coin": "BTC"},
            {"type": "candle", "coin": "BTC", "interval": "1m"},
            {"type": "allMids"},
            {"type": "activeAssetCtx", "coin": "BTC"},
            {"type": "orderUpdates", "user": USER},
            {"type": "userFills", "user": USER},
            {"type": "userEvents", "user": USER},
            {"type": "userFundings", "user": USER},
            {"type": "userNonFundingLedgerUpdates", "user": USER},
            {"type": "webData2", "user": USER},
            {"type": "activeAssetData", "user": USER, "coin": "BTC"},
        ):
            info.subscribe(subscription, hear)  # type: ignore[arg-type]
        wait_for(lambda: "activeAssetData" in heard)
        trader.market_open("BTC", True, 0.1)
        assert done.wait(WAIT_SECONDS), f"heard only {sorted(heard)}"
    finally:
        info.disconnect_websocket()
    assert {"userFundings", "userNonFundingLedgerUpdates", "webData2"} <= set(heard)
    assert heard["userFills"][0] == {"isSnapshot": True, "user": USER, "fills": []}
    assert heard["userFills"][1]["fills"][0]["sz"] == "0.1"
    assert heard["user"][0]["fills"][0]["tid"] == heard["userFills"][1]["fills"][0]["tid"]
    assert heard["trades"][-1][0]["users"][0] == USER
    (updates,) = heard["orderUpdates"]
    assert [update["status"] for update in updates][-1] == "filled"


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


# --- frames ---------------------------------------------------------------------------------------


def test_a_batch_arrives_as_one_message_of_order_updates(line: Line, trader: SdkExchange) -> None:
    line.subscribe(type="orderUpdates", user=USER)
    order = {
        "coin": "BTC",
        "is_buy": True,
        "sz": 0.01,
        "limit_px": 49_000,
        "order_type": GTC,
        "reduce_only": False,
    }
    answer = trader.bulk_orders([{**order, "limit_px": 49_000 + step} for step in range(10)])  # type: ignore[typeddict-item]
    oids = [status["resting"]["oid"] for status in answer["response"]["data"]["statuses"]]
    updates = line.next("orderUpdates")
    assert [update["order"]["oid"] for update in updates] == oids
    assert {update["status"] for update in updates} == {"open"}
    assert set(updates[0]["order"]) == {"coin", "side", "limitPx", "sz", "oid", "timestamp", "origSz"}
    assert set(updates[0]) == {"order", "status", "statusTimestamp"}


def test_resubscribing_brings_a_snapshot_of_fills_but_none_of_orders(
    dial: Callable[[], Line], trader: SdkExchange
) -> None:
    trader.order("BTC", True, 0.1, 50_010, IOC)
    line = dial()
    line.subscribe(type="userFills", user=USER)
    snapshot = line.next("userFills")
    assert snapshot["isSnapshot"] is True
    assert [fill["sz"] for fill in snapshot["fills"]] == ["0.1"]
    line.subscribe(type="orderUpdates", user=USER)
    assert [message for message in line.heard() if message["channel"] == "orderUpdates"] == []


def test_cancels_nobody_asked_for_are_told_as_user_events(line: Line, trader: SdkExchange) -> None:
    trader.order("BTC", True, 0.1, 50_010, IOC)
    trader.order("BTC", False, 0.1, 51_000, GTC, reduce_only=True)
    (oid,) = (row["oid"] for row in trader.info.open_orders(USER))
    line.subscribe(type="userEvents", user=USER)
    trader.order("BTC", False, 0.1, 49_990, IOC)
    assert line.next("user", where=lambda data: "nonUserCancel" in data) == {
        "nonUserCancel": [{"coin": "BTC", "oid": oid}]
    }


def test_books_are_pushed_when_they_change_and_only_then(venue: ThreadedMock, line: Line) -> None:
    line.subscribe(type="l2Book", coin="BTC")
    first = line.next("l2Book")
    assert [level["px"] for level in first["levels"][0]] == ["49990.0"]
    line.heard(0.1)
    assert line.heard() == []
    post(venue, "/admin/quote", coin="BTC", side="buy", price="49995", size="1.5")
    changed = line.next("l2Book")
    assert changed["levels"][0][0] == {"px": "49995.0", "sz": "1.5", "n": 1}
    post(venue, "/admin/quote", coin="ETH", side="buy", price="2999", size="1")
    assert line.heard() == []


def test_a_burst_of_changes_is_coalesced(venue: ThreadedMock, line: Line) -> None:
    line.subscribe(type="l2Book", coin="BTC")
    line.next("l2Book")

    def burst(exchange: Exchange) -> None:
        house, market = exchange.house(), exchange.house().market("BTC")
        for step in range(200):
            price = market.grid.price_units(Decimal(49_000 + step))
            assert price is not None
            house.quote(market, price, 1_000, is_buy=True)
        exchange.tick(LiveClock().now())

    venue.call(burst)
    books = [message for message in line.heard() if message["channel"] == "l2Book"]
    assert 1 <= len(books) <= 3


def test_unsubscribing_ends_a_stream(venue: ThreadedMock, line: Line) -> None:
    line.subscribe(type="trades", coin="BTC")
    line.send(method="unsubscribe", subscription={"type": "trades", "coin": "BTC"})
    assert line.next("subscriptionResponse")["method"] == "unsubscribe"
    post(venue, "/admin/trade", coin="BTC", side="buy", price="50010", size="0.5")
    assert line.heard() == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("{", "Error parsing JSON into valid websocket request: {"),
        ('{"method":"dance"}', "Error parsing JSON into valid websocket request"),
        ('{"method":"subscribe","subscription":{"type":"weather"}}', 'Invalid subscription {"type":"weather"}'),
        ('{"method":"subscribe","subscription":{"type":"l2Book","coin":"NOPE"}}', "Invalid subscription"),
        ('{"method":"subscribe","subscription":{"type":"userFills","user":"me"}}', "Invalid subscription"),
        ('{"method":"unsubscribe","subscription":{"type":"allMids"}}', 'Already unsubscribed: {"type":"allMids"}'),
        ('{"method":"post","id":1,"request":{"type":"dance","payload":{}}}', "Error parsing JSON"),
    ],
)
def test_what_makes_no_sense_is_answered_on_the_error_channel(line: Line, message: str, said: str) -> None:
    line.socket.send(message)
    assert line.next("error").startswith(said)
    line.send(method="ping")
    line.next("pong")


def test_subscribing_twice_is_an_error(line: Line) -> None:
    line.subscribe(type="candle", coin="BTC", interval="1m")
    line.send(method="subscribe", subscription={"type": "candle", "coin": "BTC", "interval": "1m"})
    assert line.next("error") == 'Already subscribed: {"type":"candle","coin":"BTC","interval":"1m"}'


def test_posted_questions_and_actions_are_answered_under_their_id(line: Line, trader: SdkExchange) -> None:
    line.send(method="post", id=7, request={"type": "info", "payload": {"type": "l2Book", "coin": "BTC"}})
    answer = line.next("post")
    assert (answer["id"], answer["response"]["type"]) == (7, "info")
    assert answer["response"]["payload"]["type"] == "l2Book"
    assert answer["response"]["payload"]["data"]["coin"] == "BTC"
    order = {"a": 0, "b": True, "p": "49000", "s": "0.1", "r": False, "t": GTC}
    action = sdk_signing.order_wires_to_order_action([order])  # type: ignore[list-item]
    nonce = int(time.time() * 1000)
    signature = sdk_signing.sign_l1_action(TRADER, action, None, nonce, None, False)
    payload = {"action": action, "nonce": nonce, "signature": signature}
    line.send(method="post", id=8, request={"type": "action", "payload": payload})
    answer = line.next("post")
    assert (answer["id"], answer["response"]["payload"]["status"]) == (8, "ok")
    assert len(trader.info.open_orders(USER)) == 1
    line.send(method="post", id=9, request={"type": "action", "payload": {"action": 1}})
    assert line.next("post")["response"]["type"] == "error"


@pytest.mark.parametrize(
    "config",
    [WireConfig(book_interval_ms=20, socket=SocketLimits(connections=2, subscriptions=2, users=1))],
)
def test_connections_subscriptions_and_users_are_limited(dial: Callable[[], Line]) -> None:
    line = dial()
    line.subscribe(type="userFills", user=USER)
    line.send(method="subscribe", subscription={"type": "userFills", "user": "0x" + "ab" * 20})
    assert line.next("error") == "Cannot track more than 1 total users."
    line.subscribe(type="allMids")
    line.send(method="subscribe", subscription={"type": "trades", "coin": "BTC"})
    assert line.next("error") == "Cannot subscribe to more than 2 channels."
    dial()
    with pytest.raises(websocket.WebSocketBadStatusException, match="429"):
        dial()


# --- faults on the line ---------------------------------------------------------------------------


def test_a_disconnect_cuts_every_line_and_a_refusal_keeps_it_cut(venue: ThreadedMock, dial: Callable[[], Line]) -> None:
    lines = [dial(), dial()]
    assert post(venue, "/admin/faults", kind="ws_disconnect")["disconnected"] == 2
    for line in lines:
        with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
            line.socket.recv()
    post(venue, "/admin/faults", kind="ws_refuse", value=0.5)
    with pytest.raises(websocket.WebSocketBadStatusException, match="503"):
        dial()
    time.sleep(0.5)
    dial()


def test_a_gap_loses_messages_and_says_nothing(venue: ThreadedMock, line: Line, trader: SdkExchange) -> None:
    line.subscribe(type="userFills", user=USER)
    line.next("userFills")
    post(venue, "/admin/faults", kind="ws_gap", value=0.5)
    trader.order("BTC", True, 0.1, 50_010, IOC)
    assert line.heard(0.5) == []
    trader.order("BTC", True, 0.2, 50_010, IOC)
    assert [fill["sz"] for fill in line.next("userFills")["fills"]] == ["0.2"]
    assert len(trader.info.user_fills(USER)) == 2


def test_a_stall_delays_messages_but_loses_none(venue: ThreadedMock, line: Line, trader: SdkExchange) -> None:
    line.subscribe(type="userFills", user=USER)
    line.next("userFills")
    post(venue, "/admin/faults", kind="ws_stall", value=0.6)
    begun = time.monotonic()
    trader.order("BTC", True, 0.1, 50_010, IOC)
    assert [fill["sz"] for fill in line.next("userFills")["fills"]] == ["0.1"]
    assert time.monotonic() - begun > 0.5


def test_messages_can_come_twice_and_out_of_order(venue: ThreadedMock, line: Line, trader: SdkExchange) -> None:
    line.subscribe(type="userFills", user=USER)
    line.next("userFills")
    post(venue, "/admin/faults", kind="ws_duplicate", count=1, action="userFills")
    trader.order("BTC", True, 0.1, 50_010, IOC)
    tids = [line.next("userFills")["fills"][0]["tid"] for _ in range(2)]
    assert tids[0] == tids[1]
    post(venue, "/admin/faults", kind="ws_out_of_order", count=1, action="userFills")
    trader.order("BTC", True, 0.2, 50_010, IOC)
    trader.order("BTC", True, 0.3, 50_010, IOC)
    assert [line.next("userFills")["fills"][0]["sz"] for _ in range(2)] == ["0.3", "0.2"]


@pytest.mark.parametrize("config", [WireConfig(book_interval_ms=20, max_backlog=50)])
def test_a_client_too_slow_to_read_is_cut_off_and_others_are_not(venue: ThreadedMock, dial: Callable[[], Line]) -> None:
    slow, quick = dial(), dial()
    for line in (slow, quick):
        line.subscribe(type="trades", coin="BTC")
    post(venue, "/admin/quote", coin="BTC", side="sell", price="50020", size="100000")
    post(venue, "/admin/faults", kind="ws_stall", value=1.5)
    for _ in range(60):
        post(venue, "/admin/trade", coin="BTC", side="buy", price="50020", size="0.1")
    state = requests.get(venue.url + "/admin/state", timeout=5).json()
    assert state["connections"] == 0
    requests.delete(venue.url + "/admin/faults", timeout=5)
    again = dial()
    again.subscribe(type="trades", coin="BTC")
    assert again.next("trades")
