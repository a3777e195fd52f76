"""What a rule would have refused last week, and how it is saved."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from apps.exchanges.models import InstrumentRow, Order
from apps.risk.models import CustomRule
from apps.risk.rules.book import read_rules
from apps.risk.rules.preview import last_week
from tests.unit.apps.risk.breakers.conftest import NOW, account  # noqa: F401  a fixture

pytestmark = pytest.mark.django_db


def order(account, quantity, *, purpose="opening", days=1, strategy="turtle"):  # noqa: F811  the fixture's value
    at = NOW - timedelta(days=days)
    return Order.objects.create(
        account=account, instrument=InstrumentRow.objects.get(), strategy=strategy, tick_id="1",
        client_order_id=uuid4(), side="buy", order_type="limit", time_in_force="gtc", purpose=purpose,
        quantity=quantity, price=100, arrival_price=101, status="filled", valid_until=NOW, created_at=at, updated_at=at,
    )  # fmt: skip


def rule(expression, kind="strategy", key="turtle"):
    return CustomRule(name="mine", scope_kind=kind, scope_key=key, expression=expression)


def test_it_counts_the_openings_of_the_week_in_its_scope(account):  # noqa: F811  the fixture's value
    order(account, 1)
    order(account, 50)
    order(account, 50, purpose="reducing")
    order(account, 50, days=8)
    order(account, 50, strategy="maker")
    preview = last_week(rule("notional < 1000.0"), NOW)
    assert (preview.asked, preview.refused, preview.untold) == (2, 1, 0)
    assert "01-04 12:00 turtle buy 50" in preview.examples[0]
    assert last_week(rule("notional < 1000.0", "everything", "*"), NOW).asked == 3
    assert last_week(rule("notional < 1000.0", "instrument", "hyperliquid:BTC"), NOW).asked == 3
    assert last_week(rule("notional < 1000.0", "venue", "bybit"), NOW).asked == 0


def test_what_orders_do_not_keep_cannot_be_told_and_is_not_counted_as_passed(account):  # noqa: F811
    order(account, 1)
    preview = last_week(rule("strategy_drawdown < 0.1"), NOW)
    assert (preview.refused, preview.untold) == (0, 1)
    assert "cannot be told" in str(preview)
    assert "no opening order" in str(last_week(rule("true", "account", "nobody"), NOW))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"expression": "notional / position < 1.0"}, "expression"),
        ({"expression": "notionall < 1.0"}, "expression"),
        ({"scope_kind": "everything"}, "scope_key"),
        ({"name": "Not A Name"}, "name"),
    ],
)
def test_a_rule_that_is_none_is_refused_when_it_is_saved(values, field):
    row = rule("notional < 1.0")
    for name, value in values.items():
        setattr(row, name, value)
    with pytest.raises(ValidationError) as refusal:
        row.full_clean()
    assert field in refusal.value.message_dict


def test_only_enabled_rules_are_read():
    rule("notional < 1.0").save()
    assert [one.name for one in read_rules()] == ["mine"]
    CustomRule.objects.update(enabled=False)
    assert read_rules() == ()
