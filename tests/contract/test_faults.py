"""Every fault, at every venue of the mock exchange, switched on over the admin endpoint and seen from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
import requests
import websocket

from apps.exchanges.mock.faults import FaultKind
from apps.exchanges.mock.market import MarketOptions, open_markets
from apps.exchanges.mock.threaded import ThreadedMock, venues_in_thread
from apps.exchanges.mock.venues import VENUES
from apps.exchanges.mock.wire.config import WireConfig

pytestmark = pytest.mark.contract

SIZES = ("0.011", "0.012", "0.013")
MARKERS = count(101, 2)


@dataclass(frozen=True)
class Door:
    """How to ask a venue the time, what that question is called in faults, and how to hear its trades of Bitcoin."""

    method: str
    prefix: str
    path: str
    socket: str
    subscribe: dict[str, Any]
    body: dict[str, Any] | None = None
    time: tuple[str, ...] = ("time",)

    def ask(self, url: str) -> requests.Response:
        return requests.request(self.method, url + self.prefix + self.path, json=self.body, timeout=5)

    def now(self, url: str) -> float:
        answer = self.ask(url).json()
        for key in self.time:
            answer = answer[key]
        return float(answer)


DOORS = {
    "hyperliquid": Door(
        "POST",
        "/hl",
        "/info",
        "/hl/ws",
        {"method": "subscribe", "subscription": {"type": "trades", "coin": "BTC"}},
        {"type": "exchangeStatus"},
    ),
    "binance": Door(
        "GET",
        "/binance",
        "/fapi/v1/time",
        "/binance/fstream/public/ws",
        {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1},
        time=("serverTime",),
    ),
    "bybit": Door(
        "GET",
        "/bybit",
        "/v5/market/time",
        "/bybit/v5/public/linear",
        {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]},
    ),
    "phemex": Door(
        "GET",
        "/phemex",
        "/public/time",
        "/phemex/ws",
        {"id": 1, "method": "trade_p.subscribe", "params": ["BTCUSDT"]},
        time=("data", "serverTime"),
    ),
    "dydx": Door(
        "GET",
        "/dydx",
        "/v4/time",
        "/dydx/v4/ws",
        {"type": "subscribe", "channel": "v4_trades", "id": "BTC-USD"},
        time=("epoch",),
    ),
}


class Mock:
    """All venues of the mock, without a market of their own."""

    def __init__(self, served: ThreadedMock) -> None:
        self.url = served.url

    def admin(self, method: str, path: str, body: object) -> requests.Response:
        return requests.request(method, f"{self.url}/admin/{path}", json=body, timeout=5)

    def fault(self, venue: str, kind: str, **body: object) -> dict[str, Any]:
        answer = self.admin("POST", "faults", {"venue": venue, "kind": kind, **body})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def struck(self) -> list[int]:
        return [rule["struck"] for rule in self.admin("GET", "faults", {}).json()]

    def trade(self, venue: str, size: str) -> None:
        order = {"venue": venue, "coin": "BTC", "price": "100000", "size": size}
        assert self.admin("POST", "quote", {**order, "side": "sell"}).status_code == 200
        assert self.admin("POST", "trade", {**order, "side": "buy"}).status_code == 200


@pytest.fixture(scope="module")
def served() -> Iterator[ThreadedMock]:
    exchanges, clock = open_markets(MarketOptions(feed="none"), list(VENUES.values()))
    with venues_in_thread(exchanges, clock, WireConfig(limits=False, book_interval_ms=20)) as mock:
        yield mock


@pytest.fixture
def mock(served: ThreadedMock) -> Iterator[Mock]:
    mock = Mock(served)
    yield mock
    mock.admin("DELETE", "faults", {})


@pytest.fixture(params=sorted(VENUES))
def venue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def listening(mock: Mock, venue: str) -> Iterator[websocket.WebSocket]:
    """Yield a socket that is subscribed to the trades; the first one has been heard."""
    door = DOORS[venue]
    socket = websocket.create_connection(mock.url.replace("http", "ws") + door.socket, timeout=5)
    with ExitStack() as stack:
        stack.callback(socket.close)
        socket.send(json.dumps(door.subscribe))
        while "ubscri" not in (text := socket.recv()) and "result" not in text:
            pass
        # Of a size that no earlier trade had: some venues repeat the newest ones to who subscribes.
        marker = f"0.{next(MARKERS)}"
        mock.trade(venue, marker)
        heard(socket, (marker,))
        yield socket


def heard(socket: websocket.WebSocket, wanted: tuple[str, ...]) -> list[str]:
    """Return which of the `wanted` sizes were told, in the order they came, until the last one asked for has come."""
    told: list[str] = []
    while wanted[-1] not in told or len(told) < len(wanted):
        text = socket.recv()
        told += [size for size in wanted if f'"{size}' in text]
    return told


def test_every_venue_is_held_to_this() -> None:
    assert set(DOORS) == set(VENUES)


def test_latency_and_server_errors_strike_what_they_name_and_count_down(mock: Mock, venue: str) -> None:
    door = DOORS[venue]
    mock.fault(venue, "latency_ms", value=30, count=1, path=door.path)
    mock.fault(venue, "error_5xx", value=503, count=1)
    other = next(name for name in DOORS if name != venue)
    assert DOORS[other].ask(mock.url).status_code == 200
    assert door.ask(mock.url).status_code == 503
    assert door.ask(mock.url).status_code == 200
    assert mock.struck() == [1, 1]


def test_a_rate_limit_speaks_the_venues_words_and_a_ban_the_gatekeepers(mock: Mock, venue: str) -> None:
    door = DOORS[venue]
    mock.fault(venue, "rate_limit", count=1)
    limited = door.ask(mock.url)
    # Bybit says it with 200, in the body.
    assert limited.status_code == 429 or "10006" in limited.text
    for status in (418, 403):
        mock.fault(venue, "ban", value=status, count=1)
        banned = door.ask(mock.url)
        assert (banned.status_code, banned.headers["Retry-After"]) == (status, "120")
    assert door.ask(mock.url).status_code == 200


@pytest.mark.parametrize("kind", ["drop_before", "accept_then_drop"])
def test_a_dropped_line_leaves_no_answer(mock: Mock, venue: str, kind: str) -> None:
    mock.fault(venue, kind, count=1)
    with pytest.raises(requests.ConnectionError):
        DOORS[venue].ask(mock.url)
    assert DOORS[venue].ask(mock.url).status_code == 200


def test_a_skewed_clock_is_told_and_only_there(mock: Mock, venue: str) -> None:
    door, other = DOORS[venue], next(door for name, door in DOORS.items() if name != venue)
    minute = 60.0 if venue == "dydx" else 60_000.0
    before, elsewhere = door.now(mock.url), other.now(mock.url)
    mock.fault(venue, "clock_skew_ms", value=600_000)
    assert 9 * minute < door.now(mock.url) - before < 11 * minute
    assert other.now(mock.url) - elsewhere < 60_000


def test_a_disconnect_cuts_every_socket_of_the_venue_and_a_refusal_lets_none_in(mock: Mock, venue: str) -> None:
    with listening(mock, venue) as socket:
        assert mock.fault(venue, "ws_disconnect")["disconnected"] >= 1
        with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
            heard(socket, ("never",))
    mock.fault(venue, "ws_refuse", value=30)
    with pytest.raises(websocket.WebSocketBadStatusException, match="503"), listening(mock, venue):
        pass
    mock.admin("DELETE", "faults", {"venue": venue})
    with listening(mock, venue):
        pass


def test_a_stall_keeps_messages_back_and_a_gap_loses_them(mock: Mock, venue: str) -> None:
    first, second, third = SIZES
    with listening(mock, venue) as socket:
        mock.fault(venue, "ws_stall", value=0.2)
        mock.trade(venue, first)
        assert heard(socket, (first,)) == [first]
        mock.admin("DELETE", "faults", {})
        mock.fault(venue, "ws_gap", value=30)
        mock.trade(venue, second)
        # What the venue has to say is collected in its own time: the gap must last until it was.
        DOORS[venue].ask(mock.url)
        mock.admin("DELETE", "faults", {})
        mock.trade(venue, third)
        told = []
        while third not in told:
            text = socket.recv()
            told += [size for size in SIZES if f'"{size}' in text]
        assert told == [third]


def test_messages_come_twice_and_in_the_wrong_order(mock: Mock, venue: str) -> None:
    first, second, third = SIZES
    with listening(mock, venue) as socket:
        mock.fault(venue, "ws_duplicate", count=1)
        mock.trade(venue, first)
        assert len([text for text in (socket.recv(), socket.recv()) if f'"{first}' in text]) == 2
        mock.admin("DELETE", "faults", {})
        mock.fault(venue, "ws_out_of_order", count=1)
        mock.trade(venue, second)
        mock.trade(venue, third)
        assert heard(socket, (third, second)) == [third, second]


@pytest.mark.parametrize("named", ["hl", "hyperliquid"])
def test_a_venue_is_known_by_its_name_and_by_the_short_one(mock: Mock, named: str) -> None:
    assert mock.fault(named, "error_5xx")["venue"] == "hyperliquid"
    assert DOORS["hyperliquid"].ask(mock.url).status_code == 502


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"venue": "kraken", "kind": "reject"}, "venue must be one of hyperliquid, binance"),
        ({"venue": ["bybit"], "kind": "reject"}, "venue must be one of"),
        ({"venue": "bybit", "kind": "meteor"}, "kind must be one of"),
        ({"venue": "bybit", "kind": "ban", "value": 404}, "one of 403, 418"),
        ({"venue": "bybit", "kind": "ws_stall"}, "seconds above 0"),
        ({"venue": "bybit", "kind": "reject", "how": 1}, "unknown field 'how'"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_a_sentence(mock: Mock, body: dict[str, Any], said: str) -> None:
    answer = mock.admin("POST", "faults", body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert mock.admin("GET", "faults", {}).json() == []


def test_every_kind_of_fault_is_tried_here_or_on_signed_requests() -> None:
    tried = {"latency_ms", "error_5xx", "rate_limit", "ban", "drop_before", "accept_then_drop", "clock_skew_ms"}
    tried |= {"ws_disconnect", "ws_refuse", "ws_stall", "ws_gap", "ws_duplicate", "ws_out_of_order"}
    assert set(FaultKind) - tried == {"reject"}, "the contract suite rejects an order at every venue"
