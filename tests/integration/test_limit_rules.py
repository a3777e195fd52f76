"""What a limit must fit before it is saved: through the service and on the admin's page alike."""

from __future__ import annotations

from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.exchanges.models import Account, Portfolio, Venue
from apps.risk.models import CustomRule, Limit, LimitChange
from apps.risk.services import SEED_LIMITS, limit_set, seed_limits
from moondev.domain.errors import InvalidValue
from tests.integration.limits_world import NOW, paper_account, strategies_at, three_instruments

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
D = Decimal


@pytest.fixture
def account(db) -> Account:
    account = paper_account()
    three_instruments(account)
    strategies_at(account, "turtle")
    return account


@pytest.fixture
def operator(account, client):
    client.force_login(get_user_model().objects.create_superuser("operator"))
    return client


def set_limit(kind, where, value, currency=""):
    scope_kind, _, scope_key = where.partition(":")
    return limit_set(
        kind=kind, scope_kind=scope_kind, scope_key=scope_key, value=D(value), currency=currency, actor="ann", now=NOW
    )


REFUSED = [
    ("max_leverage", "account:paper-1", "-1", "", "value", "a number above 0"),
    ("margin_share", "venue:hyperliquid", "1.01", "", "value", "up to 1 (100 %)"),
    ("price_band_bps", "asset:BTC", "10001", "", "value", "100 %"),
    ("max_open_orders", "asset:BTC", "2.5", "", "value", "a whole number"),
    ("day_loss", "strategy:turtle", "0.01", "", "scope_kind", "everything, portfolio"),
    ("max_leverage", "asset:BTC", "2", "", "scope_kind", "measured there only"),
    ("asset_share", "asset:BTX", "0.1", "", "scope_key", "BTC, ETH, SOL"),
    ("asset_share", "strategy:turtel", "0.1", "", "scope_key", "turtle"),
    ("asset_share", "instrument:hyperliquid:DOGE", "0.1", "", "scope_key", "hyperliquid:BTC"),
    ("asset_share", "venue:binance", "0.1", "", "scope_key", "hyperliquid"),
    ("max_gross_exposure", "portfolio:paper", "900000", "USDT", "currency", "USDC, in which the portfolio counts"),
    ("asset_share", "portfolio:paper", "0.1", "USDC", "currency", "no amount of money"),
    ("max_gross_exposure", "portfolio:paper", "600000", "", "value", "at least 625000, the max_net_exposure"),
    ("max_order_notional", "account:paper-1", "2000000", "", "value", "one order could be larger"),
    ("reducing_price_band_bps", "strategy:turtle", "499", "", "value", "at least 500, the price_band_bps"),
    ("strategy_drawdown", "portfolio:paper", "0.26", "", "value", "at most 0.25, the portfolio_drawdown"),
    ("day_loss", "portfolio:paper", "0.26", "", "value", "a drawdown at least as large"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "where", "value", "currency", "field", "words"), REFUSED)
def test_the_service_refuses_with_the_field_and_the_reason_and_changes_nothing(
    account, kind, where, value, currency, field, words
) -> None:
    before = list(Limit.objects.order_by("pk").values())
    with pytest.raises(InvalidValue) as refused:
        set_limit(kind, where, value, currency)
    assert refused.value.field == field
    assert words in str(refused.value)
    assert list(Limit.objects.order_by("pk").values()) == before
    assert LimitChange.objects.count() == len(SEED_LIMITS)


def test_the_page_refuses_the_same_beside_the_field(operator) -> None:
    for kind, where, value, currency, field, words in REFUSED:
        scope_kind, _, scope_key = where.partition(":")
        known = Limit.objects.filter(kind=kind, scope_kind=scope_kind, scope_key=scope_key).first()
        form = {"value": value, "active": "on"}
        if known is not None and currency:
            continue  # the page does not let the currency of a limit be changed
        if known is None:
            form |= {"kind": kind, "scope_kind": scope_kind, "scope_key": scope_key, "currency": currency}
        else:
            form |= {"changes-TOTAL_FORMS": 1, "changes-INITIAL_FORMS": 1, "changes-0-id": known.changes.get().pk,
                     "changes-0-limit": known.pk}  # fmt: skip
        url = reverse("admin:risk_limit_add") if known is None else reverse("admin:risk_limit_change", args=[known.pk])
        answer = operator.post(url, form)
        assert answer.status_code == 200, (kind, where, value)
        assert words in " ".join(answer.context["adminform"].form.errors.get(field, [])), (kind, where, value)
    assert LimitChange.objects.count() == len(SEED_LIMITS)


def test_a_limit_in_money_takes_on_the_currency_of_the_portfolios_it_binds(operator) -> None:
    assert set_limit("max_gross_exposure", "asset:BTC", "900000").currency == "USDC"
    form = {"kind": "max_gross_exposure", "scope_kind": "venue", "scope_key": "hyperliquid", "value": "900000",
            "active": "on"}  # fmt: skip
    assert operator.post(reverse("admin:risk_limit_add"), form).status_code == 302
    made = Limit.objects.get(scope_kind="venue")
    assert (made.currency, made.changes.get().actor) == ("USDC", "operator")


def test_one_amount_does_not_bind_portfolios_that_count_differently(account) -> None:
    tether = Portfolio.objects.create(code="tether", currency="USDT", environment="paper")
    Account.objects.create(code="t-1", venue=Venue.objects.get(), portfolio=tether, address="0x2", currency="USDT")
    for where in ("everything:*", "asset:BTC", "venue:hyperliquid"):
        with pytest.raises(InvalidValue, match="count in USDC, USDT"):
            set_limit("max_gross_exposure", where, "900000", "USDC")
    assert set_limit("max_gross_exposure", "account:t-1", "900000").currency == "USDT"


def test_seeds_that_contradict_what_somebody_has_set_are_left_out(account, caplog) -> None:
    money = {"kind__in": ["max_gross_exposure", "max_net_exposure"]}
    LimitChange.objects.filter(limit__in=Limit.objects.filter(**money)).delete()
    Limit.objects.filter(**money).delete()
    set_limit("max_order_notional", "portfolio:paper", "700000")
    assert [limit.kind for limit in seed_limits("paper", actor="test", now=NOW)] == ["max_gross_exposure"]
    assert "gets no max_net_exposure" in caplog.text


def test_a_rule_on_a_scope_that_does_not_exist_is_refused_on_the_page(operator) -> None:
    form = {
        "name": "mine",
        "scope_kind": "strategy",
        "scope_key": "turtel",
        "expression": "notional < 1.0",
        "enabled": "on",
    }
    answer = operator.post(reverse("admin:risk_customrule_add"), form)
    assert "scope_key is 'turtel'; allowed: a strategy that exists: turtle" in unescape(answer.content.decode())
    assert not CustomRule.objects.exists()
    assert operator.post(reverse("admin:risk_customrule_add"), {**form, "scope_key": "turtle"}).status_code == 302
    asset = {**form, "name": "asset", "scope_kind": "asset", "scope_key": "BTC"}
    assert operator.post(reverse("admin:risk_customrule_add"), asset).status_code == 302
    assert CustomRule.objects.count() == 2
