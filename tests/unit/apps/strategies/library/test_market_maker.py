import json
import math
import time
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.base import Decision, OwnPosition
from apps.strategies.library.making import glft
from apps.strategies.library.making.parameters import AVELLANEDA_STOIKOV, CANONICAL, FAST, MakerParameters
from apps.strategies.library.making.quoting import lean
from apps.strategies.library.market_maker import MarketMaker
from moondev.domain.desired import Quotes
from moondev.domain.instruments import Rounding
from moondev.domain.market_data import BarSeries, Book
from moondev.domain.portfolio import Holding
from moondev.domain.values import Side
from tests.unit.apps.strategies.library.scenery import (
    BTC,
    KEY,
    book_at,
    bought,
    own,
    random_bars,
    scaled,
    view_of,
)

MAKER = MarketMaker()
MARKETS = {KEY: BTC}
MINUTE = timedelta(minutes=1)
CALM = random_bars(5, 64, MINUTE, scale=100_000.0, sigma=0.0005)
LAST = float(CALM.close[-1])
NOW_MS = int(CALM.opened_ms[-1]) + 61_000


def book(mid: float = LAST, half: float = 0.5) -> Book:
    return book_at(mid - half, mid + half, NOW_MS)


def decide(
    holding: Holding | None = None,
    state: Mapping[str, object] | None = None,
    params: MakerParameters = CANONICAL,
    *,
    bars: BarSeries | None = CALM,
    seen: Book | None = None,
    late_ms: int = 1_000,
    age_ms: int = 100,
    position: OwnPosition | None = None,
) -> Decision:
    view = view_of(bars, book=seen or book(), late_ms=late_ms, age_ms=age_ms)
    return MAKER.decide(view, position or own(holding), params, state or {}, MARKETS)  # type: ignore[arg-type]


def quotes(decision: Decision) -> Quotes:
    (only,) = decision.desired
    assert isinstance(only, Quotes)
    return only


def best(decision: Decision) -> tuple[float, float]:
    wanted = quotes(decision)
    return float(wanted.bids[0].price.value), float(wanted.asks[0].price.value)


@pytest.mark.parametrize("params", [CANONICAL, AVELLANEDA_STOIKOV, FAST])
def test_quotes_both_sides_evenly_around_the_mid_when_flat(params: MakerParameters) -> None:
    wanted = quotes(decide(params=params))
    assert len(wanted.bids) == len(wanted.asks) == 3
    bid, ask = float(wanted.bids[0].price.value), float(wanted.asks[0].price.value)
    assert ask - LAST == pytest.approx(LAST - bid, rel=1e-6)
    total = float(sum(quote.quantity.value for quote in wanted.bids))
    assert total == pytest.approx(0.05 * 200_000 / LAST)
    shares = [float(quote.quantity.value) / total for quote in wanted.bids]
    assert shares == pytest.approx([0.2, 0.4, 0.4])
    assert [quote.price for quote in wanted.bids] == sorted((q.price for q in wanted.bids), reverse=True)
    assert [quote.price for quote in wanted.asks] == sorted(q.price for q in wanted.asks)


def test_says_in_words_why_the_quotes_are_where_they_are() -> None:
    said = quotes(decide(params=CANONICAL)).reason
    assert said.startswith("glft with +0.0 of ")
    assert "centre +0.0 bps from the mid, half a spread " in said


def test_the_half_spread_is_that_of_the_formula() -> None:
    params = CANONICAL.model_copy(update={"risk_aversion": 0.02})
    shift, half = lean(params, 0.0, 0.9)
    assert shift == 0
    assert half == pytest.approx(glft.distances(0, 0.02, 0.9, 0.3, 0.5)[0])


@pytest.mark.parametrize("params", [CANONICAL, AVELLANEDA_STOIKOV])
def test_full_inventory_leans_one_half_spread_on_an_ordinary_day_and_more_on_a_lively_one(
    params: MakerParameters,
) -> None:
    shift, half = lean(params, params.full_units, params.reference_volatility_bps)
    assert -shift == pytest.approx(half, rel=1e-6)
    livelier_shift, livelier_half = lean(params, params.full_units, 2 * params.reference_volatility_bps)
    assert livelier_shift < shift
    assert livelier_half > half


def test_no_quote_is_nearer_to_the_centre_than_fee_and_half_a_tick() -> None:
    eager = CANONICAL.model_copy(update={"fill_decay_per_bp": 10.0, "fills_per_second": 1_000.0})
    bid, ask = best(decide(params=eager))
    # The grid around 100,000 has a step of 1: five significant figures.
    least = 1.5e-4 * LAST + 0.5
    assert (ask - bid) / 2 == pytest.approx(least, rel=1e-6)


def test_a_long_inventory_moves_both_quotes_down_and_a_short_up() -> None:
    flat, long, short = (decide(holding) for holding in (None, bought(0.2, LAST), bought(-0.2, LAST)))
    assert best(long)[0] < best(flat)[0] < best(short)[0]
    assert best(long)[1] < best(flat)[1] < best(short)[1]


def test_quotes_one_side_only_beyond_the_largest_inventory() -> None:
    full = 0.25 * 200_000 / LAST
    long = quotes(decide(bought(full * 1.01, LAST)))
    assert long.bids == ()
    assert long.asks
    short = quotes(decide(bought(-full * 1.01, LAST)))
    assert short.asks == ()
    assert short.bids


def test_inventory_and_all_quotes_together_stay_within_the_limit() -> None:
    full = 0.25 * 200_000 / LAST
    wanted = quotes(decide(bought(full * 0.9, LAST)))
    resting = float(sum(quote.quantity.value for quote in wanted.bids))
    assert full * 0.9 + resting <= full * (1 + 1e-9)


def test_never_quotes_through_the_book() -> None:
    heavy = bought(0.24 * 200_000 / LAST, LAST)
    skewed = CANONICAL.model_copy(update={"full_inventory_skew": 3.0})
    wanted = quotes(decide(heavy, params=skewed))
    lowest_ask = wanted.asks[0].price.value
    assert lowest_ask > Decimal(repr(LAST - 0.5))
    rounded = BTC.price_grid.rounded(lowest_ask, Rounding.passive(Side.SELL))
    assert float(rounded.value) > LAST - 0.5


def test_says_the_same_when_called_again() -> None:
    first = decide()
    again = decide(state=first.state)
    assert again.desired == first.desired
    assert again.state == first.state


def test_stays_where_it_is_until_off_by_the_reprice_distance() -> None:
    first = decide()
    near = decide(state=first.state, seen=book(LAST * (1 + 0.5e-4)))
    assert best(near) == best(first)
    far = decide(state=first.state, seen=book(LAST * (1 + 2e-4)))
    assert best(far)[0] > best(first)[0]


def test_the_size_does_not_follow_every_move_of_the_mid() -> None:
    first = decide()
    moved = decide(state=first.state, seen=book(LAST * (1 + 2e-4)))
    assert [q.quantity for q in quotes(moved).bids] == [q.quantity for q in quotes(first).bids]
    richer = decide(state=first.state, position=own(equity=150_000.0))
    assert quotes(richer).bids[0].quantity > quotes(first).bids[0].quantity


def test_pulls_its_quotes_when_volatility_spikes_and_waits() -> None:
    first = decide()
    spike = decide(state=first.state, seen=book(LAST * 1.01))
    assert quotes(spike).bids == quotes(spike).asks == ()
    assert "quotes pulled" in spike.notes[0]
    waiting = decide(state=spike.state, late_ms=31_000)
    assert quotes(waiting).bids == ()
    after = decide(state=spike.state, late_ms=62_000)
    assert quotes(after).bids


def test_pulls_its_quotes_without_sight_of_the_market() -> None:
    first = decide()
    views = [
        view_of(CALM, book=None),
        view_of(CALM, book=Book((), book().asks, book().time_exchange, book().time_received)),
        view_of(CALM, book=book(), age_ms=6_000),
        view_of(None, book=book()),
    ]
    for view in views:
        blind = MAKER.decide(view, own(), CANONICAL, first.state, MARKETS)
        assert quotes(blind).bids == quotes(blind).asks == ()
        assert len(blind.notes) == 1
        assert blind.state == first.state


def test_pulls_its_quotes_with_too_little_history() -> None:
    decision = decide(bars=CALM.tail(19))
    assert quotes(decision).bids == ()
    assert "19 closed 1m bars, 20 needed" in decision.notes[0]


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0])
def test_pulls_its_quotes_when_a_bar_is_spoilt(value: float) -> None:
    bars = random_bars(5, 64, MINUTE, scale=100_000.0, sigma=0.0005)
    bars.close[-7] = value
    decision = decide(bars=bars)
    assert quotes(decision).bids == ()
    assert "not a finite number above 0" in decision.notes[0]


@pytest.mark.parametrize("equity", [0.0, -1.0, math.nan])
def test_quotes_nothing_without_equity(equity: float) -> None:
    decision = decide(position=OwnPosition({}, equity, 2.0))
    assert quotes(decision).bids == quotes(decision).asks == ()
    assert "nothing to trade with" in decision.notes[0]


def test_quotes_nothing_when_a_level_is_too_small_for_the_venue() -> None:
    decision = decide(position=OwnPosition({}, 10.0, 2.0))
    assert quotes(decision).bids == ()
    assert "too small for the venue" in decision.notes[0]


@pytest.mark.parametrize("state", [{"version": 0}, {"version": 1, "markets": {KEY: {"centre": "x"}}}, {"markets": 3}])
def test_an_unreadable_state_is_dropped_with_a_note(state: dict[str, object]) -> None:
    decision = decide(state=state)
    assert decision.desired == decide().desired
    assert "state is not of version 1" in decision.notes[0]


def test_needs_minute_bars_and_the_book() -> None:
    needs = MAKER.needs(CANONICAL, (BTC,))
    assert needs.bars == {MINUTE: 64}
    assert needs.book


def test_the_unit_of_price_does_not_matter() -> None:
    fine = CANONICAL.model_copy(update={"maker_fee_bps": 0.0})
    ours = decide(params=fine)
    tenfold = scaled(CALM, 16.0)
    theirs = decide(params=fine, bars=tenfold, seen=book_at((LAST - 0.5) * 16, (LAST + 0.5) * 16, NOW_MS))
    assert best(theirs) == pytest.approx(tuple(16 * price for price in best(ours)), rel=1e-9)
    sizes = [float(q.quantity.value) * 16 for q in quotes(theirs).bids]
    assert sizes == pytest.approx([float(q.quantity.value) for q in quotes(ours).bids])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1_000),
    weight=st.floats(-0.5, 0.5),
    drift=st.floats(-5e-4, 5e-4),
    half=st.floats(0.5, 50),
    model=st.sampled_from(["glft", "avellaneda_stoikov"]),
)
def test_quotes_never_cross_and_never_break_the_inventory_limit(
    seed: int, weight: float, drift: float, half: float, model: str
) -> None:
    bars = random_bars(seed, 64, MINUTE, scale=100_000.0, sigma=0.0005)
    mid = float(bars.close[-1]) * (1 + drift)
    amount = weight * 200_000 / mid
    holding = bought(amount, mid) if abs(amount) > 1e-5 else None
    params = CANONICAL.model_copy(update={"model": model})
    decision = decide(holding, params=params, bars=bars, seen=book(mid, half))
    wanted = quotes(decision)
    step = 1.0
    full = 0.25 * 200_000 / mid
    for quote in wanted.bids:
        assert float(quote.price.value) <= mid + half - step + 1e-6
    for quote in wanted.asks:
        assert float(quote.price.value) >= mid - half + step - 1e-6
    if wanted.bids:
        assert amount + float(sum(q.quantity.value for q in wanted.bids)) <= full * (1 + 1e-6)
    if wanted.asks:
        assert amount - float(sum(q.quantity.value for q in wanted.asks)) >= -full * (1 + 1e-6)
    assert json.loads(json.dumps(decision.state)) == decision.state


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000), end=st.integers(64, 90))
def test_later_bars_do_not_change_what_was_decided(seed: int, end: int) -> None:
    whole = random_bars(seed, 100, MINUTE, scale=100_000.0, sigma=0.0005)
    future = random_bars(seed + 1, 100, MINUTE, scale=100_000.0, sigma=0.0005)
    for columns in ("open", "high", "low", "close"):
        getattr(future, columns)[:end] = getattr(whole, columns)[:end]
    decided = []
    for series in (whole, future):
        past = BarSeries(
            MINUTE, *(getattr(series, c)[:end] for c in ("opened_ms", "open", "high", "low", "close", "volume"))
        )
        decided.append(decide(bars=past, seen=book(float(past.close[-1]))))
    assert decided[0] == decided[1]


@pytest.mark.parametrize("params", [CANONICAL, AVELLANEDA_STOIKOV])
def test_decides_well_within_five_milliseconds(params: MakerParameters) -> None:
    durations = []
    for _ in range(50):
        begun = time.perf_counter()
        decide(bought(0.1, LAST), params=params)
        durations.append(time.perf_counter() - begun)
    assert float(np.median(durations)) < 0.005
