"""A venue in a thread with one account that trades, for tests of how trading is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

import requests

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import ThreadedMock, mock_in_thread
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.ports import Credentials, Environment, VenueConfig
from apps.exchanges.registry import client_for
from apps.exchanges.venues.hyperliquid.agents import address_of, approve_agent
from apps.risk.direct.accounts_file import DirectAccount
from moondev.domain.clock import LiveClock, milliseconds
from moondev.domain.decisions import RiskApproved
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side

D = Decimal
OWNER_KEY, AGENT_KEY = "0x" + "11" * 32, "0x" + "22" * 32
ADDRESS = address_of(OWNER_KEY)
SPECS = (InstrumentSpec("BTC", 0, 5, 40), InstrumentSpec("ETH", 1, 4, 25))
NONCES = count(milliseconds(LiveClock().now()))


class Scene:
    """A venue with a market and one account, whose owner trades and whose agent stops."""

    def __init__(self, mock: ThreadedMock) -> None:
        self.mock = mock
        self.venue = VenueConfig(
            "hyperliquid",
            "hyperliquid",
            Environment.PAPER,
            mock.hyperliquid_url,
            mock.hyperliquid_url.replace("http", "ws") + "/ws",
        )
        self.admin("accounts", address=ADDRESS, deposit="100000")
        for coin, bid, ask, size in (("BTC", "49990", "50010", "5"), ("ETH", "2999", "3001", "50")):
            self.admin("quote", coin=coin, side="buy", price=bid, size=size)
            self.admin("quote", coin=coin, side="sell", price=ask, size=size)
        approve_agent(self.venue, OWNER_KEY, address_of(AGENT_KEY), "direct", next(NONCES))
        self.client = client_for(self.venue, Credentials(ADDRESS, OWNER_KEY))

    def admin(self, path: str, **body: object) -> None:
        answer = requests.post(f"{self.mock.url}/admin/{path}", json=body, timeout=5)
        assert answer.status_code == 200, answer.text

    def trade(self) -> None:
        """Hold 0.5 BTC long and 2 ETH short, with three orders resting."""
        orders = [
            order("BTC", Side.BUY, "0.5", "50010", TimeInForce.IOC),
            order("ETH", Side.SELL, "2", "2999", TimeInForce.IOC),
            order("BTC", Side.BUY, "0.1", "40000"),
            order("BTC", Side.SELL, "0.1", "60000"),
            order("ETH", Side.BUY, "1", "2500"),
        ]
        self.client.place([RiskApproved(o) for o in orders], next(NONCES), LiveClock().now() + timedelta(seconds=5))
        assert self.state() == ({"BTC": D("0.5"), "ETH": D(-2)}, 3)

    def state(self) -> tuple[dict[str, Decimal], int]:
        positions = self.client.account_snapshot().positions
        held = {p.symbol: p.quantity.value for p in positions if p.quantity}
        return held, len(self.client.open_orders())

    def account(self) -> DirectAccount:
        return DirectAccount("paper-1", ADDRESS, "USDC", "PAPER_1_DIRECT_KEY", self.venue)


def order(coin: str, side: Side, quantity: str, price: str, tif: TimeInForce = TimeInForce.GTC) -> PlaceOrder:
    kind = OrderType.MARKET if tif is TimeInForce.IOC else OrderType.LIMIT
    return PlaceOrder(
        uuid4(),
        f"hyperliquid:{coin}",
        side,
        kind,
        tif,
        Quantity(D(quantity)),
        Price(D(price)),
        Purpose.OPENING,
        "s1",
        "entry",
    )


@contextmanager
def trading_scene() -> Iterator[Scene]:
    """Serve a scene that has traded."""
    clock = LiveClock()
    engine = Exchange(SPECS, clock, {"BTC": D(50_000), "ETH": D(3_000)})
    with mock_in_thread(engine, clock, WireConfig(book_interval_ms=20)) as mock:
        made = Scene(mock)
        made.trade()
        yield made
