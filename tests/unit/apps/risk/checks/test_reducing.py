from __future__ import annotations

from decimal import Decimal

import pytest

from apps.risk.checks.candidate import Tally
from apps.risk.checks.reducing import find_exit_too_large, reducible
from moondev.domain.decisions import RefusalCode
from moondev.domain.orders import Purpose
from moondev.domain.values import Quantity, Side

D = Decimal
KEY = "hyperliquid:BTC"


@pytest.mark.parametrize(
    ("held", "net", "side", "expected"),
    [
        ("1", "1", Side.SELL, "1"),
        ("1", "0.4", Side.SELL, "0.4"),
        ("1", "3", Side.SELL, "1"),
        ("1", "-1", Side.SELL, "0"),
        ("1", "1", Side.BUY, "0"),
        ("-1", "-2", Side.BUY, "1"),
        ("0", "1", Side.SELL, "0"),
    ],
)
def test_reducing_means_that_own_and_account_position_shrink(held, net, side, expected) -> None:
    assert reducible(D(held), D(net), side) == D(expected)


def exit_of(candidate, quantity: str, **changes):
    return candidate(
        Side.SELL, quantity=quantity, purpose=Purpose.REDUCING, **{"held": D(1), "account_net": D(1), **changes}
    )


def test_passes_an_exit_of_the_whole_position(candidate) -> None:
    assert find_exit_too_large(exit_of(candidate, "1")) is None


def test_refuses_an_exit_larger_than_the_position(candidate) -> None:
    breach = find_exit_too_large(exit_of(candidate, "1.001"))
    assert breach is not None
    assert (breach.code, breach.limit, breach.value) == (RefusalCode.REDUCING_EXCEEDS_POSITION, 1, D("1.001"))


def test_live_exits_and_this_one_together_never_exceed_the_position(candidate) -> None:
    tally = Tally()
    tally.reduce(KEY, Side.SELL, Quantity(D("0.7")))
    assert find_exit_too_large(exit_of(candidate, "0.3", tally=tally)) is None
    assert find_exit_too_large(exit_of(candidate, "0.301", tally=tally)) is not None


def test_refuses_an_exit_that_would_grow_the_account_position(candidate) -> None:
    assert find_exit_too_large(exit_of(candidate, "0.1", account_net=D("-0.5"))) is not None


def test_a_protective_order_is_not_held_back_by_the_exit_it_stands_beside(candidate) -> None:
    tally = Tally()
    tally.reduce(KEY, Side.SELL, Quantity(D(1)))
    stop = candidate(Side.SELL, quantity="1", purpose=Purpose.PROTECTIVE, held=D(1), account_net=D(1), tally=tally)
    assert find_exit_too_large(stop) is None


def test_an_amended_exit_does_not_stand_in_its_own_way(candidate, working) -> None:
    resting = working(Side.SELL, quantity="1", purpose=Purpose.REDUCING)
    tally = Tally()
    tally.reduce(KEY, Side.SELL, Quantity(D(1)))
    assert find_exit_too_large(exit_of(candidate, "1", tally=tally, amended=resting)) is None


def test_openings_are_none_of_its_business(candidate) -> None:
    assert find_exit_too_large(candidate(quantity="5")) is None
