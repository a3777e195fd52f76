"""Sizing rules as rows: set with a version and an author, read for many strategies at once, records added up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from apps.exchanges.market_data.wishes import wishes_set
from apps.exchanges.models import Account, Fill, Position
from apps.risk.facts import load_facts
from apps.risk.models import Allocation, Sizing, SizingChange, StrategyTrades
from apps.risk.sizing.book import read_sizing
from apps.risk.sizing.kelly import NO_TRADES
from apps.risk.sizing.rule import PLAIN, SizingMethod, SizingRule
from apps.risk.sizing.services import sizing_set
from apps.risk.sizing.trades import trades_update
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Needs
from tests.integration.limits_world import NOW, D, paper_account, scope_of, three_instruments

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
RULE = SizingRule(SizingMethod.KELLY, 0.25, fewest_trades=10, stops_at_drawdown=0.2)


@pytest.fixture
def account() -> Account:
    return paper_account()


def test_every_change_has_a_version_and_an_author_and_setting_it_again_is_none() -> None:
    row = sizing_set("turtle", RULE, actor="ann", now=NOW)
    assert row.version == 1
    assert sizing_set("turtle", RULE, actor="bob", now=NOW).version == 1
    assert sizing_set("turtle", PLAIN, actor="bob", now=NOW).version == 2
    changes = SizingChange.objects.order_by("version").values_list("version", "actor", "rule__method")
    assert list(changes) == [(1, "ann", "kelly"), (2, "bob", "weight")]
    assert read_sizing(["turtle", "other"]).rules == {"turtle": PLAIN}
    with pytest.raises(InvalidValue, match="strategy"):
        sizing_set("", RULE, actor="ann", now=NOW)


@pytest.mark.parametrize(
    ("field", "value"),
    [("target", 2.0), ("target", float("nan")), ("bars", 1), ("stops_at_drawdown", -0.1), ("method", "luck")],
)
def test_a_form_names_the_number_that_no_rule_can_mean(field, value) -> None:
    row = Sizing(strategy="turtle", method="kelly", target=0.5, updated_at=NOW)
    row.full_clean()
    setattr(row, field, value)
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    assert field in caught.value.message_dict


def test_facts_carry_rule_record_and_peers(account) -> None:
    instruments = three_instruments(account)
    sizing_set("turtle", RULE, actor="ann", now=NOW)
    _round_trips(account, instruments["BTC"], 12)
    assert trades_update(NOW) == 1
    record = StrategyTrades.objects.get().to_record()
    assert (record.count, round(record.mean, 12)) == (12, 0.01)
    # Written anew, not added to.
    assert trades_update(NOW) == 1
    assert StrategyTrades.objects.get().count == 12
    facts = load_facts([scope_of(account), scope_of(account, "maker")], NOW)
    assert (facts["turtle"].sizing, facts["turtle"].trades.count) == (RULE, 12)
    assert (facts["maker"].sizing, facts["maker"].trades) == (PLAIN, NO_TRADES)


def test_peers_are_those_who_have_capital_and_run(account) -> None:
    three_instruments(account)
    scopes = [scope_of(account, slug) for slug in ("a", "b", "c")]
    load_facts(scopes, NOW)
    for slug in ("a", "b"):
        wishes_set(slug, Needs(("hyperliquid:BTC",)))
    sizing_set("a", SizingRule(SizingMethod.EQUAL_RISK, 0.2), actor="ann", now=NOW)
    assert Allocation.objects.count() == 3
    assert load_facts(scopes, NOW)["a"].peers == 2


def _round_trips(account, instrument, count) -> None:
    Position.objects.create(account=account, strategy="turtle", instrument=instrument, updated_at=NOW)
    for number in range(count):
        for side, price in (("buy", 100), ("sell", 101)):
            Fill.objects.create(
                account=account, instrument=instrument, strategy="turtle", venue_trade_id=f"{number}-{side}",
                side=side, price=D(price), quantity=D(1), fee=D(0), liquidity="taker", kind="trade",
                time_exchange=NOW + timedelta(seconds=number), time_received=NOW,
            )  # fmt: skip


def test_a_person_sets_a_rule_in_the_admin_and_is_told_what_no_rule_can_mean(client, django_user_model) -> None:
    client.force_login(django_user_model.objects.create_superuser("ann"))
    form = {"strategy": "turtle", "method": "realised", "target": "20", "bar_seconds": "3600", "bars": "48",
            "ceiling": "3", "fewest_trades": "30", "start": "0.1", "stops_at_drawdown": "", "changes-TOTAL_FORMS": "0",
            "changes-INITIAL_FORMS": "0"}  # fmt: skip
    add = reverse("admin:risk_sizing_add")
    assert "target is 20.0; allowed: a number above 0 and up to 3" in client.post(add, form).content.decode()
    assert client.post(add, {**form, "target": "0.2"}).status_code == 302
    row = Sizing.objects.get()
    assert row.to_rule() == SizingRule(SizingMethod.REALISED, 0.2, ceiling=3.0)
    change = reverse("admin:risk_sizing_change", args=[row.pk])
    assert client.post(change, {**form, "target": "0.3", "stops_at_drawdown": "0.2"}).status_code == 302
    assert read_sizing(["turtle"]).rule("turtle").stops_at_drawdown == 0.2
    page = client.get(change).content.decode()
    assert page.count("ann") >= 2
    assert SizingChange.objects.count() == 2
