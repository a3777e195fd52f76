"""Fills and funding since a moment, from pages, weeks and symbols; against a venue of rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.binance.history import PAGE, History
from apps.exchanges.venues.binance.rest import Calls, Rest
from moondev.domain.clock import FixedClock, milliseconds
from moondev.domain.errors import Connectivity, Invariant

NOW = datetime(2026, 1, 20, tzinfo=UTC)
DAY_MS = 24 * 3_600_000


def stamp(**ago: float) -> int:
    return milliseconds(NOW - timedelta(**ago))


def fill(number: int, time_ms: int, symbol: str = "BTCUSDT") -> dict[str, Any]:
    money = {"price": "1", "qty": "1", "commission": "0", "commissionAsset": "USDT"}
    return {"symbol": symbol, "id": number, "orderId": 7, "side": "BUY", "time": time_ms, "maker": True, **money}


class VenueOfRows:
    """Answers from lists of rows as the venue does, and writes down what it was asked."""

    def __init__(self) -> None:
        self.fills: list[dict[str, Any]] = []
        self.incomes: list[dict[str, Any]] = []
        self.rates: list[dict[str, Any]] = []
        self.asked: list[tuple[Calls, dict[str, Any]]] = []

    def ask(self, call: Calls, parameters: Mapping[str, Any]) -> str:
        asked = dict(parameters)
        self.asked.append((call, asked))
        return json.dumps(
            {Calls.FILLS: self._fills, Calls.INCOME: self._incomes, Calls.FUNDING_RATES: self._rates}[call](asked)
        )

    def _fills(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        rows = [row for row in self.fills if row["symbol"] == asked["symbol"]]
        if "fromId" in asked:
            assert {"startTime", "endTime"}.isdisjoint(asked), "the venue takes either"
            return [row for row in rows if row["id"] >= asked["fromId"]][: asked["limit"]]
        assert asked["endTime"] - asked["startTime"] <= 7 * DAY_MS, "the venue refuses more than a week"
        return [row for row in rows if asked["startTime"] <= row["time"] <= asked["endTime"]][: asked["limit"]]

    def _incomes(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        within = (row for row in self.incomes if asked["startTime"] <= row["time"] <= asked["endTime"])
        return [row for row in within if row["incomeType"] == asked["incomeType"]][: asked["limit"]]

    def _rates(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            row for row in self.rates if row["symbol"] == asked["symbol"] and row["fundingTime"] >= asked["startTime"]
        ]

    def commission(self, symbol: str, time_ms: int) -> None:
        self.incomes.append(
            {"symbol": symbol, "incomeType": "COMMISSION", "income": "0", "asset": "USDT", "time": time_ms}
        )

    def funding(self, symbol: str, amount: str, time_ms: int) -> None:
        self.incomes.append(
            {"symbol": symbol, "incomeType": "FUNDING_FEE", "income": amount, "asset": "USDT", "time": time_ms}
        )

    def rate(self, symbol: str, rate: str, mark: str, time_ms: int) -> None:
        self.rates.append({"symbol": symbol, "fundingTime": time_ms, "fundingRate": rate, "markPrice": mark})


@pytest.fixture
def venue() -> VenueOfRows:
    return VenueOfRows()


@pytest.fixture
def noted() -> list[ParseError]:
    return []


@pytest.fixture
def history(venue: VenueOfRows, noted: list[ParseError]) -> History:
    return History(cast(Rest, venue), FixedClock(NOW), noted.extend)


def test_weeks_are_asked_for_one_by_one(venue: VenueOfRows, history: History) -> None:
    venue.fills = [fill(number, stamp(days=18 - 3 * number)) for number in range(6)]
    found = history.fills(NOW - timedelta(days=18), ["BTCUSDT"])
    assert [one.venue_trade_id for one in found] == [f"BTCUSDT-7-{number}" for number in range(6)]
    assert [call for call, _ in venue.asked].count(Calls.FILLS) == 3


def test_a_full_page_is_followed_by_trade_number(venue: VenueOfRows, history: History) -> None:
    # All in one millisecond: by time nobody could get past them.
    venue.fills = [fill(number, stamp(days=10)) for number in range(1, 2 * PAGE + 501)]
    found = history.fills(NOW - timedelta(days=11), ["BTCUSDT"])
    assert len(found) == len({one.venue_trade_id for one in found}) == 2 * PAGE + 500


def test_commissions_tell_which_symbols_there_are(venue: VenueOfRows, history: History) -> None:
    venue.fills = [fill(1, stamp(hours=2), "SOLUSDT"), fill(1, stamp(hours=3), "BTCUSDT"), fill(2, stamp(hours=1), "X")]
    venue.commission("SOLUSDT", stamp(hours=2))
    venue.commission("", stamp(hours=2))
    found = history.fills(NOW - timedelta(days=1), ["BTCUSDT"])
    assert [one.symbol for one in found] == ["BTCUSDT", "SOLUSDT"]
    assert {asked["symbol"] for call, asked in venue.asked if call is Calls.FILLS} == {"BTCUSDT", "SOLUSDT"}


def test_many_commissions_are_read_to_the_end(venue: VenueOfRows, history: History) -> None:
    for number in range(PAGE + 5):
        venue.commission("BTCUSDT", stamp(hours=5) + number)
    venue.commission("SOLUSDT", stamp(hours=1))
    venue.fills = [fill(1, stamp(hours=1), "SOLUSDT")]
    assert [one.symbol for one in history.fills(NOW - timedelta(days=1), [])] == ["SOLUSDT"]


def test_an_odd_fill_is_noted_and_costs_itself_only(
    venue: VenueOfRows, history: History, noted: list[ParseError]
) -> None:
    venue.fills = [fill(1, stamp(hours=2)), {**fill(2, stamp(hours=1)), "price": "0"}]
    assert [one.venue_trade_id for one in history.fills(NOW - timedelta(days=1), ["BTCUSDT"])] == ["BTCUSDT-7-1"]
    assert len(noted) == 1
    venue.fills = [{**fill(number, stamp(hours=1)), "qty": "x"} for number in range(PAGE)]
    with pytest.raises(Invariant):
        history.fills(NOW - timedelta(days=1), ["BTCUSDT"])


def test_what_the_venue_stamps_a_little_later_than_our_clock_shows_has_happened(
    venue: VenueOfRows, history: History
) -> None:
    """Its clock runs ahead of ours: the fill of an order that was cancelled this moment must not be missed."""
    venue.fills = [fill(1, stamp(seconds=-2)), fill(1, stamp(seconds=-2), "SOLUSDT")]
    venue.commission("SOLUSDT", stamp(seconds=-2))
    found = history.fills(NOW - timedelta(minutes=1), ["BTCUSDT"])
    assert {one.symbol for one in found} == {"BTCUSDT", "SOLUSDT"}


def test_the_future_is_not_asked_for(venue: VenueOfRows, history: History) -> None:
    later = NOW + timedelta(seconds=6)
    assert history.fills(later, ["BTCUSDT"]) == history.funding(later, {}) == []
    assert venue.asked == []


def test_rate_and_position_of_funding_follow_from_the_public_history(venue: VenueOfRows, history: History) -> None:
    # Booked a little after it was due.
    venue.funding("BTCUSDT", "-0.50001234", stamp(hours=8) + 3_000)
    venue.rate("BTCUSDT", "0.0001", "50000.1", stamp(hours=8))
    venue.rate("BTCUSDT", "0.0009", "50000", stamp(hours=16))
    venue.funding("ETHUSDT", "0.25", stamp(hours=8))
    venue.rate("ETHUSDT", "0.0001", "2500", stamp(hours=8))
    first, second = sorted(
        history.funding(NOW - timedelta(days=1), {"BTCUSDT": Decimal("0.001")}), key=lambda p: p.symbol
    )
    assert (first.amount.value, first.rate, first.position.value) == (
        Decimal("-0.50001234"),
        Decimal("0.0001"),
        Decimal("0.100"),
    )
    assert (second.amount.value, second.position.value) == (Decimal("0.25"), Decimal(-1))


def test_funding_without_its_rate_is_no_answer(venue: VenueOfRows, history: History) -> None:
    venue.funding("BTCUSDT", "-0.5", stamp(minutes=1))
    venue.rate("BTCUSDT", "0.0001", "50000", stamp(hours=8))
    with pytest.raises(Connectivity, match="not told yet"):
        history.funding(NOW - timedelta(days=1), {})


def test_a_rate_of_nothing_divides_by_nothing(venue: VenueOfRows, history: History) -> None:
    venue.funding("BTCUSDT", "0.00000000", stamp(hours=8))
    venue.rate("BTCUSDT", "0", "50000", stamp(hours=8))
    (payment,) = history.funding(NOW - timedelta(days=1), {"BTCUSDT": Decimal("0.001")})
    assert (payment.amount.value, payment.position.value) == (0, 0)
    venue.rates[0]["markPrice"] = ""
    assert history.funding(NOW - timedelta(days=1), {})[0].position.value == 0


def test_an_amount_that_is_none_is_an_error(venue: VenueOfRows, history: History) -> None:
    venue.funding("BTCUSDT", "much", stamp(hours=8))
    venue.rate("BTCUSDT", "0.0001", "50000", stamp(hours=8))
    with pytest.raises(ParseError):
        history.funding(NOW - timedelta(days=1), {})
