"""Pages of the past: turned to the end, and no further."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.exchanges.adapters import Tools
from apps.exchanges.ports import Credentials, Environment, VenueConfig
from apps.exchanges.venues.phemex.client import PhemexClient
from apps.exchanges.venues.phemex.rest import PhemexRest
from moondev.domain.clock import FixedClock
from moondev.domain.errors import VenueRejected
from tests.unit.apps.exchanges.venues.phemex.rows import ACCOUNT, FUNDING, NOW, POSITION, STAMP, TRADE, answer

VENUE = VenueConfig("px", "phemex", Environment.PAPER, "http://127.0.0.1:1/phemex", "ws://127.0.0.1:1/phemex/ws")
LONG_AGO = NOW - timedelta(days=20_000)
Answerer = Callable[[str, Mapping[str, Any]], str]


@pytest.fixture
def asked() -> list[tuple[str, Mapping[str, Any]]]:
    return []


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, Mapping[str, Any]]]) -> Any:
    """A client whose questions are answered by the test."""

    def make(answerer: Answerer) -> PhemexClient:
        def signed(_: PhemexRest, method: str, fields: Mapping[str, Any], *rest: object) -> str:
            asked.append((method, fields))
            return answerer(method, fields)

        monkeypatch.setattr(PhemexRest, "signed", signed)
        return PhemexClient(VENUE, Credentials("account", "key:secret"), Tools(FixedClock(NOW)))

    return make


def trade(number: int) -> dict[str, Any]:
    return TRADE | {"execID": f"execution-{number}", "transactTimeNs": STAMP + number * 1_000_000}


def test_pages_are_turned_while_they_are_full_and_rows_that_moved_are_met_once(client: Any, asked: list[Any]) -> None:
    rows = [trade(number) for number in range(410)][::-1]

    def answerer(_: str, fields: Mapping[str, Any]) -> str:
        # One trade comes while the first page is read, and moves everything by one.
        start = int(fields["offset"]) - (1 if fields["offset"] else 0)
        return answer(rows[start : start + 200])

    fills = client(answerer).fills(LONG_AGO)
    assert [fill.venue_trade_id for fill in fills] == [f"execution-{number}-Sell" for number in range(410)]
    assert [fields["offset"] for _, fields in asked] == [0, 200, 400]


def test_a_venue_that_tells_the_same_page_for_ever_does_not_keep_us(client: Any, asked: list[Any]) -> None:
    page = answer([trade(number) for number in range(200)])
    assert len(client(lambda *_: page).fills(LONG_AGO)) == 200
    assert len(asked) == 2
    asked.clear()
    odd = client(lambda *_: answer(["nonsense"] * 200))
    assert odd.fills(LONG_AGO) == []
    assert len(asked) == 1
    # The same nonsense is told once.
    assert len(odd.take_unreadable()) == 1
    assert odd.take_unreadable() == []


def test_funding_is_asked_symbol_by_symbol_back_to_the_moment(client: Any, asked: list[Any]) -> None:
    hours = [FUNDING | {"createTime": 1_671_004_800_021 - hour * 3_600_000} for hour in range(500)]

    def answerer(method: str, fields: Mapping[str, Any]) -> str:
        if "AccountPositions" in method:
            return answer({"account": ACCOUNT, "positions": [POSITION, POSITION | {"symbol": "ETHUSDT"}]})
        rows = hours if fields["symbol"] == "ETHUSDT" else []
        return answer({"rows": rows[int(fields["offset"]) : int(fields["offset"]) + 200]})

    since = datetime.fromtimestamp(1_671_004_800 - 249 * 3_600, tz=NOW.tzinfo)
    payments = client(answerer).funding(since)
    assert len(payments) == 250
    assert payments == sorted(payments, key=lambda payment: payment.time_exchange)
    assert [fields.get("symbol") for _, fields in asked] == [None, "BTCUSDT", "ETHUSDT", "ETHUSDT"]
    asked.clear()
    same = answer({"rows": hours[:200]})
    stuck = client(lambda method, fields: same if fields.get("symbol") == "ETHUSDT" else answerer(method, fields))
    assert len(stuck.funding(LONG_AGO)) == 200
    assert len(asked) == 4


def test_only_one_refusal_means_that_there_is_nothing(client: Any) -> None:
    def answerer(method: str, _: Mapping[str, Any]) -> str:
        if "AccountPositions" in method:
            return answer({"account": ACCOUNT, "positions": [POSITION]})
        raise VenueRejected(code, "no", 200)

    code = "10002"
    assert client(answerer).live_orders() == []
    code = "11023"
    with pytest.raises(VenueRejected):
        client(answerer).live_orders()


def test_the_secret_shows_nowhere(client: Any) -> None:
    shown = repr(client(lambda *_: ""))
    assert "secret" not in shown
    assert "key" in shown
