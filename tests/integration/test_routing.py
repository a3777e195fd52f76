"""A strategy whose venue falls silent: its new risk goes to the stand-in, its position stays where it is."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.models import (
    Account,
    EquityMark,
    InstrumentRow,
    Order,
    Position,
    ScopeKind,
    TradingMode,
    TradingState,
    Venue,
)
from apps.exchanges.ports import BookUpdate
from apps.strategies.models import Routing, StrategyInstrument, Tick
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import due_by_cadence
from apps.strategies.orchestrator.tick import run_ticks
from apps.strategies.orchestrator.venues import Troubled
from apps.strategies.services import StandIn, stand_ins_set, strategy_disable, strategy_enable
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book, BookLevel
from tests.integration.tick_world import NOW, World, own_redis, register

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
D = Decimal


@pytest.fixture
def world(monkeypatch, transactional_db):
    # Which queues exist is settled when the process starts; these tests are about rows.
    monkeypatch.setattr("apps.strategies.orchestrator.record.wake_accounts", lambda _: None)
    register(monkeypatch)
    client = own_redis()
    yield World(client, symbols=("BTC",))
    client.close()


@pytest.fixture
def elsewhere(world) -> tuple[Account, InstrumentRow]:
    return second_venue(world)


def second_venue(world, *, quote: str = "USDC") -> tuple[Account, InstrumentRow]:
    venue = Venue.objects.create(
        code="dydx", protocol="dydx", environment="paper", rest_url="http://localhost:8001/dydx",
        websocket_url="ws://localhost:8001/dydx/v4/ws",
    )  # fmt: skip
    account = Account.objects.create(
        code="paper-dydx", venue=venue, portfolio=world.account.portfolio, address="dydx1x", currency=quote
    )
    TradingState.objects.create(
        scope_kind=ScopeKind.ACCOUNT, scope_key=account.code, mode=TradingMode.ACTIVE, changed_at=NOW
    )
    row = InstrumentRow.objects.create(
        venue=venue, symbol="BTC-USD", asset="BTC", quote=quote, tick=D(1), lot=D("0.0001"), min_notional=D(1),
        max_leverage=20,
    )  # fmt: skip
    return account, row


def routed_strategy(world, elsewhere, routing=Routing.FAILOVER, **more):
    row = world.strategy("s1", "BTC", enable=False, **more)
    account, instrument = elsewhere
    stand_in = StandIn(world.instruments["BTC"], instrument, account)
    stand_ins_set(row.pk, stand_ins=[stand_in], routing=routing, actor="test", now=NOW)
    return strategy_enable(row.pk, actor="test", now=NOW)


def tick(world, row, *down: str):
    """Run one tick a minute later as if `down` did not answer; return its report."""
    world.clock.advance(timedelta(seconds=60))
    world.mark_equity()
    mark(Account.objects.get(code="paper-dydx"), world)
    world.book("BTC", 50_000.0)
    stand_in_book(world)
    dispatch(due_by_cadence(60, world.clock.now()), world.clock)
    due = Tick.objects.latest("pk")
    run_ticks([due.pk], "worker", clock=world.clock, cache=world.cache, health=lambda _: Troubled(frozenset(down)))
    due.refresh_from_db()
    assert due.status == "done", due.error
    return due.report


def mark(account, world) -> None:
    EquityMark.objects.create(
        account=account, taken_at=world.clock.now(), venue_equity=100_000, unrealised=0, margin_used=0
    )


def stand_in_book(world) -> None:
    now = world.clock.now()
    book = Book((BookLevel(50_009.0, 5.0),), (BookLevel(50_011.0, 5.0),), now, now)
    world.writer.state("dydx:BTC-USD").take_book(BookUpdate("BTC-USD", book))
    world.writer.flush()


def placed() -> list[tuple[str, str, str]]:
    rows = Order.objects.filter(status="approved").order_by("pk")
    return [(order.instrument.key, order.account.code, order.side) for order in rows]


def test_with_both_venues_up_the_order_goes_home(world, elsewhere) -> None:
    row = routed_strategy(world, elsewhere)
    tick(world, row)
    assert placed() == [("hyperliquid:BTC", "paper-1", "buy")]


def test_with_home_down_the_order_goes_to_the_stand_in_on_its_own_account(world, elsewhere) -> None:
    row = routed_strategy(world, elsewhere)
    report = tick(world, row, "hyperliquid")
    assert placed() == [("dydx:BTC-USD", "paper-dydx", "buy")]
    assert any("new risk goes to dydx:BTC-USD" in note for note in report["notes"])


def test_a_strategy_without_stand_ins_never_trades_on_another_account(world) -> None:
    row = world.strategy("s1", "BTC")
    second_venue(world)
    tick(world, row, "hyperliquid")
    assert [key for key, _, _ in placed()] == ["hyperliquid:BTC"]


def test_only_what_is_missing_is_opened_elsewhere_and_the_position_is_left_where_it_is(world, elsewhere) -> None:
    row = routed_strategy(world, elsewhere, weight=0.5)
    Position.objects.create(
        account=world.account, strategy="s1", instrument=world.instruments["BTC"], quantity=D("0.04"),
        cost=D(2_000), updated_at=NOW,
    )  # fmt: skip
    tick(world, row, "hyperliquid")
    assert placed() == [("dydx:BTC-USD", "paper-dydx", "buy")]
    order = Order.objects.get(status="approved")
    assert D("0.055") < order.quantity <= D("0.06")


def test_an_exit_goes_to_the_venue_that_holds_the_position_though_it_is_down(world, elsewhere) -> None:
    row = routed_strategy(world, elsewhere, weight=0.0)
    Position.objects.create(
        account=world.account, strategy="s1", instrument=world.instruments["BTC"], quantity=D("0.04"),
        cost=D(2_000), updated_at=NOW,
    )  # fmt: skip
    tick(world, row, "hyperliquid")
    assert placed() == [("hyperliquid:BTC", "paper-1", "sell")]
    assert Order.objects.get(status="approved").purpose == "reducing"


def test_back_home_what_was_opened_elsewhere_counts_and_nothing_is_opened_twice(world, elsewhere) -> None:
    row = routed_strategy(world, elsewhere)
    tick(world, row, "hyperliquid")
    order = Order.objects.get(status="approved")
    Order.objects.filter(pk=order.pk).update(status="filled", filled_quantity=order.quantity)
    Position.objects.create(
        account=order.account, strategy="s1", instrument=order.instrument, quantity=order.quantity,
        cost=order.quantity * 50_000, updated_at=NOW,
    )  # fmt: skip
    tick(world, row)
    assert placed() == []


def test_a_halted_account_elsewhere_gets_no_order_and_the_refusal_says_why(world, elsewhere) -> None:
    row = routed_strategy(world, elsewhere)
    TradingState.objects.filter(scope_key="paper-dydx").update(mode=TradingMode.HALTED)
    report = tick(world, row, "hyperliquid")
    assert placed() == []
    assert [refusal["code"] for refusal in report["refusals"]]


def test_the_limit_on_an_asset_binds_over_all_venues_together(world, elsewhere) -> None:
    row = routed_strategy(world, elsewhere, capital=D(100_000), weight=0.9)
    tick(world, row, "hyperliquid")
    worth = sum(order.quantity * order.price for order in Order.objects.filter(status="approved"))
    assert worth <= D("0.1") * 200_000


def test_a_stand_in_must_be_the_same_thing_in_the_same_currency_and_portfolio(world) -> None:
    row = world.strategy("s1", "BTC", enable=False)
    account, instrument = second_venue(world, quote="USDT")
    with pytest.raises(InvalidValue, match="BTC quoted in USDC"):
        stand_ins_set(
            row.pk, stand_ins=[StandIn(world.instruments["BTC"], instrument, account)], routing=Routing.FAILOVER,
            actor="test", now=NOW,
        )  # fmt: skip
    assert StrategyInstrument.objects.filter(strategy=row).count() == 1


def test_no_second_strategy_gets_the_stand_in_while_it_is_owned(world, elsewhere) -> None:
    routed_strategy(world, elsewhere)
    account, instrument = elsewhere
    eth = world._instrument("ETH")
    world.instruments["ETH"] = eth
    other = world.strategy("s2", "ETH", enable=False)
    dydx_eth = InstrumentRow.objects.create(
        venue=instrument.venue, symbol="ETH-USD", asset="ETH", quote="USDC", tick=D(1), lot=D("0.001"),
        min_notional=D(1), max_leverage=20,
    )  # fmt: skip
    stand_ins_set(other.pk, stand_ins=[StandIn(eth, dydx_eth, account)], routing=Routing.CHEAPEST, actor="t", now=NOW)
    StrategyInstrument.objects.filter(strategy=other, instrument=dydx_eth).update(instrument=instrument)
    with pytest.raises(InvalidValue, match="s1 does"):
        strategy_enable(other.pk, actor="test", now=NOW)


def test_stand_ins_change_only_while_the_strategy_is_disabled(world, elsewhere) -> None:
    row = routed_strategy(world, elsewhere)
    with pytest.raises(InvalidValue, match="disabled"):
        stand_ins_set(row.pk, stand_ins=[], routing=Routing.HOME, actor="test", now=NOW)
    strategy_disable(row.pk, actor="test", now=NOW, clock=world.clock)
    stand_ins_set(row.pk, stand_ins=[], routing=Routing.HOME, actor="test", now=NOW)
    assert not StrategyInstrument.objects.exclude(stands_in_for=None).exists()
