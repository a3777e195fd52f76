"""A signal gets its size when it first appears, and another only when its weight changes."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from apps.risk.sizing.multiples import UNSIZED, Allowed
from apps.strategies.base import Decision
from apps.strategies.orchestrator.planner import SizedLegs
from apps.strategies.orchestrator.sizes import KnownSize, SignalKey, sized
from moondev.domain.desired import Legs
from moondev.domain.values import Price
from tests.unit.apps.strategies.orchestrator.toy_market import BTC, ETH, NOW, d, target


def decided(*wishes, equity=10_000.0, price="50000", share=None, portfolio=None, allowed=UNSIZED):
    facts = SimpleNamespace(limit=lambda *_: share, portfolio_equity=portfolio, size_share=lambda _: Decimal(1))
    instruments = {BTC.key: BTC, ETH.key: ETH}
    work = SimpleNamespace(
        view=SimpleNamespace(now=NOW),
        scope=SimpleNamespace(strategy="turtle"),
        instruments=instruments,
        instrument_ids={BTC.key: 1, ETH.key: 2},
        prices=dict.fromkeys(instruments, None if price is None else Price(d(price))),
        own=SimpleNamespace(equity=equity, leverage=1.0),
        facts=facts,
        allowed=allowed,
    )
    return SimpleNamespace(work=work, decision=Decision(wishes))


KEY = SignalKey("turtle", 1, "buy", "s1")


def test_a_new_signal_is_sized_from_equity_and_remembered():
    (wish,), (size,), _ = sized(decided(target(0.5)), {})
    assert (wish.quantity.value, wish.fresh, wish.since) == (d("0.1"), True, NOW)
    assert (size.signal_id, size.side, size.quantity, size.weight) == ("s1", "buy", d("0.1"), 0.5)


def test_a_known_signal_keeps_its_size_whatever_price_and_equity_do():
    known = {KEY: KnownSize(0.5, d("0.1"), NOW - timedelta(hours=1))}
    (wish,), new, _ = sized(decided(target(0.5), equity=99_000.0, price="10000"), known)
    assert (wish.quantity.value, wish.fresh, new) == (d("0.1"), False, ())
    assert wish.since == NOW - timedelta(hours=1)


def test_another_weight_is_another_size():
    known = {KEY: KnownSize(0.5, d("0.1"), NOW)}
    (wish,), (size,), _ = sized(decided(target(0.25)), known)
    assert (wish.quantity.value, wish.fresh, size.weight) == (d("0.05"), True, 0.25)


def test_a_short_is_negative_and_a_size_of_its_own():
    known = {KEY: KnownSize(0.5, d("0.1"), NOW)}
    (wish,), (size,), _ = sized(decided(target(-0.5)), known)
    assert (wish.quantity.value, size.side) == (d("-0.1"), "sell")


def test_flat_needs_no_price_and_no_size():
    (wish,), new, _ = sized(decided(target(0.0), price=None), {})
    assert (wish.quantity.value, new) == (0, ())


def test_without_a_price_the_wish_is_left_out_with_a_remark():
    wishes, new, notes = sized(decided(target(0.5), price=None), {})
    assert (wishes, new) == ((), ())
    assert "no price for hyperliquid:BTC" in notes[0]


def test_a_resting_entry_is_sized_at_its_own_price():
    (wish,), _, _ = sized(decided(target(0.5, entry="40000"), price=None), {})
    assert wish.quantity.value == d("0.125")


def test_the_size_stays_below_the_share_of_the_portfolio():
    (wish,), _, _ = sized(decided(target(1.0), share=d("0.1"), portfolio=d(20_000)), {})
    assert wish.quantity.value == d("0.039")


def test_a_size_of_nothing_is_not_remembered():
    (wish,), new, _ = sized(decided(target(0.5), equity=50.0), {})
    assert (wish.quantity.value, new) == (0, ())


def test_a_weight_of_less_than_a_lot_is_told():
    (wish,), _, notes = sized(decided(target(0.0001)), {})
    assert wish.quantity.value == 0
    assert notes == (f"hyperliquid:BTC: a weight of 0.0001 is less than one lot of {BTC.lot}; nothing is held for it",)


@pytest.mark.parametrize(("price", "count"), [("50000", 1), (None, 0)])
def test_legs_are_sized_together_or_not_at_all(price, count):
    legs = Legs((target(0.5), target(-0.5, instrument=ETH)), 500)
    wishes, _, _ = sized(decided(legs, price=price), {})
    assert len(wishes) == count
    assert all(isinstance(wish, SizedLegs) and len(wish.legs) == 2 for wish in wishes)


def test_with_nothing_allowed_a_new_signal_waits_a_known_one_stays_and_flat_is_flat():
    nothing = Allowed(0.0, 0.001, "too few recent bars")
    wishes, new, notes = sized(decided(target(0.5), allowed=nothing), {})
    assert (wishes, new) == ((), ())
    assert notes == ("too few recent bars for hyperliquid:BTC: not sized, left as it is",)
    (wish,), _, _ = sized(decided(target(0.5), allowed=nothing), {KEY: KnownSize(0.5, d("0.1"), NOW)})
    assert wish.quantity.value == d("0.1")
    (wish,), _, _ = sized(decided(target(0.0), allowed=nothing), {})
    assert wish.quantity.value == 0
