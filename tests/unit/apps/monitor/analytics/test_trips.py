from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.exchanges.models import Fill, FundingPayment, FundingShare, Position, PositionMove
from apps.monitor.analytics.period import Period
from apps.monitor.analytics.reports.gather import _trips
from apps.monitor.analytics.scopes import subjects
from apps.monitor.analytics.trips import trips_all, trips_closed
from apps.monitor.api.analytics.schemas import trip_told
from apps.risk.portfolio.conversion import Conversion, Rate
from moondev.domain.values import Side
from tests.support.analytics_world import START, Books, books

pytestmark = pytest.mark.django_db
D = Decimal
DAY = timedelta(days=1)


@pytest.fixture
def book() -> Books:
    return books()


def closed(book: Books, first: float = 0, last: float = 86_400, strategy: str | None = None):
    period = Period(START + timedelta(seconds=first), START + timedelta(seconds=last))
    return trips_closed([book.account.pk], period, strategy)


def test_a_trip_goes_from_flat_to_flat_with_what_it_paid_and_got(book: Books) -> None:
    book.fill("turtle", "buy", "1", "100", fee="0.1", at=1, slippage="0.5")
    book.fill("turtle", "buy", "1", "110", fee="0.1", at=2)
    book.pay("-0.4", "2", at=3)
    book.fill("turtle", "sell", "0.5", "120", fee="0.05", at=4)
    book.fill("turtle", "sell", "1.5", "130", fee="0.15", at=5)
    [trip] = closed(book)
    assert (trip.strategy, trip.instrument, trip.side, trip.quantity, trip.fills) == (
        "turtle", "hyperliquid:BTC", Side.BUY, D(2), 4,
    )  # fmt: skip
    assert (trip.entry_price, trip.exit_price) == (D(105), D("127.5"))
    assert (trip.realised, trip.fees, trip.funding, trip.slippage) == (D(45), D("0.4"), D("-0.4"), D("0.5"))
    assert trip.net == D("44.2")
    assert trip.closed_at - trip.opened_at == timedelta(seconds=4)


def test_nothing_is_added_up_across_two_currencies(monkeypatch) -> None:
    book = books("EUR")
    book.fill("turtle", "buy", "1", "100", fee="2", at=1)
    book.fill("turtle", "sell", "1", "120", fee="2", at=2)
    [trip] = closed(book)
    told = trip_told(trip, "paper-1", "EUR")
    assert (told.realised, told.currency, told.fees, told.fee_currency, told.net) == (D(20), "USDC", D(4), "EUR", None)
    assert trip_told(trip, "paper-1", "USDC").net == 16
    # A report says it in the currency of all of it, and leaves out what nobody knows a rate of.
    [whole] = subjects("total")
    day = Period(START, START + DAY)
    assert _trips(whole, day, START) == []
    rate = Conversion.of([Rate("USDC", "EUR", D("0.5"), START, fresh=True)])
    monkeypatch.setattr("apps.monitor.analytics.reports.gather.conversion_between", lambda *_: rate)
    [told_of] = _trips(whole, day, START)
    assert (told_of.net, told_of.currency) == (D(6), "EUR")


def test_a_fill_through_zero_ends_one_trip_and_begins_the_next_and_shares_its_fee(book: Books) -> None:
    book.fill("turtle", "buy", "1", "100", at=1)
    book.fill("turtle", "sell", "3", "110", fee="0.1", at=2)
    book.fill("turtle", "buy", "2", "100", fee="0.2", at=3)
    long, short = closed(book)
    assert (long.side, long.realised, long.fees) == (Side.BUY, D(10), D("0.033333333333"))
    assert (short.side, short.quantity, short.realised) == (Side.SELL, D(2), D(20))
    assert long.fees + short.fees == D("0.3")


def test_only_what_ended_in_the_period_counts_however_long_ago_it_began(book: Books) -> None:
    day = 86_400
    book.fill("turtle", "buy", "1", "100", at=0)
    book.fill("turtle", "sell", "1", "105", at=9 * day)
    book.fill("other", "sell", "1", "100", at=1)
    book.fill("other", "buy", "2", "100", at=9.5 * day)
    book.fill("turtle", "buy", "1", "100", at=10 * day)
    assert [(t.strategy, t.realised) for t in closed(book, 9 * day, 10 * day)] == [("turtle", D(5)), ("other", D(0))]
    assert closed(book, 9 * day, 10 * day, "turtle")[0].opened_at == START
    assert closed(book, 0, 9 * day) == []
    assert closed(book, 10 * day, 20 * day) == []


def test_a_position_handed_over_ends_one_owners_trip_and_begins_the_others_at_its_cost(book: Books) -> None:
    book.fill("turtle", "buy", "2", "100", fee="0.1", at=1)
    book.hand("turtle", "BY_HAND", at=2)
    book.fill("BY_HAND", "sell", "2", "90", fee="0.2", at=3)
    given_away, taken = closed(book)
    assert (given_away.strategy, given_away.realised, given_away.fees, given_away.fills) == (
        "turtle", D(0), D("0.1"), 1,
    )  # fmt: skip
    assert (taken.strategy, taken.realised, taken.entry_price) == ("BY_HAND", D(-20), D(100))


def test_what_is_open_comes_last_without_an_end(book: Books) -> None:
    book.fill("turtle", "sell", "2", "100", at=1)
    book.fill("turtle", "buy", "0.5", "90", at=2)
    [trip] = trips_all([book.account.pk], Period(START, START + DAY))
    assert (trip.closed_at, trip.side, trip.exit_price, trip.realised) == (None, Side.SELL, D(90), D(5))
    with pytest.raises(AssertionError):
        trip.as_trade()


EVENT = st.one_of(
    st.tuples(
        st.just("fill"), st.sampled_from(["a", "b"]), st.sampled_from(["buy", "sell"]),
        st.integers(1, 9).map(lambda n: D(n) / 1000), st.integers(900, 1100).map(lambda n: D(n) / 10),
        st.integers(-50, 90).map(lambda n: D(n) / 10_000_000),
    ),
    st.tuples(st.just("pay"), st.integers(-90, 90).map(lambda n: D(n) / 1_000_000)),
    st.tuples(st.just("hand"), st.sampled_from([("a", "b"), ("b", "a")])),
)  # fmt: skip


@given(st.lists(EVENT, max_size=12), st.integers(0, 12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_sums_of_trips_equal_the_ledger_to_the_last_decimal(book: Books, events, cut: int) -> None:
    for model in (FundingShare, FundingPayment, PositionMove, Fill, Position):
        model.objects.all().delete()
    outside = play(book, events)
    trips = list(trips_all([book.account.pk], Period(START, START + DAY)))
    for held in Position.objects.all():
        own = [trip for trip in trips if trip.strategy == held.strategy]
        assert sum(t.fees for t in own) == held.fees
        assert sum(t.realised for t in own) == held.realised
        assert sum(t.funding for t in own) + outside[held.strategy] == held.funding
        assert len([t for t in own if t.closed_at is None]) == (held.quantity != 0)
    # The parts of any cut are the whole.
    middle = START + timedelta(seconds=cut + 0.5)
    ended = [trip for trip in trips if trip.closed_at is not None]
    parts = [trips_closed([book.account.pk], p) for p in (Period(START, middle), Period(middle, START + DAY))]
    assert parts[0] + parts[1] == ended


def play(book: Books, events) -> defaultdict[str, Decimal]:
    """Book events a second apart; return the funding that came to each owner while he held nothing."""
    held, outside = {"a": D(0), "b": D(0)}, defaultdict(Decimal)
    for at, (what, *rest) in enumerate(events, start=1):
        if what == "fill":
            strategy, side, quantity, price, fee = rest
            book.fill(strategy, side, quantity, price, fee=fee, at=at)
            held[strategy] += quantity if side == "buy" else -quantity
        elif what == "pay":
            book.pay(rest[0], sum(held.values()), at=at)
            for share in FundingShare.objects.filter(payment__paid_at=START + timedelta(seconds=at)):
                outside[share.strategy] += 0 if held.get(share.strategy) else share.amount
        else:
            giver, taker = rest[0]
            if held[giver] and held[giver] * held[taker] >= 0:
                book.hand(giver, taker, at=at)
                held[taker], held[giver] = held[taker] + held[giver], D(0)
    return outside
