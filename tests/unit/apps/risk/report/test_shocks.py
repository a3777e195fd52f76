"""Shocks by hand on a book small enough to see through."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from apps.risk.limits import LimitBook
from apps.risk.models import LimitKind
from apps.risk.report.book import Book, Stake, Worth
from apps.risk.report.headroom import headroom
from apps.risk.report.shocks import Bounds, first_to_trip, shocks

D = Decimal
LONG = Stake("turtle", "hyperliquid", "a", "BTC", D(2), D(50_000))
SHORT = Stake("maker", "bybit", "b", "ETH", D(-10), D(3_000))
BOOK = Book(
    "paper", "USDC", Worth(D(200_000), D(200_000)), D(200_000),
    {"turtle": Worth(D(50_000), D(50_000)), "maker": Worth(D(50_000), D(50_000))}, (LONG, SHORT),
)  # fmt: skip
BOUNDS = Bounds(lambda _: D("0.15"), D("0.25"), D("0.05"), D(5))


def named(book, bounds=BOUNDS):
    return {outcome.shock: outcome for outcome in shocks(book, bounds)}


def test_a_fall_costs_the_net_position_and_trips_whoever_it_takes_too_far():
    found = named(BOOK)
    five, ten, twenty = (found[f"all prices -{n}%"] for n in (5, 10, 20))
    assert (five.profit, five.equity, five.trips) == (D(-3_500), D(196_500), ())
    assert (ten.profit, ten.trips) == (D(-7_000), ("turtle at 20.0% drawdown",))
    assert twenty.trips == ("turtle at 40.0% drawdown", "day loss of 7.0%")


def test_everything_against_itself_spares_no_hedge():
    outcome = named(BOOK)["every position 10% against itself"]
    assert (outcome.profit, outcome.trips) == (D(-13_000), ("turtle at 20.0% drawdown", "day loss of 6.5%"))


def test_a_day_of_bad_funding_is_paid_three_times_on_everything():
    assert named(BOOK)["funding 1% each 8 h against us for a day"].profit == D(-3_900)


def test_a_venue_out_of_reach_makes_equity_unknown_and_says_what_is_stuck():
    outcome = named(BOOK)["hyperliquid out of reach, 10% against what is held there"]
    assert (outcome.profit, outcome.equity) == (D(-10_000), None)
    assert outcome.trips[0].startswith("100,000 USDC cannot be closed")


def test_the_first_to_trip_is_the_tightest_limit_each_way():
    fall, rise = first_to_trip(BOOK, BOUNDS)
    assert (fall.move, fall.what) == (D("-0.075"), "turtle: drawdown limit of the strategy")
    assert (rise.move, rise.what) == (D("0.25"), "maker: drawdown limit of the strategy")


def test_what_is_not_known_trips_nothing_and_is_not_taken_for_zero():
    blind = replace(BOOK, worth=Worth(None, None), begun=None, strategies={"turtle": Worth(None, None)})
    assert all("drawdown" not in trip for outcome in shocks(blind, BOUNDS) for trip in outcome.trips)
    assert first_to_trip(blind, BOUNDS) == []


def test_headroom_names_the_fullest_first_and_the_unknown_before_all():
    limits = LimitBook(
        {
            (kind.value, "portfolio", "paper"): value
            for kind, value in (
                (LimitKind.PORTFOLIO_DRAWDOWN, D("0.25")), (LimitKind.STRATEGY_DRAWDOWN, D("0.15")),
                (LimitKind.MAX_LEVERAGE, D(5)), (LimitKind.ASSET_SHARE, D(1)),
            )
        }
    )  # fmt: skip
    book = replace(BOOK, strategies={"turtle": Worth(D(47_000), D(50_000)), "maker": Worth(None, None)})
    lines = headroom(book, limits)
    assert [line.of for line in lines[:2]] == ["maker", "maker"]
    assert (lines[2].kind, lines[2].of, lines[2].share) == ("share of one asset", "BTC", D("0.5"))
    drawdown = next(line for line in lines if line.kind == "strategy drawdown" and line.of == "turtle")
    assert (drawdown.used, drawdown.share) == (D("0.06"), D("0.4"))


STAKES = st.lists(
    st.builds(
        Stake, st.sampled_from(["turtle", "maker"]), st.sampled_from(["x", "y"]), st.just("a"), st.just("BTC"),
        st.decimals(-5, 5, places=2), st.decimals(1, 1000, places=2),
    ),
    max_size=6,
)  # fmt: skip


@given(STAKES)
def test_just_before_the_first_move_nothing_trips_and_just_beyond_something_does(stakes):
    book = replace(BOOK, stakes=tuple(stakes))
    for first in first_to_trip(book, BOUNDS):
        for way, trips in ((D("0.999"), False), (D("1.001"), True)):
            move = first.move * way
            profits = {s: sum((t.value * move for t in stakes if t.strategy == s), D(0)) for s in book.strategies}
            total = sum(profits.values(), D(0))
            reached = [book.strategies[s].drawdown_after(made) >= D("0.15") for s, made in profits.items()] + [
                book.worth.drawdown_after(total) >= D("0.25"),
                (D(200_000) - D(200_000) - total) / 200_000 >= D("0.05"),
            ]
            assert any(reached) is trips
