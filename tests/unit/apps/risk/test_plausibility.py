"""What is believed of a venue's answers: pure, with a clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from apps.exchanges.venue_types import AccountSnapshot, PositionSnapshot
from apps.risk.plausibility import AGREEING, MEMORY_SECONDS, Plausibility, near
from moondev.domain.values import Money, Price, SignedQuantity

D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
ACCOUNT = SimpleNamespace(pk=1, code="paper-1", venue_id="hyperliquid")


def said(equity: str = "1000", mark: str | None = "100") -> AccountSnapshot:
    money = Money(D(equity), "USDC")
    value = None if mark is None else Money(D(mark), "USDC")
    zero = Money(D(0), "USDC")
    held = () if value is None else (
        PositionSnapshot("BTC", SignedQuantity(D(1)), None, Price(value.value), value, zero, 1),
    )  # fmt: skip
    return AccountSnapshot(money, money, Money(D(0), "USDC"), held, None, NOW)


class Scene:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.plausibility = Plausibility(timer=lambda: self.seconds)

    def believes(self, snapshot: AccountSnapshot, after: float = 1.0) -> bool:
        self.seconds += after
        return self.plausibility.sift([ACCOUNT], {1: snapshot}, NOW) == {1: snapshot}


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    assert made.believes(said())
    return made


@pytest.mark.parametrize(
    ("equity", "mark", "close"),
    [
        ("800", "100", True), ("799", "100", False), ("1250", "100", True), ("1251", "100", False),
        ("1000", "80", True), ("1000", "79", False), ("-1000", "100", False), ("0", "100", False), ("1000", None, True),
    ],
)  # fmt: skip
def test_near_is_within_a_fifth_of_the_larger(equity, mark, close) -> None:
    assert near(said(), said(equity, mark)) is close


def test_a_jump_is_believed_once_it_was_said_often_enough(scene) -> None:
    assert [scene.believes(said("100", "10")) for _ in range(AGREEING)] == [False] * (AGREEING - 1) + [True]
    assert not scene.believes(said()), "back is a jump as well"


def test_an_answer_that_is_repeated_counts_once(scene) -> None:
    odd = said("100", "10")
    assert not any(scene.believes(odd) for _ in range(10))


def test_jumps_that_do_not_agree_are_never_believed(scene) -> None:
    assert not any(scene.believes(said(str(10**power))) for power in (4, 5, 6, 7, 8))


def test_after_a_long_silence_there_is_nothing_to_compare_with(scene) -> None:
    assert scene.believes(said("100", "10"), after=MEMORY_SECONDS + 1)


def test_what_it_remembers_does_not_grow_with_time(scene) -> None:
    for number in range(500):
        scene.believes(said(mark=str(100 + number % 7)))
        scene.believes(said("1", "1"))
    remembered = (scene.plausibility._believed, scene.plausibility._doubted, scene.plausibility._apart_since)
    assert sum(map(len, remembered)) <= 2
