"""The pure arithmetic of an order's life, heard in any order."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.orders.progress import (
    Progress,
    after_amend,
    after_fill,
    after_refused_change,
    after_report,
    caught_up,
    settled,
)
from moondev.domain.fills import FillReport, Liquidity
from moondev.domain.orders import FINAL, NEXT, OrderReport, OrderStatus, TimeInForce
from moondev.domain.values import Money, Price, Quantity, Side

S = OrderStatus
D = Decimal
NOW = datetime(2025, 7, 1, tzinfo=UTC)
ID = UUID(int=1)


def progress(status: OrderStatus = S.SENDING, quantity: str = "10", **changes) -> Progress:
    fields = {
        "status": status, "time_in_force": TimeInForce.GTC, "quantity": D(quantity), "price": D(100), "filled": D(0),
        "notional": D(0), "venue_filled": D(0), "ending": None, "venue_order_id": "", "earlier": D(0),
        "reserved": D(quantity) * 100, "triggered": False,
    }  # fmt: skip
    return Progress(**{**fields, **changes})


def said(status: OrderStatus | None, filled: str | None = None, venue_id: str | None = "v1", source: str = "stream"):
    quantity = None if filled is None else Quantity(D(filled))
    return OrderReport(source, ID, venue_id, status, None, NOW, filled_quantity=quantity)


def fill(quantity: str, number: int = 1, venue_id: str = "v1", price: str = "100") -> FillReport:
    return FillReport(
        f"t{number}", venue_id, ID, "BTC", Side.BUY, Price(D(price)), Quantity(D(quantity)), Money(D(0), "USDC"),
        Liquidity.TAKER, NOW, NOW,
    )  # fmt: skip


def hear(state: Progress, *news: OrderReport | FillReport) -> Progress:
    for item in news:
        state = after_fill(state, item) if isinstance(item, FillReport) else after_report(state, item)
        state = settled(state)
    return state


def test_a_filled_answer_counts_as_live_until_the_fills_add_up() -> None:
    state = hear(progress(), said(S.FILLED, "10"))
    assert (state.status, state.missing, state.reserved) == (S.OPEN, D(10), D(1000))
    state = hear(state, fill("4"))
    assert (state.status, state.reserved) == (S.PARTIALLY_FILLED, D(600))
    state = hear(state, fill("6", 2))
    assert (state.status, state.reserved) == (S.FILLED, 0)


def test_a_cancel_that_left_a_trade_behind_waits_for_it() -> None:
    state = hear(progress(S.OPEN), said(S.CANCELLED, "3"))
    assert state.status is S.OPEN
    assert hear(state, fill("3")).status is S.CANCELLED


def test_an_old_word_does_not_reopen_an_ended_order() -> None:
    ended = hear(progress(S.OPEN), said(S.CANCELLED))
    assert hear(ended, said(S.OPEN), said(S.PARTIALLY_FILLED, "1")).status is S.CANCELLED


def test_the_last_fill_may_race_the_cancel() -> None:
    ended = hear(progress(S.OPEN), said(S.CANCELLED))
    assert hear(ended, fill("10")).status is S.FILLED


def test_nothing_heard_about_an_unsent_order_changes_it() -> None:
    unsent = progress(S.APPROVED)
    assert hear(unsent, said(S.OPEN), said(S.CANCELLED)) == unsent


def test_unknown_is_only_what_was_being_sent() -> None:
    assert hear(progress(S.SENDING), said(S.UNKNOWN)).status is S.UNKNOWN
    assert hear(progress(S.OPEN), said(S.UNKNOWN)).status is S.OPEN


def test_a_rejection_of_a_resting_order_is_a_cancel() -> None:
    assert hear(progress(S.OPEN), said(S.REJECTED)).status is S.CANCELLED
    assert hear(progress(S.SENDING), said(S.REJECTED)).status is S.REJECTED


def test_an_immediate_order_that_filled_in_part_has_expired() -> None:
    state = progress(time_in_force=TimeInForce.IOC)
    assert hear(state, fill("4"), said(S.FILLED, "4")).status is S.EXPIRED
    assert hear(state, said(S.EXPIRED, "4"), fill("4")).status is S.EXPIRED


def test_an_order_that_the_venue_shrank_ends_when_there_are_no_more_fills() -> None:
    state = hear(progress(S.OPEN), said(S.FILLED, "10"), fill("6"))
    assert state.status is S.PARTIALLY_FILLED
    state = settled(caught_up(state))
    assert (state.status, state.reserved) == (S.FILLED, 0)


def test_an_amend_counts_from_what_filled_before_it() -> None:
    state = hear(progress(S.OPEN, venue_order_id="v1"), fill("3"))
    state = settled(after_amend(state, D(5), D(99), "v2", D(0)))
    assert (state.quantity, state.earlier, state.price, state.aliases) == (8, 3, 99, {"v1"})
    assert hear(state, said(S.PARTIALLY_FILLED, "2", "v2")).venue_filled == 5
    assert hear(state, said(S.CANCELLED, None, "v1")).status is S.PARTIALLY_FILLED
    assert hear(state, fill("5", 2, "v2")).status is S.FILLED


def test_an_amend_never_reserves_more() -> None:
    state = settled(after_amend(progress(S.AMENDING, venue_order_id="v1"), D(10), D(120), "v2", D(0)))
    assert state.reserved == 1000


def test_a_refused_change_lets_the_order_rest_as_before() -> None:
    assert after_refused_change(progress(S.CANCELLING)).status is S.OPEN
    assert after_refused_change(progress(S.AMENDING, filled=D(1))).status is S.PARTIALLY_FILLED
    assert after_refused_change(progress(S.FILLED)).status is S.FILLED


@st.composite
def stories(draw: st.DrawFn) -> tuple[list, list]:
    """A truth the venue could tell about one order, and the same news shuffled with repetitions."""
    sizes = draw(st.lists(st.integers(1, 4), max_size=4))
    total = sum(sizes)
    quantity = draw(st.integers(max(total, 1), total + 3))
    fills = [fill(str(size), number) for number, size in enumerate(sizes)]
    news: list = [said(S.OPEN, "0")]
    heard = 0
    for size in sizes:
        heard += size
        news.append(said(S.PARTIALLY_FILLED if heard < quantity else S.FILLED, str(heard)))
    if total < quantity:
        news.append(said(S.CANCELLED, draw(st.sampled_from([None, str(total)]))))
    pool = [*fills, *news]
    order = draw(st.permutations(pool))
    repeats = draw(st.lists(st.sampled_from(news), max_size=4))
    return [quantity, fills, news], [*order, *repeats]


@given(stories())
def test_whatever_order_news_is_heard_in_the_end_is_the_same(story) -> None:
    (quantity, fills, news), shuffled = story
    start = progress(quantity=str(quantity))
    straight = hear(start, *fills, *news)
    mixed = hear(start, *shuffled)
    assert mixed == straight
    assert mixed.status in FINAL
    assert mixed.reserved == 0
    assert mixed.filled == sum((f.quantity.value for f in fills), start=D(0))


@given(
    st.sampled_from(list(OrderStatus)),
    st.lists(
        st.one_of(
            st.builds(said, st.sampled_from([*OrderStatus, None]), st.sampled_from([None, "0", "3", "10"])),
            st.builds(lambda q, n: fill(str(q), n), st.integers(1, 6), st.integers(0, 99)),
        ),
        max_size=8,
    ),
)
def test_no_news_makes_an_order_take_a_step_its_life_does_not_have(start: OrderStatus, news: list) -> None:
    state = progress(start)
    for item in news:
        before = state.status
        state = hear(state, item)
        steps = {before} | NEXT[before] | {two for one in NEXT[before] for two in NEXT[one]}
        assert state.status in steps
        assert state.reserved >= 0
