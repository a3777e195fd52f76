"""The day: what a seed draws, and that it is as bad as it is meant to be."""

from __future__ import annotations

import pytest

from apps.risk.scenario.day import COINS, CRASH, DOLLAR_COIN, LOW, TURN, Day, depth, seconds, shape, spread_bps, stress
from moondev.domain.errors import InvalidValue

VENUES = ("hyperliquid", "binance", "bybit")


def test_a_seed_is_a_day_and_another_is_another() -> None:
    assert Day.drawn(VENUES, 7) == Day.drawn(VENUES, 7)
    assert Day.drawn(VENUES, 7) != Day.drawn(VENUES, 8)


@pytest.mark.parametrize("venues", [(), ("binance", "binance")])
def test_refuses_no_venue_and_one_named_twice(venues) -> None:
    with pytest.raises(InvalidValue, match="venues"):
        Day.drawn(venues, 7)


def test_the_fall_begins_slowly_ends_fast_and_comes_back_in_part() -> None:
    slide, crash = shape(CRASH) - shape(CRASH - 60), shape(LOW) - shape(LOW - 60)
    assert 0 < 3 * slide < crash
    assert max(map(shape, seconds())) == shape(LOW) == shape(TURN) == 1
    assert 0.4 < shape(seconds()[-1]) < 0.5


def test_books_thin_by_more_than_nine_tenths_and_spreads_open() -> None:
    assert stress(0) == 0
    assert depth("BTC", LOW) < 0.1 * depth("BTC", 0)
    assert spread_bps(LOW) > 20 * spread_bps(0)


@pytest.mark.parametrize("seed", range(5))
def test_every_day_is_a_cascade(seed: int) -> None:
    day = Day.drawn(VENUES, seed)
    others = [venue for venue in VENUES if venue != day.weakest]
    fallen = {coin: 1 - day.middle(coin, LOW) / COINS[coin].price for coin in COINS}
    assert 0.10 < fallen["BTC"] < 0.16
    assert 0.25 < fallen["SOL"] < fallen["DOGE"] < fallen["SUI"] <= 0.8
    # Venues' marks drift apart, and the weakest falls farthest.
    assert all(day.price(day.weakest, "BTC", LOW) < day.price(venue, "BTC", LOW) for venue in others)
    # The dollar coin breaks at one venue only.
    assert day.price(day.weakest, DOLLAR_COIN, LOW) < 0.7
    assert all(day.price(venue, DOLLAR_COIN, LOW) > 0.97 for venue in others)
    # Every venue stumbles, the weakest at the worst of it and longest.
    wrong = {venue: [s for s in seconds() if day.wrong(venue, s)] for venue in VENUES}
    assert all(wrong.values())
    assert all(CRASH < moment < TURN for moments in wrong.values() for moment in moments)
    assert max(wrong, key=lambda venue: len(wrong[venue])) == day.weakest
    assert CRASH < day.deleveraged_at <= LOW
