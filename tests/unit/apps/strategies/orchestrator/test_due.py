"""What happens at a stand-in concerns a strategy only while home is silent, or when it trades there."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.strategies.orchestrator.due import BAR, BOOK, FILL, Directory, Enabled, MarketEvent, Noticing

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
STRATEGY = Enabled(1, "bar", 60, Decimal(2), 5, 5_000, 0)
DIRECTORY = Directory({"binance:BTCUSDT": [STRATEGY]}, {"bybit:BTCUSDT": [(STRATEGY, "binance")]})


def due(kind: str, instrument: str, *down: str) -> int:
    event = MarketEvent(kind, instrument, f"{kind}:1", NOW, 60 if kind == BAR else 0)
    return len(Noticing(cadence_from_bars=False).due([event], DIRECTORY, {}, NOW, down))


def test_a_bar_at_home_makes_the_strategy_due() -> None:
    assert due(BAR, "binance:BTCUSDT") == 1


def test_a_bar_at_the_stand_in_says_nothing_while_home_answers() -> None:
    assert due(BAR, "bybit:BTCUSDT") == 0


def test_a_bar_at_the_stand_in_makes_it_due_while_home_is_down() -> None:
    assert due(BAR, "bybit:BTCUSDT", "binance") == 1


@pytest.mark.parametrize("down", [(), ("binance",)])
def test_a_fill_at_the_stand_in_always_makes_it_due(down) -> None:
    assert due(FILL, "bybit:BTCUSDT", *down) == 1


def test_a_venue_that_is_down_elsewhere_changes_nothing() -> None:
    assert due(BOOK, "bybit:BTCUSDT", "phemex") == 0
