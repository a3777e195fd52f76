from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.strategies.base import Decision
from apps.strategies.library.making.parameters import ORIGINAL, ZONE_BAR, MakerParameters
from apps.strategies.library.market_maker import MarketMaker
from moondev.domain.desired import Quotes, Target
from moondev.domain.market_data import BarSeries, MarketView
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price
from tests.unit.apps.strategies.library.scenery import BTC, KEY, bars_of, book_at, bought, own, view_of

MAKER = MarketMaker()
MINUTE_MS = 60_000


def ranging(last: float, tail: int = 30) -> BarSeries:
    """Return 180 bars between 98 and 102, both extremes old, that end at `last`."""
    rows = [[100.0, 100.5, 99.5, 100.0]] * (180 - tail - 2)
    rows += [[100.0, 102.0, 100.0, 100.0], [100.0, 100.0, 98.0, 100.0]]
    rows += [[last, last + 0.1, last - 0.1, last]] * tail
    return bars_of(rows, ZONE_BAR)


def decide(
    mid: float,
    holding: Holding | None = None,
    state: Mapping[str, object] | None = None,
    params: MakerParameters = ORIGINAL,
    *,
    bars: BarSeries | None = None,
    late_minutes: float = 0.1,
) -> Decision:
    bars = ranging(mid) if bars is None else bars
    late_ms = round(late_minutes * MINUTE_MS)
    now_ms = int(bars.opened_ms[-1]) + 5 * MINUTE_MS + late_ms
    view = view_of(bars, book=book_at(mid - 0.05, mid + 0.05, now_ms), late_ms=late_ms)
    return MAKER.decide(view, own(holding), params, state or {}, {KEY: BTC})  # type: ignore[arg-type]


def quotes(decision: Decision) -> Quotes:
    (only,) = decision.desired
    assert isinstance(only, Quotes)
    return only


def target(decision: Decision) -> Target:
    (only,) = decision.desired
    assert isinstance(only, Target)
    return only


def test_bids_a_ladder_below_the_bid_in_the_lowest_third_of_the_range() -> None:
    wanted = quotes(decide(98.7))
    assert wanted.asks == ()
    bid = 98.65
    assert [float(q.price.value) / bid for q in wanted.bids] == pytest.approx([0.9991, 0.9970, 0.9950])
    total = float(sum(q.quantity.value for q in wanted.bids))
    assert [float(q.quantity.value) / total for q in wanted.bids] == pytest.approx([0.2, 0.4, 0.4])


def test_asks_a_ladder_above_the_ask_in_the_highest_third_of_the_range() -> None:
    wanted = quotes(decide(101.3))
    assert wanted.bids == ()
    assert [float(q.price.value) / 101.35 for q in wanted.asks] == pytest.approx([1.0009, 1.0030, 1.0050])


def test_quotes_nothing_in_the_middle_of_the_range() -> None:
    wanted = quotes(decide(100.0))
    assert wanted.bids == wanted.asks == ()


@pytest.mark.parametrize("mid", [98.7, 101.3])
def test_all_levels_together_never_cost_more_than_allowed(mid: float) -> None:
    wanted = quotes(decide(mid))
    side = wanted.bids or wanted.asks
    assert sum(q.quantity.value * q.price.value for q in side) <= 1_100
    assert float(sum(q.quantity.value * q.price.value for q in side)) > 1_050


def test_does_not_fade_an_extreme_that_is_still_being_made() -> None:
    falling = ranging(98.7, tail=10)
    assert quotes(decide(98.7, bars=falling)).bids == ()


def test_does_not_trade_a_range_that_is_too_wide_or_a_bar_that_is_too_long() -> None:
    wide = decide(98.7, params=ORIGINAL.model_copy(update={"zone_max_range_percent": 3.0}))
    assert quotes(wide).bids == ()
    assert "% wide" in wide.notes[0]
    long = decide(98.7, params=ORIGINAL.model_copy(update={"zone_max_true_range_percent": 0.1}))
    assert quotes(long).bids == ()
    assert "true range" in long.notes[0]


def test_holds_a_position_behind_a_stop_with_its_small_profit_set() -> None:
    wanted = target(decide(98.7, bought(5, 98.6)))
    assert wanted.weight == pytest.approx(5 * 98.7 / 200_000)
    assert wanted.take_profit == Price(Decimal(repr(98.6 * 1.004)))
    assert wanted.stop == Price(Decimal(repr(98.0 * 0.999)))


def test_a_short_is_held_the_other_way_round() -> None:
    wanted = target(decide(101.3, bought(-5, 101.4)))
    assert wanted.weight < 0
    assert wanted.take_profit == Price(Decimal(repr(101.4 * 0.996)))
    assert wanted.stop is not None
    assert float(wanted.stop.value) == pytest.approx(102.0 * 1.001)


def test_weight_signal_and_stop_stay_while_the_position_does() -> None:
    first = decide(98.7, bought(5, 98.6))
    later = target(decide(98.9, bought(5, 98.6), first.state, late_minutes=1))
    assert later.weight == target(first).weight
    assert later.signal_id == target(first).signal_id
    assert later.stop == target(first).stop
    more = target(decide(98.9, bought(8, 98.6), first.state, late_minutes=1))
    assert more.signal_id != later.signal_id
    assert more.weight > later.weight
    assert more.stop == later.stop


def test_closes_after_two_hours_and_rests() -> None:
    first = decide(98.7, bought(5, 98.6))
    still = decide(98.7, bought(5, 98.6), first.state, late_minutes=119)
    assert target(still).weight > 0
    over = decide(98.7, bought(5, 98.6), first.state, late_minutes=121)
    assert target(over).weight == 0
    assert "held for 120 minutes" in over.notes[0]
    assert target(decide(98.7, bought(2, 98.6), over.state, late_minutes=122)).weight == 0
    closed = decide(98.7, Holding(), over.state, late_minutes=123)
    assert quotes(closed).bids == ()
    assert quotes(decide(98.7, Holding(), closed.state, late_minutes=137)).bids == ()
    assert quotes(decide(98.7, Holding(), closed.state, late_minutes=139)).bids


def test_closes_and_stays_away_when_the_position_cost_too_much() -> None:
    costly = decide(98.7, bought(12, 98.6))
    assert target(costly).weight == 0
    assert "above 1100" in costly.notes[0]
    closed = decide(98.7, Holding(), costly.state, late_minutes=1)
    assert quotes(closed).bids == ()
    assert quotes(decide(98.7, Holding(), closed.state, late_minutes=60 * 24)).bids == ()
    assert quotes(decide(98.7, Holding(), closed.state, late_minutes=60 * 73)).bids


def test_closes_when_the_stop_lies_behind_the_market() -> None:
    first = decide(98.7, bought(5, 98.6))
    through = decide(97.5, bought(5, 98.6), first.state, late_minutes=1)
    assert target(through).weight == 0
    assert "behind the mid" in through.notes[0]


def test_a_position_that_turned_starts_anew() -> None:
    first = decide(98.7, bought(5, 98.6))
    turned = target(decide(98.7, bought(-5, 98.6), first.state, late_minutes=1))
    assert turned.weight < 0
    assert turned.stop is not None
    assert float(turned.stop.value) > 98.7


def test_says_the_same_when_called_again() -> None:
    for holding in (Holding(), bought(5, 98.6), bought(12, 98.6)):
        first = decide(98.7, holding)
        again = decide(98.7, holding, first.state)
        assert again.desired == first.desired
        assert again.state == first.state


def test_leaves_a_position_behind_its_stop_when_it_cannot_see() -> None:
    view = MarketView(view_of(ranging(98.7)).now, {})
    blind = MAKER.decide(view, own(bought(5, 98.6)), ORIGINAL, {}, {KEY: BTC})
    assert blind.desired == ()
    flat = MAKER.decide(view, own(), ORIGINAL, {}, {KEY: BTC})
    assert flat.desired == (Quotes(KEY, (), (), "pulled: no sight of the market"),)


def test_needs_fifteen_hours_of_five_minute_bars_and_the_book() -> None:
    needs = MAKER.needs(ORIGINAL, (BTC,))
    assert needs.bars == {timedelta(minutes=5): 180}
    assert needs.book
    short = decide(98.7, bars=ranging(98.7).tail(179))
    assert quotes(short).bids == ()
    assert "179 closed 5m bars, 180 needed" in short.notes[0]
