"""Builders of everything a review needs; each test changes the one thing it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from apps.exchanges.models import TradingMode
from apps.risk.breakers.seeds import seed
from apps.risk.checks.candidate import Candidate, Tally
from apps.risk.facts import RiskFacts
from apps.risk.limits import LimitBook
from apps.risk.models import LimitKind
from apps.risk.review import ReviewMarket
from apps.risk.scope import StrategyScope
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.orders import (
    OrderStatus,
    OrderType,
    PlaceOrder,
    Purpose,
    TimeInForce,
    WorkingOrder,
)
from moondev.domain.portfolio import Holding
from moondev.domain.values import Money, Price, Quantity, Side

NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
KEY = "hyperliquid:BTC"
D = Decimal


@pytest.fixture(autouse=True)
def _breakers_are_seeded(request: pytest.FixtureRequest) -> None:
    """Have the rows that a migration writes, whatever a test before this one has emptied."""
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        request.getfixturevalue("db")
        seed()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def instrument() -> Instrument:
    return Instrument(
        venue="hyperliquid",
        symbol="BTC",
        asset="BTC",
        quote="USDC",
        price_grid=PriceGrid(D("0.1"), 5),
        lot=Quantity(D("0.001")),
        min_notional=Money(D(10), "USDC"),
        max_leverage=40,
    )


@pytest.fixture
def scope() -> StrategyScope:
    return StrategyScope("turtle", 1, "paper-1", "paper", "hyperliquid", "USDC", D(100_000), D(2))


@pytest.fixture
def limit_values() -> dict[tuple[str, str, str], Decimal]:
    seed = {
        LimitKind.MAX_DATA_AGE_MS: D(5_000),
        LimitKind.MAX_ORDER_NOTIONAL: D(25_000),
        LimitKind.PRICE_BAND_BPS: D(500),
        LimitKind.REDUCING_PRICE_BAND_BPS: D(2_000),
        LimitKind.ASSET_SHARE: D("0.1"),
        LimitKind.MAX_LEVERAGE: D(5),
        LimitKind.STRATEGY_DRAWDOWN: D("0.15"),
        LimitKind.PORTFOLIO_DRAWDOWN: D("0.25"),
    }
    return {(kind.value, "portfolio", "paper"): value for kind, value in seed.items()}


@pytest.fixture
def facts(scope: StrategyScope, limit_values: dict[tuple[str, str, str], Decimal]) -> RiskFacts:
    return RiskFacts(
        scope=scope,
        limits=LimitBook(limit_values),
        modes={("portfolio", "paper"): TradingMode.ACTIVE, ("account", "paper-1"): TradingMode.ACTIVE},
        portfolio_equity=D(200_000),
        account_equity=D(200_000),
        strategy_equity=D(100_000),
        portfolio_drawdown=D("0.05"),
        strategy_drawdown=D("0.05"),
    )


@pytest.fixture
def limits_with(limit_values: dict[tuple[str, str, str], Decimal]) -> Callable[..., LimitBook]:
    """Return a maker of limit books: `limits_with(asset_share=D(1))`, None takes a kind out."""

    def make(**changes: Decimal | None) -> LimitBook:
        values = {key: value for key, value in limit_values.items() if changes.get(key[0], value) is not None}
        values.update({(kind, "portfolio", "paper"): value for kind, value in changes.items() if value is not None})
        return LimitBook(values)

    return make


@pytest.fixture
def place() -> Callable[..., PlaceOrder]:
    def make(
        side: Side = Side.BUY,
        quantity: str = "0.1",
        price: str = "100000",
        purpose: Purpose = Purpose.OPENING,
        **changes: Any,
    ) -> PlaceOrder:
        order = PlaceOrder(
            client_order_id=uuid4(),
            instrument=KEY,
            side=side,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            quantity=Quantity(D(quantity)),
            price=Price(D(price)),
            purpose=purpose,
            signal_id="s1",
            leg="entry",
        )
        return replace(order, **changes)

    return make


@pytest.fixture
def working() -> Callable[..., WorkingOrder]:
    def make(
        side: Side = Side.BUY,
        quantity: str = "0.1",
        price: str = "100000",
        purpose: Purpose = Purpose.OPENING,
        **changes: Any,
    ) -> WorkingOrder:
        order = WorkingOrder(
            client_order_id=uuid4(),
            instrument=KEY,
            side=side,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            quantity=Quantity(D(quantity)),
            filled=Quantity(D(0)),
            price=Price(D(price)),
            trigger_price=None,
            status=OrderStatus.OPEN,
            purpose=purpose,
            signal_id="s1",
        )
        return replace(order, **changes)

    return make


@pytest.fixture
def candidate(place: Callable[..., PlaceOrder], instrument: Instrument, facts: RiskFacts) -> Callable[..., Candidate]:
    """Return a maker of candidates from the same arguments as `place`, plus those of Candidate."""
    own = {"held", "account_net", "mid", "age", "facts", "tally", "amended", "trigger_price"}

    def make(side: Side = Side.BUY, **changes: Any) -> Candidate:
        order = place(side, **{name: value for name, value in changes.items() if name not in own})
        base = Candidate(
            request=order,
            instrument=instrument,
            side=order.side,
            quantity=order.quantity,
            price=order.price,
            trigger_price=None,
            purpose=order.purpose,
            held=D(0),
            account_net=D(0),
            mid=D(100_000),
            age=timedelta(milliseconds=20),
            facts=facts,
            tally=Tally(),
        )
        return replace(base, **{name: value for name, value in changes.items() if name in own})

    return make


@pytest.fixture
def market(instrument: Instrument) -> Callable[..., ReviewMarket]:
    def make(held: str = "0", net: str | None = None, **changes: Any) -> ReviewMarket:
        quantity = D(held)
        base = ReviewMarket(
            now=NOW,
            instruments={KEY: instrument},
            mids={KEY: 100_000.0},
            ages={KEY: timedelta(milliseconds=20)},
            holdings={KEY: Holding(quantity=quantity, cost=quantity * 100_000)} if quantity else {},
            account_net={KEY: D(net) if net is not None else quantity},
            working=(),
        )
        return replace(base, **changes)

    return make
