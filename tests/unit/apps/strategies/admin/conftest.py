"""A small world of rows for pages, without a broker."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model

from apps.exchanges.models import Account, InstrumentRow, Portfolio, Venue
from apps.strategies.models import StrategyRow
from apps.strategies.registry import preset
from apps.strategies.services import strategy_create
from moondev.domain.clock import LiveClock


@pytest.fixture
def account(db) -> Account:
    """Return an account; there are BTC and ETH on its venue and BTC on another."""
    for code in ("hyperliquid", "elsewhere"):
        venue = Venue.objects.create(
            code=code,
            protocol="hyperliquid",
            environment="paper",
            rest_url=f"http://localhost:8001/{code}",
            websocket_url=f"ws://localhost:8001/{code}/ws",
        )
        for symbol in ("BTC", "ETH"):
            InstrumentRow.objects.create(
                venue=venue, symbol=symbol, asset=symbol, quote="USDC", tick=Decimal("0.1"), lot=Decimal("0.001")
            )
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    return Account.objects.create(
        code="paper-1", venue_id="hyperliquid", portfolio=portfolio, address="0x1", currency="USDC"
    )


def make_strategy(account: Account, slug: str = "turtle-btc", symbol: str = "BTC") -> StrategyRow:
    return strategy_create(
        slug=slug,
        kind="turtle_trend",
        parameters=preset("turtle_trend", "canonical").model_dump(mode="json"),
        account=account,
        instruments=[InstrumentRow.objects.get(venue="hyperliquid", symbol=symbol)],
        actor="test",
        now=LiveClock().now(),
        capital=Decimal(10_000),
    )


@pytest.fixture
def strategy(account) -> StrategyRow:
    return make_strategy(account)


@pytest.fixture
def another(account):
    """Return what makes another strategy of a name."""
    return lambda slug: make_strategy(account, slug)


@pytest.fixture
def operator(client, db):
    """Return a test client that may do everything."""
    client.force_login(get_user_model().objects.create_superuser("operator"))
    return client
