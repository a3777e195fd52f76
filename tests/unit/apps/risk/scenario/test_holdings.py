"""What is held when the day begins."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.models import EquityMark, Position
from apps.risk.scenario.holdings import Stake, given, parse_stake, present, usual
from moondev.domain.errors import InvalidValue
from tests.support.order_world import make_world

D = Decimal


def test_reads_a_position_in_words() -> None:
    assert parse_stake("binance:BTC=-25000.5") == Stake("binance", "BTC", D("-25000.5"))


@pytest.mark.parametrize("text", ["", "binance", "binance:BTC", "BTC=5", "binance:NOPE=5", "binance:BTC=0", "a:BTC=x"])
def test_refuses_words_that_name_no_position(text: str) -> None:
    with pytest.raises(InvalidValue, match="hold"):
        parse_stake(text)


def test_refuses_a_position_elsewhere_and_no_money() -> None:
    with pytest.raises(InvalidValue, match="a venue of the scenario: bybit"):
        given(["bybit"], D(100), ["binance:BTC=5"])
    with pytest.raises(InvalidValue, match="equity"):
        given(["bybit"], D(0), [])


def test_who_names_nothing_holds_the_same_everywhere() -> None:
    assert given(["a", "b"], D(5), []).stakes == usual(["a", "b"]).stakes
    assert {stake.venue for stake in usual(["a", "b"]).stakes} == {"a", "b"}


@pytest.mark.django_db
def test_takes_what_the_books_hold_with_the_equity_the_venue_named() -> None:
    world = make_world()
    with pytest.raises(InvalidValue, match="books"):
        present()
    now = world.clock.now()
    EquityMark.objects.create(
        account=world.account, taken_at=now, venue_equity=D(90_000), ledger_equity=None, unrealised=D(0),
        margin_used=D(0),
    )  # fmt: skip
    for row, cost in ((world.btc, D(-700)), (world.eth, D(900))):
        Position.objects.create(
            account=world.account, strategy="s", instrument=row, quantity=cost / 100, cost=cost, updated_at=now
        )
    found = present()
    assert found.equity == {"hyperliquid": D(90_000)}
    assert found.stakes == (Stake("hyperliquid", "BTC", D(-700)), Stake("hyperliquid", "ETH", D(900)))
