"""What PostgreSQL writes is what the schemas say: every column, and every value as its model tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pytest

from apps.exchanges.models import Fill, Order, OrderEvent, Position, TradingState
from apps.monitor.api.accounts.lines import FILLS, POSITIONS, about
from apps.monitor.api.accounts.schemas import FillTold, PositionTold
from apps.monitor.api.orders.lines import order_whole, orders_page
from apps.monitor.api.orders.schemas import OrderFilter, OrderTold, OrderWhole, order_told
from apps.monitor.api.paging import Page
from apps.monitor.api.strategies.lines import strategies_page
from apps.monitor.api.strategies.schemas import StrategyPage, strategy_told
from apps.strategies.admin.overview import overviews
from apps.strategies.models import StrategyRow, Tick
from tests.integration.api_world import order_row, small_world

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
D = Decimal
ON_THE_SECOND = datetime(2026, 11, 26, 12, tzinfo=UTC)
ODD = [
    {},
    {
        "quantity": D("0.000000000001"),
        "price": D("123456789012345678"),
        "reason": 'a "quote"\n\\ \u2028 é \U0001f680 %s',
    },
    {"quantity": D(3000), "filled_quantity": D(3), "filled_notional": D(100), "status": "partially_filled"},
    {"quantity": D(8), "filled_quantity": D(8), "filled_notional": D("0.000000000001"), "status": "filled"},
    {"trigger_price": D("99.50"), "created_at": ON_THE_SECOND, "sent_at": None, "acknowledged_at": None},
    {"status": "refused", "closed_at": ON_THE_SECOND + timedelta(microseconds=10), "refusal_code": "MAX"},
]


@dataclass
class Written:
    """A small world, and orders with what amounts, texts and moments may be."""

    orders: list[Order]
    strategy: StrategyRow


@pytest.fixture
def written():
    world = small_world()
    now = ON_THE_SECOND + timedelta(microseconds=120)
    orders = [order_row(world.account, world.btc, "turtle", now, **odd) for odd in ODD]
    return Written([world.order, *orders], world.strategy)


def test_an_order_in_a_list_is_what_its_model_tells(written):
    text = orders_page(OrderFilter()).body
    page = Page[OrderTold].model_validate_json(text)
    newest_first = sorted(written.orders, key=lambda order: -order.pk)
    found = [Order.objects.get(pk=order.pk) for order in newest_first]
    assert [one.model_dump_json() for one in page.items] == [order_told(row).model_dump_json() for row in found]
    # Also as text: a client that compares sees no difference between a list and one order's answer.
    lines = {line["id"]: line for line in orjson.loads(text)["items"]}
    for row in found:
        assert lines[row.pk] == orjson.loads(order_told(row).model_dump_json())


def test_pages_go_on_where_the_one_before_ended_whatever_is_asked(written):
    ids = sorted((order.pk for order in written.orders), reverse=True)
    by_time = sorted(written.orders, key=lambda order: (order.created_at, order.pk), reverse=True)
    assert walked({}) == ids
    assert walked({"strategy": "turtle"}) == [order.pk for order in by_time]
    assert walked({"strategy": "turtle", "before": ids[0] + 1_000}) == [order.pk for order in by_time]
    assert walked({"strategy": "others"}) == walked({"account": "none"}) == walked({"instrument": "x:BTC"}) == []
    assert walked({"instrument": "hyperliquid:BTC", "account": "paper-1"}) == ids
    resting = [order.pk for order in written.orders if order.status in {"open", "partially_filled"}]
    assert walked({"live": True}) == sorted(resting, reverse=True)
    assert walked({"live": False}) == [pk for pk in ids if pk not in resting]
    assert walked({"status": "filled"}) == [written.orders[4].pk]
    assert len(walked({"since": ON_THE_SECOND, "until": ON_THE_SECOND + timedelta(microseconds=1)})) == 1


def walked(asked):
    """Return the ids of all pages of two."""
    found, before = [], asked.get("before")
    for _ in range(20):
        page = orjson.loads(orders_page(OrderFilter(**asked | {"before": before, "limit": 2})).body)
        found += [one["id"] for one in page["items"]]
        before = page["next_before"]
        if before is None:
            return found
    raise AssertionError("the pages have no end")


def test_one_orders_life_has_its_tick_its_steps_its_fills_and_its_stages(written):
    order = written.orders[0]
    due = order.created_at - timedelta(milliseconds=500)
    tick = Tick.objects.create(strategy=written.strategy, trigger="bar", event="1", due_at=due, deadline=due)
    Order.objects.filter(pk=order.pk).update(tick_id=str(tick.pk))
    whole = OrderWhole.model_validate_json(order_whole(order.pk))
    assert set(orjson.loads(order_whole(order.pk))) == set(OrderWhole.model_fields)
    steps = [(step.status_to, step.detail, step.at) for step in whole.steps]
    assert steps == list(OrderEvent.objects.filter(order=order).values_list("status_to", "detail", "at"))
    assert whole.steps[0].ms == 0
    (fill,) = whole.fills
    assert (fill.venue_trade_id, fill.price, fill.order_id) == ("1", D(1000), order.pk)
    assert whole.stages_ms["due_to_row"] == 500
    assert whole.stages_ms["row_to_sent"] == 30
    by_hand = order_whole(written.orders[1].pk)
    assert orjson.loads(by_hand)["fills"] == []
    assert order_whole(order.pk + 10**9) is None


def test_fills_and_positions_have_what_their_schemas_say(written):
    for lines, order, schema, model in ((FILLS, "f.id", FillTold, Fill), (POSITIONS, "p.id", PositionTold, Position)):
        ((key, text),) = about(lines, account="paper-1", strategy="turtle", instrument="hyperliquid:BTC").read(order, 5)
        told, row = schema.model_validate_json(text), model.objects.get()
        assert key == told.id == row.pk
        assert set(orjson.loads(text)) == set(schema.model_fields)
        for name in set(schema.model_fields) - {"account", "instrument"}:
            assert getattr(told, name) == getattr(row, name), name
        assert (told.account, told.instrument) == ("paper-1", "hyperliquid:BTC")


def test_a_strategy_in_a_list_is_what_its_model_tells(written):
    row = written.strategy
    StrategyRow.objects.create(slug="idle", kind="market_maker", account=row.account, capital=1)
    StrategyRow.objects.create(
        slug="waits", kind="market_maker", account=row.account, capital=D("1.50"), enabled=True, paused_reason="news"
    )
    TradingState.objects.create(scope_kind="strategy", scope_key="turtle", mode="halted", changed_at=ON_THE_SECOND)
    Position.objects.update(realised=D("10.005"), fees=D("2.5"), funding=D("0.25"))
    for number in range(2):
        Tick.objects.create(
            strategy=row, trigger="bar", event=str(number), status="done", due_at=ON_THE_SECOND, deadline=ON_THE_SECOND,
            placed=2, refused=1, decide_ms=1.5, report={"refusals": [{"code": "MAX"}], "notes": ["breakout"]},
        )  # fmt: skip
    page = StrategyPage.model_validate_json(listed().body)
    rows = list(StrategyRow.objects.select_related("account").order_by("slug"))
    seen = overviews(rows)
    assert [one.model_dump() for one in page.items] == [strategy_told(row, seen[row.pk]).model_dump() for row in rows]
    assert page.items[1].last_tick.outcome == "2 placed, 1 refused (MAX)"
    assert [one["slug"] for one in orjson.loads(listed(state="paused").body)["items"]] == ["waits"]
    first = orjson.loads(listed(limit=1).body)
    assert first["next_after"] == "idle"
    assert [one["slug"] for one in orjson.loads(listed(after="idle").body)["items"]] == ["turtle", "waits"]
    assert orjson.loads(listed(account="none").body) == {"items": [], "next_after": None}


def listed(**asked):
    return strategies_page(**{"state": None, "kind": None, "account": None, "after": None, "limit": 50} | asked)
