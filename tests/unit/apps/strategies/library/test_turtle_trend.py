from decimal import Decimal

import pytest

from moondev.domain.portfolio import Holding
from moondev.domain.values import Price
from tests.unit.apps.strategies.library.scenery import (
    bought,
)
from tests.unit.apps.strategies.library.turtle_desk import (
    BREAKOUT,
    FLAT,
    SHORT,
    decide,
    grown,
    quantity,
    target,
)


def test_does_nothing_without_a_breakout() -> None:
    decision = decide(FLAT)
    assert target(decision).weight == 0
    assert decision.notes == ()


def test_buys_one_unit_of_equal_risk_on_a_breakout_with_the_stop_two_n_below() -> None:
    decision = decide([*FLAT, BREAKOUT])
    wanted = target(decision)
    n = 2.0  # the breakout bar's true range is 2 as well
    unit = 0.01 * 100_000 / n
    assert wanted.weight == pytest.approx(min(1, unit * 102 / 200_000))
    assert wanted.stop is not None
    assert float(wanted.stop.value) == pytest.approx(102 - 2 * n)
    assert wanted.take_profit is None
    assert wanted.entry is None
    assert wanted.signal_id.startswith("s1:")
    assert wanted.signal_id.endswith(":1")


def test_sells_short_on_a_breakout_below() -> None:
    wanted = target(decide([*FLAT, [100, 100, 98, 98]]))
    assert wanted.weight < 0
    assert wanted.stop is not None
    assert float(wanted.stop.value) == pytest.approx(98 + 2 * 2)


def test_says_the_same_when_called_again_on_the_same_bar() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    again = decide(rows, state=first.state)
    assert again.desired == first.desired
    assert again.state == first.state
    assert decide(rows, state={}).desired == first.desired


def test_keeps_size_and_signal_once_filled_and_moves_the_stop_to_the_fill() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102.5)
    after = decide(rows, holding, first.state)
    assert target(after).weight == target(first).weight
    assert target(after).signal_id == target(first).signal_id
    assert target(after).stop == Price(Decimal("98.5"))


def test_adds_a_unit_half_n_beyond_the_last_fill_up_to_the_limit() -> None:
    rows = [*FLAT, BREAKOUT]
    half = SHORT.model_copy(update={"risk_percent": 0.5})
    decision = decide(rows, params=half)
    price, unit = 102.0, quantity(target(decision), 102)
    holding = bought(unit, price)
    for units in (2, 3, 4):
        price += 1.0
        rows.append([price - 0.4, price, price - 0.5, price])
        decision = decide(rows, holding, decision.state, half)
        assert target(decision).signal_id.endswith(f":{units}")
        assert quantity(target(decision), price) == pytest.approx(units * unit)
        holding = grown(holding, unit, price)
        settled = target(decide(rows, holding, decision.state, half))
        assert settled.stop is not None
        assert float(settled.stop.value) == pytest.approx(price - 4)
    rows.append([price, price + 2, price, price + 2])
    full = decide(rows, holding, decision.state, half)
    assert target(full).signal_id == target(decision).signal_id
    assert target(full).weight == target(decision).weight


def test_an_add_waits_for_its_own_fill_price() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    unit = quantity(target(first), 102)
    rows.append([102.5, 103, 102.5, 103])
    adding = decide(rows, bought(unit, 102), first.state)
    slipped = grown(bought(unit, 102), unit, 103.8)
    held = decide(rows, slipped, adding.state)
    assert target(held).stop is not None
    assert float(target(held).stop.value) == pytest.approx(103.8 - 4)  # type: ignore[union-attr]
    rows.append([103.5, 104.5, 103.5, 104.5])  # half N above 103, but not above the fill
    assert target(decide(rows, slipped, held.state)).signal_id.endswith(":2")


def test_an_add_that_is_not_filled_within_its_bar_is_dropped() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    rows.append([102.5, 103, 102.5, 103])
    adding = decide(rows, holding, first.state)
    rows.append([102.5, 102.6, 102.4, 102.5])
    dropped = target(decide(rows, holding, adding.state))
    assert dropped.signal_id == target(first).signal_id
    assert dropped.weight == target(first).weight


def test_does_not_add_to_a_unit_that_a_limit_has_cut() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    cut_short = bought(quantity(target(first), 102) * 0.6, 102)
    held = decide(rows, cut_short, first.state)
    rows.append([102.5, 103, 102.5, 103])
    later = target(decide(rows, cut_short, held.state))
    assert later.signal_id == target(first).signal_id
    assert later.weight == target(first).weight


def test_does_not_add_beyond_the_allocation() -> None:
    params = SHORT.model_copy(update={"risk_percent": 2.6})
    rows = [*FLAT, BREAKOUT]
    first = decide(rows, params=params)
    holding = bought(quantity(target(first), 102), 102)
    rows.append([102.5, 103, 102.5, 103])
    decision = decide(rows, holding, first.state, params)
    assert target(decision).signal_id.endswith(":1")
    assert "no room" in decision.notes[0]


def test_leaves_when_the_opposite_channel_breaks() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    rows.append([102, 102.4, 101.5, 102.2])
    held = decide(rows, holding, first.state)
    assert target(held).weight == target(first).weight
    rows.append([102, 102, 99.5, 99.6])
    left = decide(rows, holding, held.state)
    assert target(left).weight == 0
    assert target(left).signal_id.endswith(":exit")
    # The order has not been filled yet: the position is not mistaken for a new one.
    assert target(decide(rows, holding, left.state)).weight == 0
    assert target(decide(rows, Holding(), left.state)).signal_id == "flat"


def test_an_exit_on_a_missed_bar_is_made_good_by_the_next_tick() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    held = decide(rows, holding, first.state)
    rows.extend([[102, 102, 98.6, 99.6], [99.6, 100.5, 99.6, 100.4]])
    assert target(decide(rows, holding, held.state)).weight == 0


def test_the_stop_comes_before_the_add_when_one_bar_touches_both() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    held = decide(rows, holding, first.state)
    rows.append([102, 104, 97.9, 104])
    decision = decide(rows, holding, held.state)
    assert target(decision).weight == 0
    assert "stop touched" in decision.notes[0]


def test_the_bar_that_stopped_a_trade_opens_no_other_though_it_broke_out() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    held = decide(rows, bought(quantity(target(first), 102), 102), first.state)
    rows.append([102, 106, 97.9, 106])
    stopped = decide(rows, Holding(realised=Decimal(-4)), held.state)
    assert target(stopped).weight == 0
    rows.append([106, 108, 105.5, 108])
    assert target(decide(rows, Holding(), stopped.state)).weight > 0


def test_a_trade_filled_and_stopped_between_two_ticks_is_not_entered_again() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    gone = Holding(realised=Decimal(-400), fees=Decimal(2))
    after = decide(rows, gone, first.state)
    assert target(after).weight == 0
    assert target(decide(rows, gone, after.state)).weight == 0


def test_an_entry_that_is_not_filled_within_its_bar_is_given_up() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    rows.append([102, 102, 101.5, 101.6])
    late = decide(rows, state=first.state)
    assert target(late).weight == 0
    assert "not filled" in late.notes[0]


def test_turns_from_long_to_short_and_waits_for_the_position_to_follow() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    held = decide(rows, holding, first.state)
    rows.append([102, 102, 98.5, 98.6])
    turned = decide(rows, holding, held.state)
    assert target(turned).weight < 0
    assert decide(rows, holding, turned.state).desired == turned.desired
    short = bought(-abs(quantity(target(turned), 98.6)), 98.4)
    settled = target(decide(rows, short, turned.state))
    assert settled.weight == target(turned).weight
    assert settled.signal_id == target(turned).signal_id
    assert settled.stop is not None
    assert float(settled.stop.value) > 98.4


def test_a_position_that_does_not_turn_within_the_bar_is_closed() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    held = decide(rows, holding, first.state)
    rows.append([102, 102, 98.5, 98.6])
    turned = decide(rows, holding, held.state)
    rows.append([98.6, 99, 98.6, 98.8])
    assert target(decide(rows, holding, turned.state)).weight == 0
