"""Positions and cash of the stream are handed on when they differ from what was told last."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.exchanges.ports import BalanceBatch, ParseError, PositionBatch
from apps.exchanges.venues.hyperliquid.account_news import AccountNews
from apps.exchanges.venues.hyperliquid.messages import AccountStateMessage

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def state(size: str, value: str, equity: str, entry: str = "50000.0") -> AccountStateMessage:
    position: dict[str, Any] = {
        "coin": "BTC",
        "szi": size,
        "entryPx": entry,
        "positionValue": value,
        "unrealizedPnl": "0.0",
        "leverage": {"type": "cross", "value": 20},
        "marginUsed": "0.0",
        "liquidationPx": None,
    }
    return AccountStateMessage(
        {
            "assetPositions": [{"type": "oneWay", "position": position}] if float(size) else [],
            "marginSummary": {"accountValue": equity, "totalMarginUsed": "0.0"},
            "withdrawable": equity,
            "time": 1_767_225_600_000,
        }
    )


def test_the_first_state_tells_every_position_and_the_cash() -> None:
    positions, balances = AccountNews().events(state("0.1", "5000.0", "100000.0"), NOW)
    assert isinstance(positions, PositionBatch)
    assert isinstance(balances, BalanceBatch)
    assert positions.snapshot
    assert [(p.symbol, p.quantity.value) for p in positions.positions] == [("BTC", Decimal("0.1"))]
    assert [(b.currency, b.wallet) for b in balances.balances] == [("USDC", Decimal(95_000))]


def test_a_state_that_only_repeats_or_moves_with_the_mark_tells_nothing() -> None:
    news = AccountNews()
    news.events(state("0.1", "5000.0", "100000.0"), NOW)
    assert news.events(state("0.1", "5000.0", "100000.0"), NOW) == ()
    assert news.events(state("0.1", "5100.0", "100100.0"), NOW) == ()


def test_a_closed_position_is_told_as_an_account_without_it() -> None:
    news = AccountNews()
    news.events(state("0.1", "5000.0", "100000.0"), NOW)
    positions, balances = news.events(state("0.0", "0.0", "99998.0"), NOW)
    assert positions == PositionBatch((), snapshot=True)
    assert isinstance(balances, BalanceBatch)
    assert balances.balances[0].wallet == Decimal(99_998)


@pytest.mark.parametrize("spoilt", [{}, {"assetPositions": 5}, {"marginSummary": {"accountValue": "NaN"}}])
def test_a_state_that_cannot_be_read_tells_nothing_and_forgets_nothing(spoilt: dict[str, Any]) -> None:
    news = AccountNews()
    good = state("0.1", "5000.0", "100000.0")
    news.events(good, NOW)
    with pytest.raises(ParseError):
        news.events(AccountStateMessage(spoilt and {**good.clearinghouseState, **spoilt}), NOW)
    assert news.events(good, NOW) == ()
