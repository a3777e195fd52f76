"""What a request that did go out must never look like, and what must keep no other from being cancelled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from apps.exchanges.ports import CANNOT_BE_NAMED, Credentials, Environment, UnreadOrder, VenueConfig
from apps.exchanges.throttling import Unlimited
from apps.exchanges.venues.ccxt_generic.client import CcxtClient
from apps.exchanges.venues.ccxt_generic.known import known_exchange
from moondev.domain.clock import FixedClock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity, InvalidValue, RateLimited, TradingError, VenueRejected
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side

NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "http://127.0.0.1:1"
MARKET = {"id": "BTCUSDT", "symbol": "BTC/USDT:USDT"}


class Exchange:
    """A ccxt exchange that takes every order, and answers questions about them with an error."""

    def __init__(self, answer: TradingError | None = None) -> None:
        self.answer, self.asked = answer, []
        self.open: list[dict[str, str]] = []
        self.exchange = self

    def amount_to_precision(self, _symbol: str, text: str) -> str:
        return text

    price_to_precision = amount_to_precision

    def market(self, symbol: str) -> dict[str, str]:
        if symbol != MARKET["id"]:
            raise InvalidValue("instrument", symbol, "an instrument that is listed")
        return MARKET

    def market_of(self, instrument: str) -> dict[str, str]:
        return self.market(instrument.partition(":")[2])

    def require_markets(self) -> None:
        """Nothing is missing."""

    def call(self, method: str, *_arguments: object, **_lane: object) -> Any:
        self.asked.append(method)
        if method.startswith("fetch") and self.answer is not None:
            raise self.answer
        if method.startswith("fetch"):
            return self.open if method == "fetch_open_orders" else []
        return {"id": "venue-1"}


def client(exchange: Exchange) -> CcxtClient:
    venue = VenueConfig("byb", "ccxt:bybit", Environment.PAPER, URL, URL)
    found = CcxtClient(venue, Credentials("a", "key:secret"), known_exchange("bybit"), FixedClock(NOW), Unlimited())
    found._unified = exchange  # type: ignore[assignment]
    return found


def order() -> PlaceOrder:
    return PlaceOrder(
        client_order_id=uuid4(),
        instrument="byb:BTCUSDT",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=Quantity(Decimal(1)),
        price=Price(Decimal(100)),
        purpose=Purpose.OPENING,
        signal_id="s",
        leg="leg",
    )


@pytest.mark.parametrize(
    "error",
    [RateLimited("our budget is used up", 1.0), VenueRejected("BadSymbol", "no"), InvalidValue("a", 1, "b"),
     Connectivity("silence")],
)  # fmt: skip
def test_a_question_after_an_order_was_taken_never_reads_as_if_it_had_not_been(error: TradingError) -> None:
    """A RateLimited from here would have the sender offer the same order again, a refusal would end a live one."""
    exchange = Exchange(error)
    (report,) = client(exchange).place([RiskApproved(order())], 1, NOW + timedelta(seconds=5))
    assert (report.venue_order_id, report.status) == ("venue-1", None)
    assert exchange.asked.count("create_order") == 1


@pytest.mark.parametrize("symbol", ["", "DELISTED"])
def test_an_order_of_a_market_nobody_lists_is_told_of_and_keeps_no_halt_waiting(symbol: str) -> None:
    exchange = Exchange()
    nameless = UnreadOrder(symbol, "venue-2", None, reduce_only=False)
    (report,) = client(exchange).cancel_resting([nameless], 1)
    assert (report.venue_order_id, report.status, report.reason) == ("venue-2", None, CANNOT_BE_NAMED)
    assert exchange.asked == []


@pytest.mark.parametrize(("others", "may_be_there"), [(0, False), (49, False), (50, True)])
def test_an_order_is_not_unheard_of_while_more_are_open_than_are_told(others: int, may_be_there: bool) -> None:
    exchange = Exchange()
    exchange.open = [{"id": str(number)} for number in range(others)]
    asked = client(exchange)
    assert asked._known.orders_per_page == 50
    if not may_be_there:
        assert asked.order_status(uuid4(), "byb:BTCUSDT") is None
        return
    with pytest.raises(Connectivity):
        asked.order_status(uuid4(), "byb:BTCUSDT")
