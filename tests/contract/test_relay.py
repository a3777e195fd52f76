"""A relayed market: one mock venue's public stream is copied into another, over real sockets on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from typing import Any

import pytest
import requests

from apps.exchanges.mock.engine.api import InstrumentSpec, NewOrder
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.market import MarketOptions, open_markets
from apps.exchanges.mock.relay.feed import RelayFeed
from apps.exchanges.mock.relay.source import Patience, Source
from apps.exchanges.mock.threaded import ThreadedMock, mock_in_thread, venues_in_thread
from apps.exchanges.mock.venues import VENUES
from apps.exchanges.mock.wire.config import WireConfig
from moondev.domain.clock import LiveClock, ReplayClock
from moondev.domain.errors import InvalidValue

pytestmark = pytest.mark.contract

COINS = ("BTC", "ETH")
SOCKETS = {
    "hyperliquid": "/hl/ws",
    "binance": "/binance/fstream/ws",
    "bybit": "/bybit/v5/public/linear",
    "phemex": "/phemex/ws",
    "dydx": "/dydx/v4/ws",
}
ME = "0x" + "ab" * 20
CONFIG = WireConfig(limits=False, book_interval_ms=20)


@pytest.fixture(scope="module")
def live() -> Iterator[ThreadedMock]:
    """Every venue with a market that moves: what is relayed here."""
    exchanges, clock = open_markets(MarketOptions(coins=COINS), list(VENUES.values()))
    with venues_in_thread(exchanges, clock, CONFIG) as mock:
        yield mock


def admin(mock: ThreadedMock, method: str, path: str, **body: object) -> Any:
    answer = requests.request(method, f"{mock.url}/admin/{path}", json=body, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def address(live: ThreadedMock, venue: str) -> str:
    return live.url.replace("http", "ws") + SOCKETS[venue]


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return holds()


def health(mock: ThreadedMock, venue: str) -> dict[str, Any]:
    return dict(admin(mock, "GET", "health")["feeds"][venue])


def top(exchange: Exchange) -> list[tuple[Decimal, Decimal]]:
    book = exchange.book("BTC", 10)
    return [(level.price, level.size) for level in (*book.bids, *book.asks)]


@contextmanager
def standing_still(live: ThreadedMock, venue: str) -> Iterator[None]:
    admin(live, "POST", "feed", venue=venue, action="pause")
    try:
        yield
    finally:
        admin(live, "POST", "feed", venue=venue, action="resume")


@pytest.mark.parametrize("venue", sorted(VENUES))
def test_copies_books_marks_and_trades_and_comes_back_after_a_break(live: ThreadedMock, venue: str) -> None:
    options = MarketOptions(feed=f"relay:{venue}@{address(live, venue)}", coins=COINS)
    exchanges, clock = open_markets(options, [VENUES[venue]])
    with venues_in_thread(exchanges, clock, CONFIG) as copy, ExitStack() as stack:
        assert eventually(lambda: not health(copy, venue)["stale"] and bool(copy.call(top)))
        stack.enter_context(standing_still(live, venue))
        assert eventually(lambda: copy.call(top) == live.call(top, venue))
        mark = live.call(lambda exchange: exchange.mark("BTC"), venue)
        assert eventually(lambda: copy.call(lambda exchange: exchange.mark("BTC")) == mark)
        price = bid_at_the_best(copy)
        # More than rests at the best bid, so that it reaches whoever queues there.
        reach, size = live.call(deep, venue)
        admin(live, "POST", "trade", venue=venue, coin="BTC", side="sell", price=str(reach), size=str(size))
        assert eventually(lambda: bool(copy.call(lambda exchange: exchange.fills(ME))))
        [fill] = copy.call(lambda exchange: exchange.fills(ME))
        assert (fill.price, fill.crossed) == (price, False)
        assert copy.call(lambda exchange: exchange.trades("BTC", 1)[0].is_buy) is False
        admin(live, "POST", "faults", venue=venue, kind="ws_disconnect")
        assert eventually(lambda: health(copy, venue)["connections"] == 2)
        admin(live, "POST", "feed", venue=venue, action="resume")
        assert eventually(lambda: copy.call(lambda exchange: exchange.mark("BTC")) != mark)
        assert health(copy, venue)["unreadable"] == 0


def deep(exchange: Exchange) -> tuple[Decimal, Decimal]:
    """Return the third bid's price, and what rests down to the second."""
    bids = exchange.book("BTC", 3).bids
    return bids[2].price, bids[0].size + bids[1].size


def bid_at_the_best(copy: ThreadedMock) -> Decimal:
    """Let ME bid at the best price; return it."""

    def bid(exchange: Exchange) -> Decimal:
        exchange.open_account(ME, Decimal(1_000_000))
        best = exchange.book("BTC", 1).bids[0].price
        exchange.place(ME, [NewOrder("BTC", True, Decimal("0.01"), best)])
        return best

    return copy.call(bid)


def test_a_market_whose_source_is_away_stands_still_and_says_so(live: ThreadedMock) -> None:
    source = Source("bybit", COINS, address(live, "bybit"), Patience(stale=0.3, first_pause=0.05, longest_pause=0.1))
    specs = tuple(InstrumentSpec(coin, number, 3, 50, sig_figs=20) for number, coin in enumerate(COINS))
    exchange = Exchange(specs, LiveClock(), {"BTC": Decimal(1), "ETH": Decimal(1)})
    exchange.attach(RelayFeed(source))
    assert source.health()["stale"], "nothing was heard yet"
    with mock_in_thread(exchange, LiveClock(), CONFIG) as copy:
        assert eventually(lambda: admin(copy, "GET", "health")["status"] == "ok")
        admin(live, "POST", "faults", venue="bybit", kind="ws_refuse", value=60)
        admin(live, "POST", "faults", venue="bybit", kind="ws_disconnect")
        assert eventually(lambda: admin(copy, "GET", "health")["status"] == "stale")
        told = health(copy, "hyperliquid")
        assert told["age_seconds"] > 0.3
        assert told["last_failure"]
        frozen = copy.call(lambda exchange: (exchange.mark("BTC"), top(exchange)))
        assert frozen[1], "the last book stays"
        assert eventually(lambda: live.call(lambda exchange: exchange.mark("BTC"), "bybit") != frozen[0])
        assert copy.call(lambda exchange: (exchange.mark("BTC"), top(exchange))) == frozen
        admin(live, "DELETE", "faults", venue="bybit")
        assert eventually(lambda: admin(copy, "GET", "health")["status"] == "ok")
        assert eventually(lambda: copy.call(lambda exchange: exchange.mark("BTC")) != frozen[0])


def test_a_hole_in_the_differences_is_noticed_and_the_book_made_anew(live: ThreadedMock) -> None:
    source = Source("bybit", COINS, address(live, "bybit"), Patience(first_pause=0.05, longest_pause=0.1))
    specs = tuple(InstrumentSpec(coin, number, 3, 50, sig_figs=20) for number, coin in enumerate(COINS))
    exchange = Exchange(specs, LiveClock(), {"BTC": Decimal(1), "ETH": Decimal(1)})
    exchange.attach(RelayFeed(source))
    with mock_in_thread(exchange, LiveClock(), CONFIG) as copy:
        assert eventually(lambda: not source.stale)
        admin(live, "POST", "faults", venue="bybit", kind="ws_gap", value=0.3)
        assert eventually(lambda: source.gaps >= 1)
        admin(live, "DELETE", "faults", venue="bybit")
        with standing_still(live, "bybit"):
            assert eventually(lambda: copy.call(top) == live.call(top, "bybit"))


@pytest.mark.parametrize(
    "feed", ["relay:kraken", "relay:", "relay:bybit@http://127.0.0.1:1", "relay:bybit@ws://127.0.0.1:1/none"]
)
def test_refuses_a_source_that_is_none_or_does_not_answer(feed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.exchanges.mock.relay.opening.FIRST_PRICES_SECONDS", 0.3)
    with pytest.raises(InvalidValue, match="feed"):
        open_markets(MarketOptions(feed=feed, coins=COINS), [VENUES["bybit"]])


def test_refuses_a_clock_that_is_not_the_live_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = LiveClock().now()
    monkeypatch.setattr("apps.exchanges.mock.market.process_clock", lambda: ReplayClock(now, now, 60.0))
    with pytest.raises(InvalidValue, match="MOONDEV_CLOCK"):
        open_markets(MarketOptions(feed="relay:bybit", coins=COINS), [VENUES["bybit"]])
