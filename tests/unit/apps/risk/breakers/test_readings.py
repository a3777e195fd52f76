"""What breakers read, and that what cannot be read is None."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from apps.exchanges.models import (
    Account,
    AccountEvent,
    EquityMark,
    InstrumentRow,
    Order,
    OrderEvent,
    Position,
    Transfer,
)
from apps.risk.breakers.load import HostLoad, Look
from apps.risk.breakers.readings import (
    credential_alarms,
    day_losses,
    drawdowns,
    host_load,
    position_ages,
    venue_quality,
    venues_down,
)
from apps.risk.breakers.silence import Silence
from apps.risk.limits import read_limits
from apps.risk.models import Allocation, LimitKind, Metric
from apps.risk.portfolio.drawdown import Mark
from apps.risk.portfolio.strategy_equity import Watched
from apps.risk.services import limit_set
from moondev.domain.clock import FixedClock
from moondev.domain.errors import InvalidValue
from tests.unit.apps.risk.breakers.conftest import NOW

D = Decimal
PORTFOLIO = ("portfolio", "paper")
MINUTES = timedelta(minutes=1)


def worth(account, equity, before=timedelta(0)):
    EquityMark.objects.create(account=account, taken_at=NOW - before, venue_equity=equity, unrealised=0, margin_used=0)


def order(account, status="filled", took_ms=100, ago=MINUTES):
    sent = NOW - ago
    instrument = InstrumentRow.objects.get()
    made = Order.objects.create(
        account=account, instrument=instrument, strategy="turtle", tick_id="1", client_order_id=uuid4(), side="buy",
        order_type="limit", time_in_force="gtc", purpose="opening", quantity=1, price=1, status=status,
        valid_until=NOW, created_at=sent, sent_at=sent, updated_at=sent,
        acknowledged_at=None if took_ms is None else sent + timedelta(milliseconds=took_ms),
    )  # fmt: skip
    if status == "unknown":
        OrderEvent.objects.create(order=made, at=sent, source="sender", status_from="sending", status_to="unknown")


def test_a_days_loss_is_measured_from_midnight_without_money_that_moved(account):
    worth(account, 90_000, before=13 * 60 * MINUTES)
    worth(account, 100_000, before=11 * 60 * MINUTES)
    Transfer.objects.create(account=account, amount=100_000, at=NOW - timedelta(days=9), reference="began")
    Transfer.objects.create(account=account, amount=-20_000, at=NOW - MINUTES, reference="out")
    worth(account, 76_000)
    assert day_losses(NOW) == {PORTFOLIO: D("0.04")}


def test_a_gain_is_below_zero_and_an_account_out_of_sight_makes_the_loss_unknown(account):
    worth(account, 100_000, before=60 * MINUTES)
    worth(account, 101_000)
    assert day_losses(NOW) == {PORTFOLIO: D("-0.01")}
    Account.objects.create(
        code="paper-2", venue=account.venue, portfolio=account.portfolio, address="0x2", currency="USDC"
    )
    assert day_losses(NOW) == {PORTFOLIO: None}


def test_an_old_mark_or_another_currency_is_not_known(account):
    worth(account, 100_000, before=10 * MINUTES)
    assert day_losses(NOW) == {PORTFOLIO: None}
    worth(account, 50_000)
    Account.objects.update(currency="USDT")
    assert day_losses(NOW) == {PORTFOLIO: None}


def test_drawdowns_are_of_their_own_kind_and_fresh(account):
    marks = {
        ("strategy", "turtle"): Mark(D(100), D(80), D(100), NOW),
        ("strategy", "old"): Mark(D(100), D(80), D(100), NOW, fresh=False),
        PORTFOLIO: Mark(D(100), D(90), D(100), NOW),
    }
    strategies = {("strategy", "turtle"): D("0.2"), ("strategy", "old"): None}
    assert drawdowns(Metric.STRATEGY_DRAWDOWN, marks) == strategies
    assert drawdowns(Metric.PORTFOLIO_DRAWDOWN, marks) == {PORTFOLIO: D("0.1")}


def test_a_venues_latency_and_errors_are_those_of_its_orders_in_the_window(account):
    for number in range(20):
        order(account, took_ms=100 + 100 * number, status="unknown" if number < 2 else "rejected")
    order(account, took_ms=90_000, status="unknown", ago=20 * MINUTES)
    venue = ("venue", "hyperliquid")
    assert venue_quality(Metric.ORDER_LATENCY, 5 * MINUTES, NOW)[venue] == pytest.approx(D("1905"))
    assert venue_quality(Metric.ERROR_RATE, 5 * MINUTES, NOW)[venue] == D("0.1")


def test_a_few_orders_say_nothing_about_a_venue(account):
    for _ in range(19):
        order(account, status="unknown", took_ms=None)
    assert venue_quality(Metric.ERROR_RATE, 5 * MINUTES, NOW) == {("venue", "hyperliquid"): None}
    order(account, status="unknown", took_ms=None)
    assert venue_quality(Metric.ERROR_RATE, 5 * MINUTES, NOW) == {("venue", "hyperliquid"): D(1)}
    assert venue_quality(Metric.ORDER_LATENCY, 5 * MINUTES, NOW) == {("venue", "hyperliquid"): None}


def test_a_venue_is_down_when_none_of_its_accounts_has_answered_for_the_window(account):
    seconds, minute = [0.0], timedelta(minutes=1)
    silence = Silence(lambda: seconds[0])

    def down(at, accounts, heard):
        seconds[0] = at
        silence.look(accounts, heard)
        return venues_down(silence, minute)

    assert down(0, [account], {account.pk}) == {("everything", "*"): D(0)}
    assert down(1, [account], set()) == {("everything", "*"): D(0)}, "a hiccup"
    assert down(60, [account], set()) == {("everything", "*"): D(0)}
    assert down(61, [account], set()) == {("everything", "*"): D(1)}
    assert down(62, [account], {account.pk}) == {("everything", "*"): D(0)}
    assert down(63, [account], set()) == {("everything", "*"): D(0)}, "counted anew"
    assert down(64, [], set()) == {}


def test_only_strategies_with_a_limit_are_asked_for_the_age_of_what_they_hold(account):
    Position.objects.create(
        account=account, strategy="turtle", instrument=InstrumentRow.objects.get(), quantity=1, cost=1,
        opened_at=NOW - 30 * MINUTES, updated_at=NOW,
    )  # fmt: skip
    watched = [Watched("turtle", D(1), account), Watched("flat", D(1), account)]
    assert position_ages(watched, read_limits(), FixedClock(NOW)) == {}
    for strategy in ("turtle", "flat"):
        Allocation.objects.create(strategy=strategy, account=account, capital=1, updated_at=NOW)
        limit_set(
            kind=LimitKind.POSITION_AGE_SECONDS, scope_kind="strategy", scope_key=strategy, value=D(3_600),
            actor="test", now=NOW,
        )  # fmt: skip
    ages = position_ages(watched, read_limits(), FixedClock(NOW))
    assert ages == {("strategy", "turtle"): D("0.5"), ("strategy", "flat"): D(0)}
    Position.objects.update(opened_at=None)
    assert position_ages(watched, read_limits(), FixedClock(NOW))[("strategy", "turtle")] is None


def test_refused_keys_count_per_account_within_the_window(account):
    for ago in (MINUTES, 200 * MINUTES):
        AccountEvent.objects.create(account=account, at=NOW - ago, kind="stream_refused", message="bad key")
    AccountEvent.objects.create(account=account, at=NOW, kind="equity_differs", message="something else")
    assert credential_alarms(120 * MINUTES, NOW) == {("account", "paper-1"): D(1)}


def test_the_machines_load_is_a_mean_over_a_window_that_was_filled():
    looks = iter([Look(0.0, 9.0, 9.0), *(Look(float(at), at / 100, 0.5) for at in range(0, 70, 10))])
    load = HostLoad(lambda: next(looks))
    for _ in range(4):
        load.look()
    minute = timedelta(seconds=60)
    assert host_load(Metric.CPU, load, minute) == {("everything", "*"): None}
    for _ in range(3):
        load.look()
    assert host_load(Metric.CPU, load, minute) == {("everything", "*"): D("0.3")}
    assert load.memory(minute) == D("0.5")


def test_limits_on_age_are_above_zero(account):
    with pytest.raises(InvalidValue, match="a number above 0"):
        limit_set(
            kind=LimitKind.POSITION_AGE_SECONDS, scope_kind="strategy", scope_key="turtle", value=D(0), actor="test",
            now=NOW,
        )  # fmt: skip
