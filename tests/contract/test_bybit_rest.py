"""Every way in which an answer of Bybit can go wrong, on a real socket, through the unmodified ccxt."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest

from apps.exchanges.ports import Environment, ParseError, VenueConfig
from apps.exchanges.throttling import Lane, Unlimited
from apps.exchanges.venues.bybit.market_data import BybitMarketData
from apps.exchanges.venues.bybit.questions import Questions
from apps.exchanges.venues.bybit.rest import Rest
from apps.exchanges.venues.ccxt_generic.credentials import ApiKey
from apps.exchanges.venues.rows import UnreadableRows
from moondev.domain.clock import FixedClock
from moondev.domain.errors import Connectivity, InvalidValue, NotSent, RateLimited, VenueRejected
from tests.unit.apps.exchanges.venues.bybit.rows import COIN, EXECUTION, NAME, POSITION, WALLET, answered, listed
from tests.unit.apps.exchanges.venues.bybit.rows import ORDER as ORDER_ROW

pytestmark = pytest.mark.contract

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ApiKey("key", "secret")
ORDER = {"category": "linear", "symbol": "BTCUSDT"}
FINE = json.dumps({"retCode": 0, "retMsg": "OK", "result": {"orderId": "a"}, "retExtInfo": {}, "time": 1})


def code(number: int, words: str = "no") -> str:
    return json.dumps({"retCode": number, "retMsg": words, "result": {}, "retExtInfo": {}, "time": 1})


@dataclass
class Venue:
    """Answers everything with one status, some headers and one body, and keeps what it was asked."""

    status: int = 200
    body: str = FINE
    headers: Mapping[str, str] = field(default_factory=dict)
    heard: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)
    url: str = ""
    answer: Callable[[Mapping[str, str]], str] | None = None


class Recorder(Unlimited):
    """A throttle that lets everything pass and keeps what it was told."""

    def __init__(self) -> None:
        self.spent: list[tuple[Mapping[str, int], Lane]] = []
        self.figures: list[Mapping[str, int]] = []
        self.rests: list[float] = []

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
        self.spent.append((cost, lane))

    def heard(self, used: Mapping[str, int]) -> None:
        self.figures.append(used)

    def rest(self, seconds: float, reason: str) -> None:
        self.rests.append(seconds)


@contextmanager
def served(venue: Venue) -> Iterator[Venue]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            venue.heard.append((self.command, self.path, headers, body))
            query = dict(parse_qsl(urlsplit(self.path).query))
            text = (venue.body if venue.answer is None else venue.answer(query)).encode()
            self.send_response(venue.status)
            for name, value in {"Content-Length": str(len(text)), **venue.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _answer  # noqa: N815 - the base class looks for these names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    venue.url = f"http://127.0.0.1:{server.server_port}/bybit"
    try:
        yield venue
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def venue() -> Iterator[Venue]:
    with served(Venue()) as running:
        yield running


@pytest.fixture
def throttle() -> Recorder:
    return Recorder()


@pytest.fixture
def rest(venue: Venue, throttle: Recorder) -> Iterator[Rest]:
    client = Rest(venue.url, FixedClock(NOW), throttle, KEY)
    yield client
    client.close()


def place(rest: Rest, seconds: float = 3.0) -> str:
    return rest.order("order/create", ORDER, Lane.ORDINARY, expires_at=NOW + timedelta(seconds=seconds))


def test_a_request_is_signed_over_its_bytes_and_is_too_old_when_the_order_is(venue: Venue, rest: Rest) -> None:
    place(rest)
    ((verb, path, headers, body),) = venue.heard
    assert (verb, path, json.loads(body)) == ("POST", "/bybit/v5/order/create", ORDER)
    stamp = str(int(NOW.timestamp() * 1000))
    # The venue refuses what arrives more than so many milliseconds after its stamp: until `expires_at`, no longer.
    assert (headers["x-bapi-timestamp"], headers["x-bapi-recv-window"]) == (stamp, "3000")
    text = f"{stamp}{KEY.key}3000{body}"
    assert headers["x-bapi-sign"] == hmac.new(KEY.secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def test_a_question_after_an_order_has_the_usual_window_again(venue: Venue, rest: Rest) -> None:
    place(rest)
    rest.ask("order/realtime", {"category": "linear", "orderLinkId": "x"})
    _, (verb, path, headers, _) = venue.heard
    assert (verb, path) == ("GET", "/bybit/v5/order/realtime?category=linear&orderLinkId=x")
    assert headers["x-bapi-recv-window"] == "5000"


def test_what_is_too_late_is_not_sent(venue: Venue, rest: Rest) -> None:
    for seconds in (0.0, -1.0):
        with pytest.raises(NotSent, match="its time had passed"):
            place(rest, seconds)
    assert venue.heard == []


def test_public_questions_carry_no_key(venue: Venue, throttle: Recorder) -> None:
    client = Rest(venue.url, FixedClock(NOW), throttle)
    client.public("market/tickers", {"category": "linear"})
    client.close()
    ((_, path, headers, _),) = venue.heard
    assert path == "/bybit/v5/market/tickers?category=linear"
    assert not [name for name in headers if name.startswith("x-bapi")]
    assert throttle.spent == [({"requests": 1}, Lane.ORDINARY)]


def test_each_request_costs_the_address_and_its_endpoint(venue: Venue, rest: Rest, throttle: Recorder) -> None:
    rest.order("order/create-batch", ORDER, Lane.ORDINARY, orders=8)
    rest.order("order/cancel", ORDER, Lane.RESERVED)
    rest.ask("execution/list", {}, Lane.RESERVED)
    assert throttle.spent == [
        ({"requests": 1, "order/create-batch": 8}, Lane.ORDINARY),
        ({"requests": 1, "order/cancel": 1}, Lane.RESERVED),
        ({"requests": 1, "execution/list": 1}, Lane.RESERVED),
    ]


@pytest.mark.parametrize(
    ("limit", "left", "used"), [("10", "4", [6]), ("20", "5", [7]), ("10", "10", [0]), ("10", "x", []), ("0", "0", [])]
)
def test_what_the_venue_says_is_left_is_passed_on(
    venue: Venue, rest: Rest, throttle: Recorder, limit: str, left: str, used: list[int]
) -> None:
    venue.headers = {"X-Bapi-Limit": limit, "X-Bapi-Limit-Status": left}
    place(rest)
    assert throttle.figures == [{"order/create": units} for units in used]


@pytest.mark.parametrize(
    ("status", "body", "error", "rests"),
    [
        (403, "access too frequent", RateLimited, [600.0]),
        (418, "", RateLimited, [600.0]),
        (429, "slow down", RateLimited, [1.0]),
        (200, code(10006, "Too many visits!"), RateLimited, []),
        (200, code(10018), RateLimited, [1.0]),
        (500, "", Connectivity, []),
        (502, "<html>", Connectivity, []),
        (404, "", Connectivity, []),
        # wire.md 2.7: the venue does not say what it has done by then.
        (200, code(10016, "Server error"), Connectivity, []),
        (200, code(10000, "Server Timeout"), Connectivity, []),
        (200, "", ParseError, []),
        (200, "<html>", ParseError, []),
        (200, "[]", ParseError, []),
        (200, '{"retCode":"0","retMsg":""}', ParseError, []),
        (200, code(10002), VenueRejected, []),
        (200, code(10004), VenueRejected, []),
        (200, code(110007, "ab not enough"), VenueRejected, []),
        (200, code(999999), VenueRejected, []),
    ],
)
def test_every_failure_is_one_of_the_four_outcomes_and_is_asked_once(
    venue: Venue, rest: Rest, throttle: Recorder, status: int, body: str, error: type[Exception], rests: list[float]
) -> None:
    venue.status, venue.body = status, body
    with pytest.raises(error) as caught:
        place(rest)
    assert type(caught.value) is error
    assert throttle.rests == rests
    assert len(venue.heard) == 1
    assert KEY.secret not in str(caught.value)


def test_a_refusal_keeps_code_and_words(venue: Venue, rest: Rest) -> None:
    venue.body = code(110007, "ab not enough for new order")
    with pytest.raises(VenueRejected) as caught:
        place(rest)
    assert (caught.value.code, caught.value.body) == ("110007", "ab not enough for new order")


def test_too_many_says_when_the_second_is_over(venue: Venue, rest: Rest) -> None:
    venue.body = code(10006)
    for ahead, wait in ((300, 0.3), (-50, 0.05), (9_000, 1.0)):
        venue.headers = {"X-Bapi-Limit-Reset-Timestamp": str(int(NOW.timestamp() * 1000) + ahead)}
        with pytest.raises(RateLimited) as caught:
            place(rest)
        assert caught.value.retry_after_seconds == pytest.approx(wait)


def test_a_refused_stamp_sets_the_clock_for_the_next_request(venue: Venue, rest: Rest) -> None:
    ahead = int(NOW.timestamp() * 1000) + 90_000
    venue.body = code(10002, "check your timestamp").replace('"time": 1', f'"time": {ahead}')
    with pytest.raises(VenueRejected):
        place(rest)
    assert len(venue.heard) == 1
    venue.body = FINE
    place(rest, seconds=2.0)
    headers = venue.heard[-1][2]
    # Stamped by the venue's clock; how long it is valid is still counted by ours.
    assert (headers["x-bapi-timestamp"], headers["x-bapi-recv-window"]) == (str(ahead), "2000")


def test_a_request_that_was_merely_slow_does_not_move_the_clock(venue: Venue, rest: Rest) -> None:
    now = int(NOW.timestamp() * 1000)
    venue.body = code(10002).replace('"time": 1', f'"time": {now}')
    with pytest.raises(VenueRejected):
        place(rest)
    assert rest.clock.now() == NOW


def test_a_redirection_is_not_followed(venue: Venue, rest: Rest) -> None:
    venue.status, venue.headers = 307, {"Location": "http://127.0.0.1:1/elsewhere"}
    with pytest.raises(Connectivity, match="redirected"):
        place(rest)
    assert len(venue.heard) == 1


def test_a_budget_that_is_used_up_sends_nothing(venue: Venue) -> None:
    class Empty(Unlimited):
        def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
            raise RateLimited("order/create is used up", 0.5)

    client = Rest(venue.url, FixedClock(NOW), Empty(), KEY)
    with pytest.raises(RateLimited):
        place(client)
    client.close()
    assert venue.heard == []


# --- pages --------------------------------------------------------------------------------------------------------


def test_trades_older_than_the_venue_tells_are_an_error_and_not_silence(venue: Venue) -> None:
    reader = BybitMarketData(_paper(venue), FixedClock(NOW), Unlimited())
    rows = [
        {"execId": str(n), "symbol": "X", "price": "1", "size": "1", "side": "Buy", "time": str(1_000_000 + n)}
        for n in range(1_000)
    ]
    venue.body = listed(*rows)
    first = datetime.fromtimestamp(1_000, UTC)
    assert len(reader.trades("X", first, NOW)) == 1_000
    with pytest.raises(InvalidValue, match="1,000 trades only"):
        reader.trades("X", first - timedelta(seconds=1), NOW)
    # Fewer than it could tell: that is all there was.
    venue.body = listed(*rows[:999])
    assert len(reader.trades("X", first - timedelta(seconds=1), NOW)) == 999
    reader.close()


def test_rates_are_asked_for_from_the_end_of_a_span_to_its_beginning(venue: Venue) -> None:
    reader = BybitMarketData(_paper(venue), FixedClock(NOW), Unlimited())
    hour = 3_600_000

    def page(query: Mapping[str, str]) -> str:
        last = int(query["endTime"]) // hour
        stamps = [n * hour for n in range(last, last - 200, -1) if n * hour >= int(query["startTime"])]
        return listed(
            *({"symbol": "X", "fundingRate": "0.0001", "fundingRateTimestamp": str(stamp)} for stamp in stamps)
        )

    venue.answer = page
    start = datetime.fromtimestamp(0, UTC) + timedelta(hours=1)
    rates = reader.funding_history("X", start, start + timedelta(hours=499))
    assert len(rates) == 500
    assert rates[0].time_exchange == start
    assert rates == sorted(rates, key=lambda rate: rate.time_exchange)
    assert len(venue.heard) == 3
    reader.close()


def test_executions_are_asked_for_a_week_at_a_time_and_page_by_page(venue: Venue, rest: Rest) -> None:
    asked: list[Mapping[str, str]] = []

    def page(query: Mapping[str, str]) -> str:
        asked.append(query)
        first, last = int(query["startTime"]), int(query["endTime"])
        assert last - first <= 7 * 86_400_000
        row = EXECUTION | {"execTime": str((first + last) // 2), "execId": f"{first}-{query.get('cursor', '')}"}
        return listed(row, cursor="" if "cursor" in query else "more")

    venue.answer = page
    questions = Questions(rest, FixedClock(NOW), UnreadableRows())
    fills = questions.fills(NOW - timedelta(days=15))
    assert len(fills) == 6
    assert [fill.time_exchange for fill in fills] == sorted(fill.time_exchange for fill in fills)
    assert [query.get("cursor") for query in asked] == [None, "more"] * 3
    # The venue remembers two years.
    asked.clear()
    questions.fills(NOW - timedelta(days=4_000))
    assert len(asked) <= 2 * 106


def test_an_account_is_told_when_nothing_moved_between_the_questions(venue: Venue, rest: Rest) -> None:
    balances = iter(["10000", "9997.25", "9997.25"])

    def page(query: Mapping[str, str]) -> str:
        if "accountType" not in query:
            return listed(POSITION)
        return answered({"list": [WALLET | {"coin": [COIN | {"walletBalance": next(balances)}]}]})

    venue.answer = page
    account = Questions(rest, FixedClock(NOW), UnreadableRows()).account()
    assert account.equity.value == Decimal("9997.25") + Decimal("300.15")
    assert len(venue.heard) == 5
    balances = iter(map(str, range(1, 100)))
    with pytest.raises(Connectivity, match="stand still"):
        Questions(rest, FixedClock(NOW), UnreadableRows()).account()


def test_an_order_nobody_remembers_is_asked_for_in_the_history_before_it_counts_as_unknown(
    venue: Venue, rest: Rest
) -> None:
    venue.answer = lambda query: listed(ORDER_ROW) if len(venue.heard) == 2 else listed()
    questions = Questions(rest, FixedClock(NOW), UnreadableRows())
    report = questions.order_status(UUID(NAME))
    assert report is not None
    assert [path.partition("?")[0] for _, path, _, _ in venue.heard] == [
        "/bybit/v5/order/realtime",
        "/bybit/v5/order/history",
    ]
    venue.answer = lambda query: listed()
    assert questions.order_status(UUID(NAME)) is None
    # One odd row is no answer, and no "never heard of it".
    venue.answer = lambda query: listed({"orderId": 1})
    with pytest.raises(ParseError):
        questions.order_status(UUID(NAME))


def _paper(venue: Venue) -> VenueConfig:
    return VenueConfig("bybit", "bybit", Environment.PAPER, venue.url, "ws://127.0.0.1:1/v5")
