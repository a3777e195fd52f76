"""One paper account, open for trading, with the seeded breakers and no broker."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from apps.exchanges.models import Account, InstrumentRow, Portfolio, TradingState, Venue
from apps.risk import vetoes

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
D = Decimal


@pytest.fixture
def account(db, settings, tmp_path, monkeypatch) -> Account:
    settings.MOONDEV_HALT_FILE = tmp_path / "halt"
    monkeypatch.setattr(vetoes, "send", lambda *_, **__: None)
    monkeypatch.setattr(
        vetoes, "redis_nudges", lambda: SimpleNamespace(engage=lambda *_: True, release=lambda *_: True, modes=dict)
    )
    venue = Venue.objects.create(
        code="hyperliquid", protocol="hyperliquid", environment="paper", rest_url="http://x", websocket_url="ws://x"
    )
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    made = Account.objects.create(code="paper-1", venue=venue, portfolio=portfolio, address="0x1", currency="USDC")
    InstrumentRow.objects.create(venue=venue, symbol="BTC", asset="BTC", quote="USDC", tick=D("0.1"), lot=D("0.001"))
    for kind, key in (("portfolio", "paper"), ("account", "paper-1")):
        TradingState.objects.create(scope_kind=kind, scope_key=key, mode="active", changed_at=NOW)
    return made
