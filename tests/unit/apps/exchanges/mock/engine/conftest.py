from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.api import Ack, Grouping, InstrumentSpec, NewOrder, Tif, TpSl, Trigger
from apps.exchanges.mock.engine.events import Event
from apps.exchanges.mock.engine.exchange import EngineConfig, Exchange
from moondev.domain.clock import FixedClock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
D = Decimal


class Desk:
    """An exchange on a fixed clock, three accounts, and short words for orders."""

    def __init__(self, config: EngineConfig | None = None) -> None:
        self.clock = FixedClock(NOON)
        specs = [InstrumentSpec("BTC", 0, 5, 50), InstrumentSpec("ETH", 1, 4, 25)]
        self.exchange = Exchange(specs, self.clock, {"BTC": D(100), "ETH": D(10)}, config)
        self.events: list[Event] = []
        for name in ("ann", "bob", "cat"):
            self.exchange.open_account(name, D(1_000_000))
        self.exchange.subscribe(self.events.append)

    def order(self, side: str, size: object, price: object, coin: str = "BTC", **fields: object) -> NewOrder:
        return NewOrder(coin, side == "buy", D(str(size)), D(str(price)), **fields)  # type: ignore[arg-type]

    def place(self, who: str, side: str, size: object, price: object, **fields: object) -> Ack:
        return self.exchange.place(who, [self.order(side, size, price, **fields)])[0]

    def ioc(self, who: str, side: str, size: object, price: object, **fields: object) -> Ack:
        return self.place(who, side, size, price, tif=Tif.IOC, **fields)

    def trigger(self, who: str, side: str, size: object, px: object, kind: str, **fields: object) -> Ack:
        return self.exchange.place(who, [self.leg(side, size, px, kind, **fields)])[0]

    def leg(self, side: str, size: object, px: object, kind: str, **fields: object) -> NewOrder:
        limit = fields.pop("price", D(str(px)) * (D("1.1") if side == "buy" else D("0.9")))
        fields.setdefault("reduce_only", True)
        is_market = bool(fields.pop("is_market", True))
        trigger = Trigger(is_market, D(str(px)), TpSl(kind))
        return self.order(side, size, limit, trigger=trigger, **fields)

    def grouped(self, who: str, grouping: Grouping, *orders: NewOrder) -> list[Ack]:
        return self.exchange.place(who, list(orders), grouping)

    def give_position(self, who: str, size: object, price: object = 100, coin: str = "BTC") -> None:
        """Let `who` trade `size` (signed) with cat at `price`."""
        signed = D(str(size))
        mine, other = ("buy", "sell") if signed > 0 else ("sell", "buy")
        self.place("cat", other, abs(signed), price, coin=coin)
        self.ioc(who, mine, abs(signed), price, coin=coin)

    def position(self, who: str, coin: str = "BTC") -> Decimal:
        positions = self.exchange.account_state(who).positions
        return next((p.size for p in positions if p.coin == coin), D(0))

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def later(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))
        self.exchange.tick(self.clock.now())

    def total_cash(self) -> Decimal:
        """Return what all accounts hold beyond their deposits, the market's own included."""
        venue = self.exchange._venue
        return sum((D(a.cash - a.deposit) for a in venue.accounts.values()), D(0))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def desk_with() -> Callable[[EngineConfig], Desk]:
    return Desk
