"""Orders by hand, positions taken over and given back: every limit binds a person, every deed has a name."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from apps.exchanges.market_data.cache import NEVER_HEARD
from apps.exchanges.models import (
    Account,
    Order,
    OrderCommand,
    OrderEvent,
    Position,
    ScopeKind,
    TradingMode,
    TradingState,
)
from apps.risk.services import limit_set
from apps.strategies.by_hand import cancelling, placing, taking
from apps.strategies.by_hand.placing import Ticket, order_place
from apps.strategies.models import Desk, StrategyEvent, StrategyInstrument, StrategyRow
from moondev.domain.clock import FixedClock
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import InstrumentView
from moondev.domain.values import Price, Quantity, Side
from tests.integration.limits_world import NOW, paper_account, three_instruments

pytestmark = pytest.mark.django_db
D = Decimal
CLOCK = FixedClock(NOW)
OWNER = "hand-paper-1"


class Market:
    """A market in which everything costs 1,000."""

    def views(self, wanted, now):
        return {
            key: InstrumentView({}, None, 1000.0, timedelta(seconds=1), 0.0, timedelta(seconds=1)) for key in wanted
        }


class Silence:
    """A market that nobody hears."""

    def views(self, wanted, now):
        return dict.fromkeys(wanted, NEVER_HEARD)


@pytest.fixture
def account():
    return paper_account()


@pytest.fixture
def btc(account):
    return three_instruments(account)["BTC"]


@pytest.fixture
def desk(account):
    return Desk.objects.create(account=account, capital=50_000)


@pytest.fixture
def quiet(monkeypatch):
    """Remember whose sender is woken instead of telling it."""
    woken: list[int] = []
    for module in (placing, cancelling):
        monkeypatch.setattr(module, "wake_accounts", woken.extend)
    monkeypatch.setattr("apps.strategies.orchestrator.withdraw.wake_accounts", woken.extend)
    return woken


@pytest.fixture
def turtle(account, btc):
    row = StrategyRow.objects.create(slug="turtle", kind="turtle_trend", account=account, capital=1, enabled=True)
    StrategyInstrument.objects.create(strategy=row, instrument=btc, account=account, exclusive=True)
    return row


def ticket(quantity="1", side=Side.BUY, price="990", **changed):
    given = {"client_order_id": uuid4(), "side": side, "quantity": Quantity(D(quantity))}
    return Ticket(**given | {"price": None if price is None else Price(D(price))} | changed)


def place(one, btc, account, market=None, reason="hedge"):
    return order_place(
        one, account=account, instrument=btc, reason=reason, actor="ana", clock=CLOCK, cache=market or Market()
    )


def hold(account, btc, owner, quantity):
    amounts = {"quantity": D(quantity), "cost": D(quantity) * 1000, "opened_at": NOW, "updated_at": NOW}
    return Position.objects.create(account=account, instrument=btc, strategy=owner, **amounts)


def held(owner):
    return sum(Position.objects.filter(strategy=owner).values_list("quantity", flat=True), D(0))


def order_of(account, btc, strategy, **changed):
    given = {
        "client_order_id": uuid4(), "side": "sell", "order_type": "limit", "time_in_force": "gtc", "quantity": D(1),
        "price": D(1010), "status": "open", "purpose": "opening", "valid_until": NOW, "created_at": NOW,
        "updated_at": NOW, "venue_order_id": str(UUID(int=1)), "tick_id": "1",
    }  # fmt: skip
    return Order.objects.create(account=account, instrument=btc, strategy=strategy, **given | changed)


def test_an_order_by_hand_goes_the_way_of_every_other(account, btc, desk, quiet):
    asked = ticket(stop=Price(D(900)))
    [order] = place(asked, btc, account)
    assert (order.status, order.strategy, order.tick_id) == ("approved", OWNER, "hand")
    assert order.reserved == 990
    assert order.stop_price == 900
    assert quiet == [account.pk]
    assert OrderEvent.objects.get().source == "hand"
    assert StrategyEvent.objects.get().message == "by ana: hedge: buy 1 hyperliquid:BTC approved"
    # Asked again it is the same order, whatever has come of it.
    Order.objects.update(status="filled")
    assert [one.pk for one in place(asked, btc, account)] == [order.pk]
    assert Order.objects.get().status == "filled"


def test_at_the_market_it_names_the_worst_price(account, btc, desk, quiet):
    [buy] = place(ticket(price=None), btc, account)
    assert (buy.order_type, buy.time_in_force, buy.price) == ("market", "ioc", D("1005"))
    with pytest.raises(InvalidValue, match="nobody hears the market"):
        place(ticket(price=None), btc, account, Silence())


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"quantity": "30", "price": "1000"}, "NOTIONAL_EXCEEDS_MAXIMUM"),
        ({"price": "1100"}, "PRICE_OUTSIDE_BAND"),
        ({"quantity": "0.0001"}, "QUANTITY_BELOW_LOT"),
        ({"quantity": "11", "price": "1000"}, "ASSET_EXPOSURE_EXCEEDED"),
    ],
)
def test_limits_bind_a_person(account, btc, desk, quiet, changed, code):
    [order] = place(ticket(**changed), btc, account)
    assert (order.status, order.refusal_code, order.reserved) == ("refused", code, 0)
    assert quiet == []


def test_a_halt_a_stale_market_and_an_order_of_ours_refuse(account, btc, desk, quiet):
    assert place(ticket(), btc, account, Silence())[0].refusal_code == "DATA_MISSING"
    order_of(account, btc, "turtle", price=D(995))
    assert place(ticket(price="996"), btc, account)[0].refusal_code == "SELF_TRADE"
    TradingState.objects.filter(scope_kind=ScopeKind.ACCOUNT).update(mode=TradingMode.HALTED)
    assert place(ticket(), btc, account)[0].refusal_code == "TRADING_HALTED"
    assert quiet == []


def test_without_a_desk_only_exits_pass(account, btc, quiet):
    assert place(ticket(), btc, account)[0].refusal_code == "STAGE_FORBIDS"
    hold(account, btc, OWNER, 2)
    [order] = place(ticket("2", Side.SELL, "1000"), btc, account)
    assert (order.status, order.purpose) == ("approved", "reducing")


def test_what_cannot_be_asked_is_refused_before_anything_is_written(account, btc, desk, turtle, quiet):
    with pytest.raises(InvalidValue, match="turtle does"):
        place(ticket(), btc, account)
    with pytest.raises(InvalidValue, match="reason"):
        place(ticket(), btc, account, reason=" ")
    turtle.delete()
    other = Account.objects.create(
        code="paper-2", venue=account.venue, portfolio=account.portfolio, address="0x2", currency="USDC", enabled=False
    )
    with pytest.raises(InvalidValue, match="an enabled account"):
        place(ticket(), btc, other)
    assert not Order.objects.exists()
    assert not StrategyEvent.objects.exists()


def test_an_order_is_cancelled_once_and_one_that_has_ended_not_at_all(account, btc, quiet):
    order = order_of(account, btc, "turtle")
    for _ in range(2):
        cancelling.order_cancel(order.pk, reason="wrong price", actor="ana", clock=CLOCK)
    command = OrderCommand.objects.get()
    assert (command.kind, command.reason) == ("cancel", "by ana: wrong price")
    unsent = order_of(account, btc, "turtle", status="approved")
    assert cancelling.order_cancel(unsent.pk, reason="no", actor="ana", clock=CLOCK).status == "cancelled"
    with pytest.raises(InvalidValue, match="has not ended"):
        cancelling.order_cancel(unsent.pk, reason="no", actor="ana", clock=CLOCK)
    with pytest.raises(InvalidValue, match="reason"):
        cancelling.order_cancel(order.pk, reason="", actor="ana", clock=CLOCK)


def test_a_position_is_taken_over_with_its_stops_and_given_back(account, btc, turtle, quiet):
    hold(account, btc, "turtle", 2)
    stop = order_of(account, btc, "turtle", purpose="protective", order_type="stop", trigger_price=D(900))
    entry = order_of(account, btc, "turtle", side="buy", price=D(980))
    taking.position_take(strategy="turtle", instrument=btc, reason="news", actor="ana", now=NOW, clock=CLOCK)
    assert (held("turtle"), held(OWNER)) == (0, 2)
    stop.refresh_from_db()
    assert stop.strategy == OWNER
    assert OrderCommand.objects.get().order == entry
    turtle.refresh_from_db()
    assert turtle.paused_reason == "taken over by ana: news"
    # The person may get out of it, and the strategy may not trade meanwhile.
    [exit_] = place(ticket("1", Side.SELL, "1000"), btc, account)
    assert (exit_.status, exit_.purpose) == ("approved", "reducing")
    with pytest.raises(InvalidValue, match="holds something"):
        taking.position_take(strategy="turtle", instrument=btc, reason="x", actor="ana", now=NOW, clock=CLOCK)
    taking.position_return(strategy="turtle", instrument=btc, reason="over", actor="ana", now=NOW)
    assert (held("turtle"), held(OWNER)) == (2, 0)
    stop.refresh_from_db()
    turtle.refresh_from_db()
    assert (stop.strategy, turtle.paused_reason) == ("turtle", "")
    messages = StrategyEvent.objects.filter(kind="position by hand").values_list("message", flat=True)
    assert list(messages) == ["by ana: hyperliquid:BTC given back: over", "by ana: hyperliquid:BTC taken over: news"]


def test_what_nobody_holds_cannot_be_taken(account, btc, turtle, quiet):
    for strategy, words in (("turtle", "holds something"), ("hare", "the name of a strategy")):
        with pytest.raises(InvalidValue, match=words):
            taking.position_take(strategy=strategy, instrument=btc, reason="x", actor="ana", now=NOW, clock=CLOCK)
    turtle.refresh_from_db()
    assert turtle.paused_reason == ""
    with pytest.raises(InvalidValue, match="an owner for a position"):
        taking.position_return(strategy="turtle", instrument=btc, reason="x", actor="ana", now=NOW)


def test_a_limit_of_the_desk_binds_its_orders(account, btc, desk, quiet):
    limit_set(kind="max_order_notional", scope_kind="strategy", scope_key=OWNER, value=D(500), actor="risk", now=NOW)
    assert place(ticket(), btc, account)[0].refusal_code == "NOTIONAL_EXCEEDS_MAXIMUM"
