"""Requests and frames nobody would send to Bybit: refused in its words, never a broken server, never an order."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.bybit_world import ALICE, World, bybit_world
from tests.contract.test_bybit_wire_streams import line

pytestmark = pytest.mark.contract

ORDER = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.1", "price": "1"}
BATCH = {"category": "linear", "request": [ORDER]}
QUERY = {"category": "linear", "symbol": "BTCUSDT", "interval": "1", "limit": "5", "start": "1", "startTime": "1"}
READS = ("market/kline", "market/orderbook", "market/recent-trade", "market/funding/history", "market/tickers")
WRITES = ("order/create", "order/amend", "order/cancel", "order/cancel-all", "position/set-leverage")
BATCHES = ("order/create-batch", "order/amend-batch", "order/cancel-batch")

odd_text = st.text(max_size=12) | st.sampled_from(
    ["", "1e999999", "NaN", "-1", "٣", "9" * 5_000, "0x1", "1_0", " 1", "null", "\x00", "BTCUSDT", "Sell"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | odd_text
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3)
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with bybit_world(limits=False) as running:
        yield running


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def signed(world: World, session: requests.Session, path: str, body: object) -> requests.Response:
    text, stamp = json.dumps(body), str(int(time.time() * 1000))
    payload = f"{stamp}{ALICE.key}5000{text}".encode()
    headers = {
        "X-BAPI-API-KEY": ALICE.key,
        "X-BAPI-TIMESTAMP": stamp,
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": hmac.new(ALICE.secret.encode(), payload, hashlib.sha256).hexdigest(),
    }
    return session.post(f"{world.rest_url}/v5/{path}", data=text, headers=headers, timeout=10)


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """Return an order with one of its fields replaced, or one more."""
    field = draw(st.sampled_from([*ORDER, "triggerPrice", "positionIdx", "reduceOnly", "orderLinkId", "orderId"]))
    return {**ORDER, field: draw(anything)}


@quick
@given(st.sampled_from(WRITES), anything | spoilt())
def test_an_order_that_makes_no_sense_is_refused_in_the_venue_s_words(
    world: World, http: requests.Session, path: str, body: object
) -> None:
    answer = signed(world, http, path, body)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json()["retCode"], int)


@quick
@given(st.sampled_from(BATCHES), st.lists(anything | spoilt(), max_size=4) | anything)
def test_a_batch_of_anything_is_answered_row_by_row_or_refused(
    world: World, http: requests.Session, path: str, rows: Any
) -> None:
    answer = signed(world, http, path, {**BATCH, "request": rows})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    if said["retCode"] == 0:
        assert len(said["result"]["list"]) == len(said["retExtInfo"]["list"]) == len(rows)


@quick
@given(st.sampled_from(READS), st.sampled_from([*QUERY, "cursor", "end"]), odd_text)
def test_a_question_that_makes_no_sense_is_refused(
    world: World, http: requests.Session, path: str, field: str, value: str
) -> None:
    query = {**QUERY, field: value[:200]}
    answer = http.get(f"{world.rest_url}/v5/{path}", params=query, timeout=10)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["public/linear", "private", "trade"])
def test_frames_of_anything_leave_the_line_up(world: World, path: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(anything, anything, anything)
    def sent(op: object, args: object, header: object) -> None:
        opened.socket.send(json.dumps({"op": op, "args": args, "header": header, "req_id": args}))

    with line(world, path) as opened:
        if path != "public/linear":
            opened.sign_in(ALICE)
        sent()
        for text in ("", "[]", "null", "{", '"x"'):
            opened.socket.send(text)
        opened.send(op="ping", req_id="last")
        assert opened.next(lambda message: "pong" in (message.get("op"), message.get("ret_msg")))


def test_whatever_rests_after_all_that_lies_on_the_grid(world: World) -> None:
    for order in world.mock.call(lambda exchange: exchange.open_orders("alice")):
        assert order.size > 0
        assert order.price % Decimal("0.1") == order.size % Decimal("0.001") == 0
