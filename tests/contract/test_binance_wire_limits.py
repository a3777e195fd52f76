"""Limits, bans, signatures and faults at the mock's Binance, seen with a bare HTTP client."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import ccxt
import pytest
import requests

from apps.exchanges.mock.engine.exchange import Exchange
from moondev.domain.clock import LiveClock, milliseconds
from tests.contract.binance_ccxt import client
from tests.contract.suite.scene import VenueScene, served
from tests.contract.suite.venues.binance import VENUE

pytestmark = pytest.mark.contract

ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "49000",
}


class Desk:
    """A trader who signs by hand."""

    def __init__(self, scene: VenueScene) -> None:
        self.scene, self.account = scene, scene.open_account()
        self.key, self.secret = self.account.credentials.signer_key.split(":")

    def signed(self, text: str) -> str:
        digest = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return f"{text}&signature={digest}"

    def text(self, **params: object) -> str:
        return urlencode({**params, "timestamp": milliseconds(LiveClock().now())})

    def ask(self, method: str, path: str, *, body: str = "", query: str = "", key: str | None = None) -> Any:
        url = f"{self.scene.config.rest_url}{path}" + (f"?{query}" if query else "")
        headers = {"X-MBX-APIKEY": self.key if key is None else key}
        form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        return requests.request(method, url, data=body or None, headers=headers | form, timeout=5)

    def order(self, **changes: object) -> Any:
        return self.ask("POST", "/fapi/v1/order", body=self.signed(self.text(**{**ORDER, **changes})))

    def open_orders(self) -> int:
        address = self.account.address
        return int(self.scene.engine(lambda engine: len(engine.open_orders(address))))


@pytest.fixture(scope="module")
def scene() -> Iterator[VenueScene]:
    with served(replace(VENUE, wire={"limits": True})) as scene:
        yield scene


@pytest.fixture
def desk(scene: VenueScene) -> Iterator[Desk]:
    yield Desk(scene)
    scene.heal()


def clear(scene: VenueScene) -> None:
    """Forget what was asked so far: as if a minute had passed."""

    def forget(_: Exchange) -> None:
        scene.mock.server.wires["binance"].venue.limits.__init__()  # type: ignore[attr-defined,misc]

    scene.engine(forget)


def test_used_weight_and_order_counts_come_with_every_answer(desk: Desk) -> None:
    first = desk.ask("GET", "/fapi/v1/depth", query="symbol=BTCUSDT&limit=1000")
    second = desk.ask("GET", "/fapi/v1/time")
    used = [int(answer.headers["X-MBX-USED-WEIGHT-1M"]) for answer in (first, second)]
    assert used[1] == used[0] + 1
    placed = desk.order()
    assert placed.status_code == 200
    assert (placed.headers["X-MBX-ORDER-COUNT-10S"], placed.headers["X-MBX-ORDER-COUNT-1M"]) == ("1", "1")
    assert "X-MBX-ORDER-COUNT-10S" not in second.headers


def test_who_spends_more_than_the_weight_is_told_to_wait_and_banned_when_he_does_not(desk: Desk) -> None:
    clear(desk.scene)
    answers = [desk.ask("GET", "/fapi/v1/ticker/24hr") for _ in range(60)]
    assert answers[-1].status_code == 200
    late = [desk.ask("GET", "/fapi/v1/ticker/24hr") for _ in range(12)]
    assert [answer.status_code for answer in late[:10]] == [429] * 10
    assert late[0].json()["code"] == -1003
    assert 1 <= int(late[0].headers["Retry-After"]) <= 60
    assert late[-1].status_code == 418
    assert int(late[-1].headers["Retry-After"]) >= 100
    assert "banned until" in late[-1].json()["msg"]
    # Nothing gets through a ban, not even what weighs nothing.
    assert desk.order().status_code == 418
    assert desk.open_orders() == 0
    clear(desk.scene)


def test_ccxt_calls_both_a_limit_and_a_ban_protection_against_floods(desk: Desk) -> None:
    """Not RateLimitExceeded, whatever its name (wire.md 2.6): whoever catches that alone keeps hitting a ban."""
    bot = client(desk.scene, desk.key, desk.secret)
    for kind in ("rate_limit", "ban"):
        desk.scene.fault(kind, count=1)
        with pytest.raises(ccxt.DDoSProtection) as caught:
            bot.fetch_time()
        assert not isinstance(caught.value, ccxt.RateLimitExceeded)


def test_too_many_orders_are_refused_and_not_counted(desk: Desk) -> None:
    clear(desk.scene)
    batch = "[" + ",".join("%7B%7D" for _ in range(5)) + "]"
    for _ in range(60):
        answer = desk.ask("POST", "/fapi/v1/batchOrders", body=desk.signed(f"batchOrders={batch}&{desk.text()}"))
    refused = desk.order()
    if answer.headers["X-MBX-ORDER-COUNT-10S"] == "300":  # the ten seconds may have ended in between
        assert (refused.status_code, refused.json()["code"]) == (429, -1015)
        assert "Retry-After" in refused.headers
        assert desk.open_orders() == 0
    clear(desk.scene)


def test_the_signature_is_over_query_and_body_as_they_were_sent(desk: Desk) -> None:
    whole = desk.signed(desk.text(**ORDER))
    signature = whole.rpartition("=")[2]
    query, _, rest = whole.rpartition("&signature=")[0].partition("&side")
    # Split anywhere, run together again without anything in between.
    split = desk.ask("POST", "/fapi/v1/order", query=query, body=f"&side{rest}&signature={signature}")
    assert split.status_code == 200
    assert desk.ask("POST", "/fapi/v1/order", body=whole.replace("0.01", "0.02")).json()["code"] == -1022
    assert desk.ask("POST", "/fapi/v1/order", body=desk.text(**ORDER)).json()["code"] == -1102
    assert desk.ask("POST", "/fapi/v1/order", body=whole, key="").json()["code"] == -2014
    assert desk.ask("POST", "/fapi/v1/order", body=whole, key="nobody").json()["code"] == -2015
    assert desk.open_orders() == 1


def test_a_request_counts_within_its_window_only(desk: Desk) -> None:
    now = milliseconds(LiveClock().now())
    for stamp, window, code in ((now - 6_000, 5_000, -1021), (now + 2_000, 5_000, -1021), (now, 70_000, -1131)):
        text = urlencode({**ORDER, "recvWindow": window, "timestamp": stamp})
        answer = desk.ask("POST", "/fapi/v1/order", body=desk.signed(text))
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    desk.scene.fault("clock_skew_ms", value=-5_000)
    assert desk.order().json()["code"] == -1021
    assert desk.open_orders() == 0


def test_faults_strike_where_they_are_asked_to(desk: Desk) -> None:
    scene = desk.scene
    scene.fault("error_5xx", value=503, count=1, action="order")
    broken = desk.order()
    assert (broken.status_code, broken.json()["code"]) == (503, -1007)
    scene.fault("reject", value="no", count=1, action="order")
    assert desk.order().json() == {"code": -2010, "msg": "no"}
    scene.fault("rate_limit", count=1, action="order")
    limited = desk.order()
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "2")
    scene.fault("drop_before", count=1, action="order")
    with pytest.raises(requests.ConnectionError):
        desk.order()
    assert desk.open_orders() == 0
    scene.fault("accept_then_drop", count=1, action="order")
    with pytest.raises(requests.ConnectionError):
        desk.order()
    assert desk.open_orders() == 1
    assert desk.order().status_code == 200


def test_hostile_requests_are_refused_in_the_venue_s_words(desk: Desk) -> None:
    codes = [
        ({"quantity": "NaN"}, -1100),
        ({"quantity": "1e400"}, -1100),
        ({"quantity": "-1"}, -1100),
        ({"price": "0"}, -4001),
        ({"side": "UP"}, -1117),
        ({"type": "NICE"}, -1116),
        ({"timeInForce": "SOON"}, -1115),
        ({"positionSide": "LONG"}, -4061),
        ({"newClientOrderId": "drop table;"}, -4115),
        ({"symbol": ""}, -1102),
        ({"quantity": ""}, -1102),
    ]
    for changes, code in codes:
        answer = desk.order(**changes)
        assert (answer.status_code, answer.json()["code"]) == (400, code), changes
    assert desk.ask("PATCH", "/fapi/v1/order").json()["code"] == -5000
    assert desk.ask("GET", "/fapi/v1/nothing").status_code == 404
    batch = desk.ask("POST", "/fapi/v1/batchOrders", body=desk.signed(f"batchOrders=nonsense&{desk.text()}"))
    assert batch.json()["code"] == -1130
    assert desk.open_orders() == 0
