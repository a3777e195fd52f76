"""A strategy whose own instruments lie at two venues: each leg on the account of its venue, judged by what is there."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.market_data.cache import Wanted
from apps.exchanges.models import Account, InstrumentRow, Order, Position, TradingMode, TradingState
from apps.exchanges.ports import MarkUpdate
from apps.strategies.models import Routing, StrategyInstrument
from apps.strategies.services import StandIn, stand_ins_set, strategy_create, strategy_enable
from moondev.domain.errors import InvalidValue
from tests.integration.test_routing import placed, second_venue, tick
from tests.integration.tick_world import NOW, World, own_redis, register

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(monkeypatch, transactional_db):
    monkeypatch.setattr("apps.strategies.orchestrator.record.wake_accounts", lambda _: None)
    register(monkeypatch)
    client = own_redis()
    yield World(client, symbols=("BTC",))
    client.close()


def two_venues(world, *, quote: str = "USDC", enable: bool = True):
    account, instrument = second_venue(world, quote=quote)
    row = strategy_create(
        slug="arb",
        kind="scripted",
        parameters={"behaviour": "legs", "weight": 0.5},
        account=world.account,
        accounts_abroad=[account],
        instruments=[world.instruments["BTC"], instrument],
        actor="test",
        now=NOW,
        capital=Decimal(10_000),
        cadence_seconds=60,
    )
    return strategy_enable(row.pk, actor="test", now=NOW) if enable else row


def test_each_leg_is_placed_on_the_account_of_its_venue(world) -> None:
    row = two_venues(world)
    tick(world, row)
    assert placed() == [("hyperliquid:BTC", "paper-1", "buy"), ("dydx:BTC-USD", "paper-dydx", "buy")]
    owned = StrategyInstrument.objects.filter(strategy=row, exclusive=True).values_list("account__code", flat=True)
    assert sorted(owned) == ["paper-1", "paper-dydx"]


def test_while_an_account_abroad_is_halted_neither_leg_is_opened(world) -> None:
    row = two_venues(world)
    TradingState.objects.filter(scope_key="paper-dydx").update(mode=TradingMode.HALTED)
    report = tick(world, row)
    assert placed() == []
    assert {refusal["code"] for refusal in report["refusals"]} == {"TRADING_HALTED", "LEG_REFUSED"}


def test_legs_that_one_venue_does_not_fill_in_time_are_cancelled_or_closed_at_the_other(world) -> None:
    row = two_venues(world)
    tick(world, row)
    home, abroad = Order.objects.filter(status="approved").order_by("pk")
    Order.objects.filter(pk=home.pk).update(status="filled", filled_quantity=home.quantity)
    Order.objects.filter(pk=abroad.pk).update(status="rejected")
    Position.objects.create(
        account=home.account, strategy="arb", instrument=home.instrument, quantity=home.quantity,
        cost=home.quantity * 50_000, updated_at=NOW,
    )  # fmt: skip
    report = tick(world, row)
    assert placed() == [("hyperliquid:BTC", "paper-1", "sell")]
    assert any("legs undone: dydx:BTC-USD" in note for note in report["notes"])


def test_other_money_another_portfolio_and_idle_or_missing_accounts_are_refused(world) -> None:
    with pytest.raises(InvalidValue, match="other money is not converted"):
        two_venues(world, quote="USDT", enable=False)
    account, dydx = account_and_instrument(world)
    btc = world.instruments["BTC"]
    common = {"kind": "scripted", "parameters": {}, "account": world.account, "actor": "test", "now": NOW}
    with pytest.raises(InvalidValue, match="an instrument of hyperliquid, as the account"):
        strategy_create(slug="a1", instruments=[btc, dydx], capital=Decimal(1), **common)
    with pytest.raises(InvalidValue, match="traded on"):
        strategy_create(slug="a2", instruments=[btc], accounts_abroad=[account], capital=Decimal(1), **common)
    with pytest.raises(InvalidValue, match="one account at hyperliquid"):
        strategy_create(slug="a3", instruments=[btc], accounts_abroad=[world.account], capital=Decimal(1), **common)
    account.enabled = False
    with pytest.raises(InvalidValue, match="an enabled account of portfolio"):
        strategy_create(slug="a4", instruments=[btc, dydx], accounts_abroad=[account], capital=Decimal(1), **common)
    assert not Order.objects.exists()


def account_and_instrument(world):
    account = Account.objects.get(code="paper-dydx")
    Account.objects.filter(pk=account.pk).update(currency="USDC")
    InstrumentRow.objects.filter(venue="dydx").update(quote="USDC")
    account.refresh_from_db()
    return account, InstrumentRow.objects.get(venue="dydx")


def test_an_instrument_abroad_has_no_stand_ins(world) -> None:
    row = two_venues(world, enable=False)
    abroad = InstrumentRow.objects.get(venue="dydx")
    stand_in = StandIn(abroad, world.instruments["BTC"], world.account)
    with pytest.raises(InvalidValue, match="on its own account"):
        stand_ins_set(row.pk, stand_ins=[stand_in], routing=Routing.FAILOVER, actor="test", now=NOW)


def test_the_venues_funding_rate_reaches_the_view(world) -> None:
    now = world.clock.now()
    world.writer.state("hyperliquid:BTC").take_mark(MarkUpdate("BTC", 50_000.0, 50_000.0, 0.0000125, now))
    world.writer.flush()
    seen = world.cache.views({"hyperliquid:BTC": Wanted()}, now + timedelta(seconds=1))["hyperliquid:BTC"]
    assert seen.funding_rate == 0.0000125
