"""The life of a bracketed trade, with an idea that always wants in."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.base import Decision, State
from apps.strategies.library.bracketed.memory import Memory, remembered
from apps.strategies.library.bracketed.parameters import BracketedParameters
from apps.strategies.library.bracketed.rules import Bracket, Direction, Entry
from apps.strategies.library.bracketed.scene import Scene
from apps.strategies.library.bracketed.trading import Window, decided
from moondev.domain.desired import Target
from moondev.domain.market_data import BarSeries
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price
from tests.unit.apps.strategies.library.scenery import BTC, KEY, bars_of, bought, own, random_bars, view_of

PARAMS = BracketedParameters(interval="15m")
CALM = [[100.0, 100.5, 99.5, 100.0]] * 5
LONG = Entry(1, "idea", 100.0, Bracket(99.0, 102.0), follows_fill=True)
RESTING = Entry(1, "idea", 99.0, Bracket(98.0, 101.0), rests=True, valid_bars=2)


@dataclass
class Always:
    """Wants `wanted` at every bar and leaves for `reason`."""

    wanted: Entry | None = field(default=LONG)
    reason: str = ""

    def entry(self, scene: Scene) -> tuple[Entry | None, str]:
        assert len(scene.bars) >= 3
        return self.wanted, ""

    def leave(self, direction: Direction, scene: Scene) -> str:
        assert direction == (1 if scene.quantity > 0 else -1)
        return self.reason

    def guard(self, direction: Direction, price: float, scene: Scene) -> Bracket:
        assert scene.quantity
        return Bracket(price * (1 - direction * 0.01), None)


def decide(
    rows: list[list[float]] | BarSeries,
    rules: Always,
    holding: Holding | None = None,
    state: State | None = None,
    params: BracketedParameters = PARAMS,
    late_ms: int = 1_000,
) -> Decision:
    bars = rows if isinstance(rows, BarSeries) else bars_of(rows, params.bar)
    return decided(view_of(bars, late_ms=late_ms), own(holding), params, state or {}, {KEY: BTC}, rules, Window(3, 50))


def target(decision: Decision) -> Target:
    (only,) = decision.desired
    assert isinstance(only, Target)
    return only


def levels(wanted: Target) -> list[float | None]:
    return [float(price.value) if isinstance(price, Price) else None for price in (wanted.stop, wanted.take_profit)]


def test_the_same_bar_gives_the_same_answer_until_it_is_filled() -> None:
    first = decide(CALM, Always())
    assert target(first).weight == 0.1
    again = decide(CALM, Always(), state=first.state, late_ms=60_000)
    assert (again.desired, again.state) == (first.desired, first.state)


def test_what_is_not_filled_within_its_bar_is_given_up() -> None:
    first = decide(CALM, Always())
    late = decide(CALM, Always(), state=first.state, late_ms=15 * 60_000)
    assert target(late).weight == 0
    assert "was not filled in time" in late.notes[0]


def test_the_bracket_follows_the_price_paid_once() -> None:
    first = decide(CALM, Always())
    assert levels(target(first)) == [99.0, 102.0]
    held = decide(CALM, Always(), bought(200.0, 100.5), first.state, late_ms=2_000)
    assert levels(target(held)) == pytest.approx([99.0 * 1.005, 102.0 * 1.005])
    later = decide(CALM, Always(), bought(200.0, 100.5), held.state, late_ms=3_000)
    assert levels(target(later)) == levels(target(held))


def test_a_resting_entry_waits_at_its_price_and_stops_waiting() -> None:
    first = decide(CALM, Always(RESTING))
    assert target(first).entry == Price(Decimal(99))
    filled = bought(202.0, 99.0)
    held = decide([*CALM, CALM[0]], Always(RESTING), filled, first.state)
    assert target(held).entry is not None
    done = decide([*CALM, CALM[0], CALM[0]], Always(RESTING), filled, held.state)
    # Whatever was not bought by now is bought no more: nothing rests, and the size is the signal's.
    assert (target(done).entry, target(done).signal_id) == (None, target(first).signal_id)


def test_what_the_bar_of_a_resting_fill_reached_in_favour_may_have_come_before() -> None:
    first = decide(CALM, Always(RESTING))
    filled = bought(202.0, 99.0)
    swing = [*CALM, [100.0, 101.5, 98.9, 99.5]]
    held = decide(swing, Always(RESTING), filled, first.state)
    assert target(held).weight == 0.1
    plunge = decide([*CALM, [100.0, 101.5, 97.9, 99.5]], Always(RESTING), filled, first.state)
    assert "stop touched" in plunge.notes[0]
    after = decide([*swing, [99.5, 100.0, 99.5, 99.9]], Always(RESTING), filled, held.state)
    gained = decide(
        [*swing, [99.5, 100.0, 99.5, 99.9], [99.9, 101.5, 99.9, 101.2]], Always(RESTING), filled, after.state
    )
    assert "take-profit touched" in gained.notes[0]


def test_leaving_is_asked_for_until_it_is_done_and_then_forgotten() -> None:
    first = decide(CALM, Always())
    long = bought(200.0, 100.0)
    rows = [*CALM, CALM[0]]
    leaving = decide(rows, Always(reason="enough"), long, first.state)
    assert (target(leaving).weight, target(leaving).signal_id) == (0, f"{target(first).signal_id}:exit")
    assert decide(rows, Always(), long, leaving.state).desired == leaving.desired
    flat = decide(rows, Always(), None, leaving.state)
    assert target(flat).signal_id == "flat"
    assert target(decide([*rows, CALM[0]], Always(), None, flat.state)).weight == 0.1


def test_a_trade_that_came_and_went_between_two_ticks_is_not_entered_again() -> None:
    first = decide(CALM, Always())
    gone = bought(200.0, 100.0, fee=9.0)
    gone = gone + bought(-200.0, 99.0, fee=9.0)
    flat = decide(CALM, Always(), gone, first.state, late_ms=5_000)
    assert "was closed at the venue" in flat.notes[0]
    assert target(flat).weight == 0


def test_a_position_of_another_size_or_side_than_planned_is_kept_as_it_is() -> None:
    first = decide(CALM, Always())
    held = decide(CALM, Always(), bought(200.0, 100.0), first.state)
    for quantity, how in ((120.0, "smaller"), (300.0, "larger")):
        other = decide(CALM, Always(), bought(quantity, 100.0), held.state)
        assert f"is {how} than" in other.notes[0]
        assert target(other).weight == pytest.approx(quantity * 100 / 200_000)
        assert target(other).signal_id.endswith(":r1")
        assert levels(target(other)) == levels(target(held))
    turned = decide(CALM, Always(), bought(-50.0, 100.0), held.state)
    assert "adopted" in turned.notes[0]
    assert target(turned).weight == pytest.approx(-50 * 100 / 200_000)
    assert levels(target(turned)) == [101.0, None]


def test_only_the_sides_asked_for_are_taken() -> None:
    longs = PARAMS.model_copy(update={"sides": "long"})
    short = Entry(-1, "idea", 100.0, Bracket(101.0, None))
    assert target(decide(CALM, Always(), params=longs)).weight == 0.1
    assert target(decide(CALM, Always(short), params=longs)).weight == 0
    assert target(decide(CALM, Always(short))).weight == -0.1


def test_a_market_out_of_sight_counts_among_those_open_and_a_removed_one_does_not() -> None:
    first = decide(CALM, Always())
    one = PARAMS.model_copy(update={"max_positions": 1})
    other = replace(BTC, symbol="ETH", asset="ETH")
    view = view_of(bars_of(CALM, PARAMS.bar), key=other.key)
    both = decided(view, own(), one, first.state, {KEY: BTC, other.key: other}, Always(), Window(3, 50))
    assert target(both).weight == 0
    alone = decided(view, own(), one, first.state, {other.key: other}, Always(), Window(3, 50))
    assert target(alone).weight == 0.1


def test_what_is_remembered_survives_storage() -> None:
    first = decide(CALM, Always())
    memory, note = remembered(first.state)
    assert (note, memory.to_state()) == ("", first.state)
    assert remembered({})[0] == Memory()
    assert "state is not of version 1" in remembered({"version": 1, "markets": {"x": 3}})[1]


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1_000), quantities=st.lists(st.sampled_from([0.0, 0.0, 40.0, 200.0, -30.0, 900.0]), max_size=8)
)
def test_whatever_is_found_the_answer_is_a_target_that_can_be_asked_for(seed: int, quantities: list[float]) -> None:
    bars = random_bars(seed, 40, timedelta(minutes=15))
    state: State = {}
    for step, quantity in enumerate(quantities):
        seen = BarSeries(bars.interval, *(column[: 20 + step] for column in columns(bars)))
        holding = bought(quantity, float(seen.close[-1])) if quantity else None
        entry = Entry(1, "idea", float(seen.close[-1]), Bracket(float(seen.close[-1]) * 0.99, None))
        answer = decide(seen, Always(entry), holding, state)
        state = answer.state
        assert -1 <= target(answer).weight <= 1
        assert np.sign(target(answer).weight) in {0, 1, np.sign(quantity)}


def columns(bars: BarSeries) -> tuple[np.ndarray, ...]:
    return bars.opened_ms, bars.open, bars.high, bars.low, bars.close, bars.volume
