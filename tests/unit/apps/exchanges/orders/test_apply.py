"""What the venue says, in the books: whoever says it, in whatever order, however often."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.exchanges.models import UNASSIGNED, AccountEvent, Fill, InstrumentRow, Order, Position
from apps.exchanges.orders.begin import orders_begin
from apps.exchanges.orders.services import orders_claim, reports_apply
from moondev.domain.errors import Configuration
from moondev.domain.fills import FillKind
from moondev.domain.orders import OrderReport, OrderStatus, Purpose
from moondev.domain.values import Money, Side
from tests.support.order_world import World, assert_books, make_world, report

pytestmark = pytest.mark.django_db
D = Decimal
S = OrderStatus


@pytest.fixture
def world() -> World:
    return make_world()


def apply(world: World, *reports: OrderReport):
    return reports_apply(account_id=world.account.pk, reports=reports, now=world.clock.now())


def being_sent(world: World, *entries) -> list[Order]:
    """Record, claim and begin orders, as a sender does that has not heard an answer yet."""
    world.record(*entries)
    claim = orders_claim(account_id=world.account.pk, worker="w", lease_seconds=60, now=world.clock.now())
    ids = [order.order_id for order in claim.orders]
    orders_begin(claim, ids, until=claim.until, venue_expires_at=claim.until, now=world.clock.now())
    wanted = [entry.outcome.request.client_order_id for entry in entries]
    found = {order.client_order_id: order for order in Order.objects.filter(client_order_id__in=wanted)}
    return [found[client_id] for client_id in wanted]


def test_says_what_changed(world: World) -> None:
    (order,) = being_sent(world, world.entry())
    applied = apply(world, report(order, S.OPEN, venue_id="v1"))
    assert applied.statuses == {order.client_order_id: S.OPEN}
    assert apply(world, report(order, S.OPEN, venue_id="v1")).statuses == {}
    assert [s.status_to for s in order.events.all()] == ["approved", "sending", "open"]


def test_nothing_to_apply_asks_the_database_nothing(world: World, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        apply(world)


def test_refuses_an_account_it_does_not_know(world: World) -> None:
    (order,) = being_sent(world, world.entry())
    with pytest.raises(Configuration, match="account is 999"):
        reports_apply(account_id=999, reports=[report(order, S.OPEN)], now=world.clock.now())
    order.refresh_from_db()
    assert order.status == "sending"


def test_a_report_about_another_accounts_order_changes_nothing(world: World) -> None:
    (order,) = being_sent(world, world.entry())
    other = type(world.account).objects.create(
        code="other", venue=world.account.venue, portfolio=world.account.portfolio, address="0x3", currency="USDC"
    )
    applied = reports_apply(account_id=other.pk, reports=[report(order, S.CANCELLED)], now=world.clock.now())
    assert len(applied.strangers) == 1
    order.refresh_from_db()
    assert order.status == "sending"


def test_a_fill_without_an_order_is_kept_alarmed_and_later_attached(world: World) -> None:
    (order,) = being_sent(world, world.entry("2"))
    trade = replace(world.venue.trade("BTC", Side.BUY, D(2), D(100)), venue_order_id="v1")
    assert apply(world, report(None, venue_id="v1", fills=[trade])).orphans == 1
    assert Position.objects.get().strategy == UNASSIGNED
    assert AccountEvent.objects.get().kind == "orphan_fill"
    assert_books()
    assert apply(world, report(order, S.OPEN, venue_id="v1")).attached == 1
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("filled", 2)
    assert {p.strategy: (p.quantity, p.fees) for p in Position.objects.all()} == {
        UNASSIGNED: (0, 0),
        "turtle": (2, trade.fee.value),
    }
    assert Fill.objects.get().strategy == "turtle"
    assert_books()


def test_a_liquidation_belongs_to_nobody_and_raises_an_alarm(world: World) -> None:
    trade = replace(world.venue.trade("BTC", Side.SELL, D(1), D(90)), kind=FillKind.LIQUIDATION)
    apply(world, report(None, venue_id="x", fills=[trade]))
    assert AccountEvent.objects.get().kind == "foreign_fill"
    assert Position.objects.get().strategy == UNASSIGNED


def test_a_fill_in_something_unlisted_is_booked_all_the_same(world: World) -> None:
    apply(world, report(None, venue_id="x", fills=[world.venue.trade("DOGE", Side.BUY, D(5), D(1))]))
    row = InstrumentRow.objects.get(symbol="DOGE")
    assert not row.active
    assert Position.objects.get().instrument == row
    assert set(AccountEvent.objects.values_list("kind", flat=True)) == {"unknown_symbol", "orphan_fill"}
    assert_books()


def test_more_filled_than_ordered_is_booked_and_alarmed(world: World) -> None:
    (order,) = being_sent(world, world.entry("1"))
    trade = replace(world.venue.trade("BTC", Side.BUY, D("1.5"), D(100)), client_order_id=order.client_order_id)
    apply(world, report(order, S.OPEN, venue_id="v1", fills=[trade]))
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("filled", D("1.5"))
    assert AccountEvent.objects.get().kind == "overfill"
    assert_books()


def test_a_fee_in_another_currency_is_not_added_up(world: World) -> None:
    trade = replace(world.venue.trade("BTC", Side.BUY, D(1), D(100)), fee=Money(D("0.1"), "HYPE"))
    apply(world, report(None, venue_id="x", fills=[trade]))
    assert Position.objects.get().fees == 0
    assert "fee_currency" in AccountEvent.objects.values_list("kind", flat=True)


def test_a_position_is_kept_per_strategy(world: World) -> None:
    long, short = being_sent(world, world.entry("2"), world.entry("3", side=Side.SELL, strategy="maker"))
    trades = [
        replace(world.venue.trade("BTC", Side.BUY, D(2), D(100)), client_order_id=long.client_order_id),
        replace(world.venue.trade("BTC", Side.SELL, D(3), D(101)), client_order_id=short.client_order_id),
    ]
    apply(world, *[report(None, venue_id="x", fills=[t]) for t in trades])
    held = {p.strategy: (p.quantity, p.cost) for p in Position.objects.all()}
    assert held == {"turtle": (2, 200), "maker": (-3, -303)}
    assert_books()


def test_realised_profit_is_booked_on_the_fill_that_realised_it(world: World) -> None:
    buy, sell = being_sent(
        world, world.entry("2", "100"), world.entry("1", "110", side=Side.SELL, purpose=Purpose.REDUCING)
    )
    first = replace(world.venue.trade("BTC", Side.BUY, D(2), D(100)), client_order_id=buy.client_order_id)
    world.clock.advance(timedelta(seconds=1))
    second = replace(world.venue.trade("BTC", Side.SELL, D(1), D(110)), client_order_id=sell.client_order_id)
    apply(world, report(buy, fills=[first]), report(sell, fills=[second]))
    assert list(Fill.objects.order_by("pk").values_list("realised", flat=True)) == [0, 10]
    assert_books()


@dataclass(frozen=True)
class Tale:
    """The truth about one order: its fills (some name it by the venue's id only) and how it ended."""

    side: Side
    strategy: str
    quantity: int
    fills: tuple[tuple[int, int, bool], ...]
    ending: OrderStatus | None
    venue_tells_fills: bool


@st.composite
def tales(draw: st.DrawFn) -> Tale:
    fills = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(95, 105), st.booleans()), max_size=3).map(tuple))
    total = sum(size for size, _, _ in fills)
    quantity = draw(st.integers(max(1, total), total + 2))
    ending = draw(st.sampled_from([None, S.CANCELLED])) if total < quantity else S.FILLED
    return Tale(
        draw(st.sampled_from(list(Side))), draw(st.sampled_from(["turtle", "maker"])), quantity, fills, ending,
        draw(st.booleans()),
    )  # fmt: skip


def news_of(world: World, number: int, order: Order, tale: Tale) -> list[OrderReport]:
    """Return everything the venue would say of one order, each thing once and in order."""
    venue_id = f"v{number}"
    news = [report(order, S.OPEN, venue_id=venue_id, filled="0", source="send")]
    heard = 0
    for index, (size, price, anonymous) in enumerate(tale.fills):
        heard += size
        trade = world.venue.trade("BTC", tale.side, D(size), D(price))
        trade = replace(
            trade,
            venue_trade_id=f"{venue_id}-{index}",
            venue_order_id=venue_id,
            client_order_id=None if anonymous else order.client_order_id,
        )
        news.append(report(None, venue_id=venue_id, fills=[trade]))
        if heard < tale.quantity:
            news.append(report(order, S.PARTIALLY_FILLED, venue_id=venue_id, filled=str(heard)))
    if tale.ending is not None:
        told = str(heard) if tale.venue_tells_fills or tale.ending is S.FILLED else None
        news.append(report(order, tale.ending, venue_id=venue_id, filled=told))
    return news


def rows(orders: list[Order]) -> list[tuple]:
    fields = ("status", "filled_quantity", "filled_notional", "venue_order_id", "reserved", "venue_filled")
    found = {o["pk"]: o for o in Order.objects.values("pk", *fields)}
    return [tuple(found[order.pk][field] for field in fields) for order in orders]


def told(world: World, stories: list[Tale], portions_of) -> list[tuple]:
    """Tell the stories in a fresh world, in the order and portions asked for; return the final rows."""
    with transaction.atomic():
        entries = [
            world.entry(str(t.quantity), side=t.side, strategy=t.strategy, leg=f"l{n}") for n, t in enumerate(stories)
        ]
        orders = being_sent(world, *entries)
        news = [item for n, (o, t) in enumerate(zip(orders, stories, strict=True)) for item in news_of(world, n, o, t)]
        for portion in portions_of(news):
            apply(world, *portion)
            assert_books()
        result = rows(orders)
        transaction.set_rollback(True)
    return result


def length(tale: Tale) -> int:
    """Return how many things the venue says of one order."""
    heard, partial = 0, 0
    for size, _, _ in tale.fills:
        heard += size
        partial += heard < tale.quantity
    return 1 + len(tale.fills) + partial + (tale.ending is not None)


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[Tale], list[list[int]]]:
    """Some tales, and an order with repetitions, cut into portions, in which to tell them."""
    stories = draw(st.lists(tales(), min_size=1, max_size=3))
    count = sum(map(length, stories))
    order = draw(st.permutations(range(count)))
    again = draw(st.lists(st.integers(0, count - 1), max_size=3))
    cuts = draw(st.lists(st.booleans(), min_size=count + 3, max_size=count + 3))
    portions: list[list[int]] = [[]]
    for index, cut in zip([*order, *again], cuts, strict=False):
        if cut:
            portions.append([])
        portions[-1].append(index)
    return stories, portions


@pytest.mark.timeout(300)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(tellings())
def test_every_order_of_telling_ends_in_the_same_rows_and_exact_books(world: World, telling) -> None:
    stories, portions = telling
    straight = told(world, stories, lambda news: [[item] for item in news])
    assert told(world, stories, lambda news: [news, news]) == straight
    assert told(world, stories, lambda news: [[news[i] for i in portion] for portion in portions]) == straight
    for row, tale in zip(straight, stories, strict=True):
        assert row[1] == sum(size for size, _, _ in tale.fills)
        if tale.ending is not None:
            assert row[0] == tale.ending.value


def test_what_a_fill_cost_against_its_plan_is_booked_with_it_and_nothing_is_made_up(world: World) -> None:
    (order,) = being_sent(world, replace(world.entry("2"), arrival_price=D(99)))
    planned = replace(world.venue.trade("BTC", Side.BUY, D(2), D(100)), venue_order_id="v1")
    apply(world, report(order, S.FILLED, venue_id="v1", fills=[planned]))
    apply(world, report(None, venue_id="x", fills=[world.venue.trade("BTC", Side.SELL, D(1), D(90))]))
    assert list(Fill.objects.order_by("pk").values_list("slippage", flat=True)) == [2, None]
    assert dict(Position.objects.values_list("strategy", "slippage")) == {"turtle": 2, UNASSIGNED: 0}


def test_an_orphan_that_finds_its_order_gets_the_slippage_of_its_plan(world: World) -> None:
    (order,) = being_sent(world, replace(world.entry("2"), arrival_price=D("100.5")))
    trade = replace(world.venue.trade("BTC", Side.BUY, D(2), D(100)), venue_order_id="v1")
    apply(world, report(None, venue_id="v1", fills=[trade]))
    apply(world, report(order, S.OPEN, venue_id="v1"))
    assert Fill.objects.get().slippage == -1
    assert dict(Position.objects.values_list("strategy", "slippage")) == {"turtle": -1, UNASSIGNED: 0}
